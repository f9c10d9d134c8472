// capture_writer: a client of the database that knows of no cache: plain statements, some of them rolled back. What it
// has committed, and when it knew, is written down: of each row the version times 2, plus 1 if the row was removed.
#pragma once

#include "dice.hpp"
#include "truth.hpp"

#include "seawall/source/postgres.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace chaos {

struct write_counts {
  std::uint64_t single = 0, several = 0, transactions = 0, moved = 0, rolled_back = 0, failed = 0, unknown = 0;
  std::uint64_t rows = 0, removed = 0;
};

/// Writes the rows whose number divided by `all` leaves `index`. Thread safety: none.
class capture_writer {
 public:
  capture_writer(truth& shared, const std::string& url, std::size_t index, std::size_t all);

  /// Takes from `left` and writes, until that is 0 or the run is interrupted.
  void write(std::atomic<std::int64_t>& left);
  const write_counts& counts() const noexcept { return counts_; }

 private:
  struct change {
    std::uint64_t key;
    bool removed;
  };
  struct statement {
    std::string text;  // $1: the key, $2: the version
    std::uint64_t key;
  };

  std::uint64_t some_key();
  void write_one();
  void change_one(std::uint64_t key);
  void plan_range();
  bool plan_move();
  void plan_several();
  seawall::result<void> run(std::int64_t version);
  void roll_back();
  bool took_place(std::int64_t version);
  void note(std::int64_t version);

  truth& shared_;
  const std::size_t index_;
  const std::size_t all_;
  dice chance_;
  std::shared_ptr<seawall::postgres::database> db_;
  std::vector<bool> present_;
  std::int64_t version_ = 1;
  std::vector<change> changes_;         // of the write that is being made
  std::vector<statement> statements_;
  write_counts counts_;
};

}  // namespace chaos

// capture_worker: one process of the scenario capture: a cache over a shared tier, whose loader reads the database, and
// readers. The first process captures what changes in the database; nobody else invalidates.
#pragma once

#include "checker.hpp"
#include "truth.hpp"

#include "seawall/cache.hpp"
#include "seawall/source/change_capture.hpp"
#include "seawall/source/postgres.hpp"
#include "seawall/tier.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace chaos {

class capture_worker {
 public:
  /// Throws std::runtime_error if a URL is no good.
  capture_worker(truth& shared, std::size_t index);

  /// Until the run is over.
  void run();

 private:
  using cache = seawall::cache<std::uint64_t, std::int64_t>;

  // What a reader knows of a key.
  struct known {
    std::uint64_t dated = 0;     // so many of the commits that were written down are dated
    std::int64_t version = 0;    // the highest that it was answered,
    std::int64_t first_at = 0;   // and when first
  };

  cache::options options();
  void read(std::size_t thread, const std::stop_token& stop);
  void date(const row& of, known& what, std::optional<std::int64_t> got, local_tally& mine);
  void capture(const std::stop_token& stop);
  void count(const seawall::capture_stats& of);
  void check();
  void report(broken what, std::uint64_t key, std::uint64_t version, std::uint64_t committed);
  bool goes_on() const { return shared_.stage() == phase::run; }

  truth& shared_;
  const std::size_t index_;
  process_state& state_;
  const std::array<std::uint64_t, tally_count> before_;  // what its forerunners have counted
  std::shared_ptr<seawall::postgres::database> db_;
  std::shared_ptr<seawall::remote_tier> tier_;
  std::unique_ptr<cache> cache_;
};

}  // namespace chaos

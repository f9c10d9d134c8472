// checker: judges each answer that a reader of one process gets, at once, against what all processes have written down.
//
// What is known before a call begins is its floor; see docs/guide/consistency.md for the promises behind it:
//   fresh      no older than what was announced anywhere, and than what a linearizable read anywhere was answered
//   any        no older than what was announced the bound before the call began
//   both       no older than what this process has invalidated itself; `any`: no older than what it has answered
//              before, if that was in Redis
// An answer that the cache counts in `unlinearized_reads` is exempt where the promises say so.
#pragma once

#include "truth.hpp"

#include "seawall/base/result.hpp"
#include "seawall/cache/loaded.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chaos {

/// The text of a row: its version, its key, and something to fill.
std::string row_text(std::uint64_t version, std::uint64_t key);
/// The version in a text; nothing if it is not one of this key.
std::optional<std::uint64_t> version_in(std::string_view text, std::uint64_t key);

/// Counts of one thread, which it adds to those of its process now and then.
struct local_tally {
  std::array<std::uint64_t, tally_count> counts{};
  std::int64_t oldest = 0;

  std::uint64_t& operator[](tally what) noexcept { return counts[static_cast<std::size_t>(what)]; }
  void give_to(process_state& all) noexcept;
};

/// Thread safety: all members.
class checker {
 public:
  using answer = seawall::result<seawall::value_ptr<std::string>>;
  /// How many reads of the process's cache were not linearizable.
  using count_unlinearized = std::function<std::uint64_t()>;

  checker(truth& shared, std::size_t process, count_unlinearized count);

  /// What is known at the moment before a call.
  struct question {
    std::uint64_t key;
    bool fresh;
    bool only_looks;
    std::int64_t begun;
    std::uint64_t announced, stored, own, returned, unlinearized;
  };
  question before(std::uint64_t key, bool fresh, bool only_looks = false) const noexcept;
  void judge(const question& asked, const answer& got, local_tally& mine);
  /// At the end, when nobody writes: what the database has, and nothing else.
  void judge_last(std::uint64_t key, const answer& got);

  void has_invalidated(std::uint64_t key, std::uint64_t version) noexcept { raise_to(own_[key], version); }
  /// A recent count of reads that were not linearizable, to be renewed often.
  void sample() noexcept { unlinearized_.store(count_(), std::memory_order_relaxed); }

 private:
  void judge_version(const question& asked, std::uint64_t version, std::uint64_t committed, bool absent,
                     local_tally& mine);
  std::optional<broken> broken_any(const question& asked, std::uint64_t version, local_tally& mine,
                                   std::int64_t& announced);
  bool linear(const question& asked) const { return count_() == asked.unlinearized; }
  bool excused(const question& asked) const noexcept;
  void report(broken what, const question& asked, std::uint64_t version, std::uint64_t floor,
              std::int64_t announced = 0);

  truth& shared_;
  const std::size_t process_;
  const std::int64_t bound_;
  const count_unlinearized count_;
  std::vector<number> own_;       // versions for which this process has invalidated
  std::vector<number> returned_;  // versions in Redis that `any` reads of this process were answered
  number unlinearized_{0};        // never more than the count is
};

}  // namespace chaos

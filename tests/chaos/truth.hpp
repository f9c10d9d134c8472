// What all processes of a chaos run share, in a mapped file: the rows of the "database", what is known of their
// invalidations, and the counts. Everything is lock-free, since a process may be killed or stopped at any point of it.
#pragma once

#include "delays.hpp"
#include "truth_numbers.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace chaos {

inline constexpr std::size_t max_processes = 8;
inline constexpr std::size_t max_url = 256;
/// A row whose version divides by it does not exist.
inline constexpr std::uint64_t absent_every = 7;

inline void raise_to(number& what, std::uint64_t to) noexcept {
  std::uint64_t before = what.load();
  while (before < to && !what.compare_exchange_weak(before, to)) {}
}

/// The last invalidations of one key by one process: from `when` on, nobody is to be answered less than `version`,
/// apart from what the promises allow. One thread writes.
struct history {
  struct item {
    moment when;
    number version;
  };
  static constexpr std::size_t size = 64;

  number count;
  std::array<item, size> last;

  void add(std::int64_t when, std::uint64_t version) noexcept {
    const std::uint64_t n = count.load(std::memory_order_relaxed);
    item& to = last[n % size];
    to.version.store(0);  // nobody takes the old version for one of the new moment
    to.when.store(when);
    to.version.store(version);
    count.store(n + 1);
  }

  /// The first moment, among those that are still known, at which a newer version than this was announced; or `none`.
  std::int64_t first_newer(std::uint64_t than, std::int64_t none) const noexcept {
    const std::uint64_t n = count.load();
    for (std::uint64_t i = n > size ? n - size : 0; i != n; ++i) {
      const item& one = last[i % size];
      const std::uint64_t version = one.version.load();
      const std::int64_t when = one.when.load();
      if (version > than && one.version.load() == version) return when;
    }
    return none;
  }
};

struct row {
  alignas(64) number committed;  ///< The database itself: the version, which a commit makes larger by one.
  number announced;              ///< The highest version whose invalidation has ended, and was delivered.
  number stored;                 ///< The highest version that a linearizable read was answered: it was in Redis.
  number invalidations;          ///< That have begun.

  struct of_process {
    number pending;  ///< A commit that the process has not announced yet; kept when it is killed.
    number loading;  ///< 1 + `invalidations` at the beginning of its load; 0: it loads nothing.
    history told;
  };
  std::array<of_process, max_processes> by;
};

/// What workers count. One name and one cell each, so that all can be summed and printed in the same way.
enum class tally : std::uint8_t {
  any_reads, fresh_reads, absences, nothing_there, errors, lagging_reads, older_than_known, excused_any, excused_fresh,
  writes, withheld, taken_over, repeated, loads, loads_twice, failed_loads, process_hits, tier_hits, source_reads,
  coalesced, unlinearized, tier_failures, rejected_fills, takeovers, reign_changes, flushes, connections, replayed,
  breaker_opened, kept_in_mind, captured, streams, slots, cleared, undated, count
};
inline constexpr std::size_t tally_count = static_cast<std::size_t>(tally::count);

enum class broken : std::uint64_t {
  none, fresh_too_old, fresh_went_back, any_too_old, own_write_unseen, went_back, from_the_future, wrong_key,
  existing_row_absent, strange_error, not_converged, rolled_back
};
std::string_view name_of(broken what);

/// An answer that breaks a promise.
struct violation {
  number what;  ///< broken; written last.
  number process, key, version, floor, committed;
  moment begun, ended, announced;
};

enum class phase : std::uint64_t {
  run,
  calm,    ///< Writers stop; what they have to tell is delivered.
  settle,  ///< Everybody reads everything, and must find what the database has.
  over
};

struct process_state {
  number reached;  ///< The phase that it has ended its part of; phase::run: none.
  number started;
  std::array<number, tally_count> tallies;
  moment oldest;   ///< Nanoseconds: how long an answer to an `any` read was out of date at most.
  char url[max_url];

  // Of the scenario capture.
  char database[max_url];
  number checked;  ///< The last round whose end this process has checked.
  /// From a commit until this process has read it: [1] if a fault was near.
  std::array<delays, 2> staleness;
};

struct truth_header {
  number seed, keys, processes, threads, writers, bound_ns, mischief;
  number feed;     ///< seawall::tier::feed_mode: how the processes hear of changes.
  number stage;    ///< phase
  number is_calm;  ///< No fault is near: one load at a time is expected.
  /// Odd while there may be two primaries at once, which the promises exclude; and when the last such time ended.
  number two_primaries;
  moment two_primaries_ended;
  // Of the scenario capture.
  number captures;     ///< 0: it is another scenario.
  number by_triggers;  ///< 1: the capture does not read the server's log.
  number round;        ///< The last one that has ended, and is to be checked.
  number faults_open;
  moment fault_ended;  ///< The last one that was over.
  number violations;
  static constexpr std::size_t kept = 32;
  std::array<violation, kept> list;
  std::array<process_state, max_processes> state;
};

/// What a worker does wrong on purpose, to see that the checks can fail.
enum class mischief : std::uint64_t {
  none,
  silent,  ///< Process 1 does not invalidate.
  early,   ///< Process 1 invalidates before it commits.
  deaf,    ///< Process 1 has a cache of its own, which hears of nobody.
};

/// The mapped file. Thread safety: all members.
class truth {
 public:
  static truth create(const std::filesystem::path& file, std::size_t keys);
  static truth open(const std::filesystem::path& file);
  ~truth();
  truth(truth&& other) noexcept;
  truth& operator=(truth&&) = delete;

  truth_header& head() const noexcept { return *head_; }
  row& at(std::size_t key) const noexcept { return rows_[key]; }
  std::size_t keys() const noexcept { return keys_; }
  phase stage() const noexcept { return static_cast<phase>(head_->stage.load(std::memory_order_acquire)); }
  std::uint64_t sum(tally what) const noexcept;

 private:
  truth(void* memory, std::size_t bytes) noexcept;

  void* memory_;
  std::size_t bytes_;
  truth_header* head_;
  row* rows_;
  std::size_t keys_;
};

}  // namespace chaos

// A load in progress for one key, and those who wait for it.
//
// Life: loading -> settled (with an answer)                     the usual way
//       loading -> superseded -> settled                        an invalidation came: the key is free at once, the load
//                                                               runs on for those who stay, its value is never stored
//       loading -> abandoned                                    its leader left: the waiters try again
//       loading -> settled (load_timed_out), load still running  its time was up: a late value is lost
//
// Guard: the first group is constant once the flight is in the table; the last is guarded by the mutex of the flight
// table's shard that the key belongs to.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"
#include "seawall/cache/bulkhead.hpp"
#include "seawall/cache/shared_tier.hpp"
#include "seawall/local/entry.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <unordered_set>
#include <utility>

namespace seawall {

/// Somebody who waits. `wake` is called outside all locks, from any thread, any number of times; it means "look again".
class waiter {
 public:
  virtual ~waiter() = default;
  virtual void wake() noexcept = 0;
};

enum class flight_phase { loading, superseded, abandoned, settled };

namespace detail {

/// Counts what is under way on behalf of a cache, so that the cache's destructor can wait for it.
class presence {
 public:
  explicit presence(std::atomic<std::size_t>& of) noexcept : count_(of) { count_.fetch_add(1); }
  ~presence() {
    if (count_.fetch_sub(1) == 1) count_.notify_all();
  }
  presence(const presence&) = delete;
  presence& operator=(const presence&) = delete;

 private:
  std::atomic<std::size_t>& count_;
};

}  // namespace detail

/// A set: one that leaves early is found at once, however many wait.
using waiter_set = std::unordered_set<std::shared_ptr<waiter>>;

/// Outside all locks.
inline void wake(waiter_set& woken) noexcept {
  for (const auto& one : woken) one->wake();
}

/// A stale value of the shared tier that may be served while it is refreshed.
template <class V>
struct spare_value {
  value_ptr<V> value{};
  time_point since{};  ///< When it went stale.
  std::uint64_t version = 0;
  time_point written{};  ///< When its load ended.
};

template <class K, class V>
struct flight {
  K key;
  std::size_t hash;
  time_point started;
  time_point give_up_at;      ///< When the load's time is up.
  bool leader_bound;          ///< That time is the leader's own: its waiters then try again instead of failing.
  bool refresh;               ///< Started for an entry that may still be served.
  value_ptr<V> previous;      ///< For a conditional refresh.
  std::stop_source stop{};    ///< Thread-safe by itself.
  std::uint64_t tag_events = 0;  ///< Of the cache's tags, before the load began.
  tag_list tags{};               ///< As far as they are known before the load.

  std::uint64_t at_least = 0;          ///< Its leader takes no lower version.
  std::uint64_t previous_version = 0;  ///< Of `previous`.

  bool alone = false;         ///< Not in the table: nobody joins it, and it stores nothing in this process.

  // ---- touched by the leader only ----
  time_point load_began{};            ///< Set with a shared tier only.
  bool counted = false;               ///< As a load: its loader was, or is, run.
  std::optional<tier_nonce> lease{};  ///< Of the shared tier: the right to fill the key.
  std::vector<tag_stamp> stamps{};    ///< That came with it.
  tag_list expects{};                 ///< Tags that its loader may name, as it did before.
  bool refreshes_tier = false;        ///< The lease is that of a refresh.
  bool kept = false;                  ///< Opened for a key that is kept fresh.
  time_point kept_until{};            ///< Then: the end of the entry in this process; the epoch: there is none.
  load_permits permits{};         ///< Given back when the loader has returned.
  clock::timer_id timer = 0;      ///< Fires at give_up_at; 0: none.

  // ---- guarded by the shard's mutex ----
  // Written under the mutex, `settled` last of all and with release order: after that the answer never changes, and who
  // reads `settled` with acquire order may read the answer without the mutex.
  std::atomic<flight_phase> phase{flight_phase::loading};
  std::optional<result<value_ptr<V>>> answer{};  ///< Set when settled.
  std::shared_ptr<waiter> looks_again{};         ///< Its leader, while another process holds the lease.
  time_point good_until{never};                ///< Who joined later may not have it; see core::limit_unproved.
  bool early = false;         ///< A refresh of an entry that is still fresh.
  spare_value<V> spare{};                      ///< As long as `proof` covers it.
  bool from_source = false;                    ///< Settled with what a loader answered.
  std::uint64_t version = 0;                   ///< Of the answer; 0: none is known.
  time_point written{};                        ///< When the load of the answer ended.
  bool stored = false;                         ///< Settled, and in the shared tier for sure.
  bool accepted = false;                       ///< Settled in time and not superseded: the answer is for every waiter.
  waiter_set waiters{};

  // ---- written by the thread that hears the shared tier's feed ----
  /// Of the tier's copy of the value; null again once that has changed. Read under the shard's mutex.
  std::atomic<const tier_proof*> proof{nullptr};
  /// It changed after it was read.
  std::atomic<bool> outdated{false};
};

}  // namespace seawall

// The outbox: invalidations that survive the death of the process that owes them.
//
// A transaction with {.outbox = true} writes what it makes stale into the table seawall_outbox, in the same commit. If
// the process dies before it has told the caches, the row is still there, and a relay does it:
//
//   sql::create_outbox(*db);                    // once
//   sql::outbox_relay relay{db};
//   relay.add(products);                        // by its name
//   relay.start();
//
// Every invalidation is done at least once: by its transaction, and by a relay, which then removes the row. Several
// processes may run one. No order of the table is relied on, so a transaction that commits late is not passed over.
// Other programs may insert rows, too: cache, kind ("key", "tag" or "all"), item (what codec<K> writes; the tag).
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/log.hpp"
#include "seawall/metrics/counter_source.hpp"
#include "seawall/source/sql_database.hpp"
#include "seawall/source/undelivered_of.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::sql {

/// Creates the table seawall_outbox if it is not there.
result<void> create_outbox(database& db);

struct relay_options {
  std::string name = "outbox";                       ///< In metrics.
  std::size_t batch = 256;                           ///< Rows at a time; at least 1.
  duration poll = std::chrono::milliseconds{200};    ///< How often the table is looked at; at least 1 ms.
  /// A row that cannot be done (a key that cannot be read) waits, twice as long each time. Others do not wait for it.
  duration first_retry = std::chrono::seconds{1};    ///< At least 1 ms.
  duration max_retry = std::chrono::minutes{1};
  /// Rows are removed once the shared tiers of the caches have what was invalidated, else done again; and once this
  /// says so, too, if it is set: for whatever else must hear of them.
  std::function<bool()> delivered{};
  /// How often the thread asks the database for the gauges of its metrics, see `lag`. 0: never.
  duration lag_every = std::chrono::seconds{5};
  /// Is told of rows that cannot be done, of failing passes, and by `lag` of rows that nobody seems to serve.
  log_hook log{};
};

/// Totals since the relay was made.
struct relay_stats {
  std::uint64_t done = 0;       ///< Rows that were done and removed.
  std::uint64_t poisoned = 0;   ///< Times that a row could not be done.
  std::uint64_t passes = 0;     ///< Looks at the table.
  std::uint64_t failures = 0;   ///< Passes that the database failed.
  std::uint64_t undelivered = 0;  ///< Passes whose rows were kept, since a tier does not have them yet.
};

/// What is in the table at the moment.
struct outbox_lag {
  std::uint64_t rows = 0;
  std::uint64_t failed = 0;  ///< Of these: those that could not be done at least once.
  duration oldest{};         ///< The age of the oldest row, by the database's clock.
  std::uint64_t foreign = 0;   ///< Of all: those of caches that this relay was not given. It leaves them to others.
  duration oldest_foreign{};   ///< The age of the oldest of them. More than `max_retry`: nobody serves that cache.
};

/// Thread safety: `add` before `start`; all else from any thread. The caches must outlive it.
class outbox_relay {
 public:
  explicit outbox_relay(std::shared_ptr<database> db, relay_options how = {});
  outbox_relay(const outbox_relay&) = delete;
  outbox_relay& operator=(const outbox_relay&) = delete;
  ~outbox_relay() { stop(); }

  /// Serves the rows of the cache with this name. Its keys need a codec. Rows of other caches are left alone.
  template <class Cache>
  void add(Cache& cache) {
    using K = typename Cache::key_type;
    static_assert(decodable<K>, "seawall::sql: keys of a cache behind an outbox need a codec: base/codec.hpp");
    target& made = targets_[cache.name()];
    made.undelivered = seawall::detail::undelivered_of(cache);
    made.invalidate = [&cache](std::string_view kind, std::string_view item) -> result<void> {
      if (kind == "all" && !cache.clear()) {
        return fail(errc::failed, "the shared tier failed, and may still have what was to be removed");
      }
      if (kind == "all") return {};
      if (kind == "tag") return cache.invalidate_tag(item), result<void>{};
      if (kind != "key") return fail(errc::argument, "no such kind: '" + std::string{kind} + "'");
      auto key = codec<K>::decode(item);
      if (!key) return std::unexpected(std::move(key).error());
      cache.invalidate(*key);
      return {};
    };
  }

  /// Runs passes on a thread of its own until `stop`. Twice: once.
  void start();
  /// Has the thread look at the table now.
  void wake();
  /// Does what is in the table and due, as far as it is delivered, and ends the thread. Also without a thread.
  void stop();

  /// One pass on this thread: how many rows were done and removed. At most `batch`.
  result<std::size_t> run_once();

  relay_stats stats() const;
  /// What metrics exporters hold: see prometheus.hpp.
  std::shared_ptr<const counter_source> stats_handle() const;
  /// Asks the database.
  result<outbox_lag> lag();

 private:
  class tally;
  struct claimed;
  struct target {
    std::function<result<void>(std::string_view kind, std::string_view item)> invalidate{};
    std::function<std::size_t()> undelivered{};
  };
  struct outcome {
    std::size_t claimed = 0;
    std::size_t done = 0;
    bool delivered = true;
  };

  result<outcome> try_pass();
  result<outcome> pass(statements& on);
  std::size_t batch() const noexcept { return std::max<std::size_t>(how_.batch, 1); }
  std::vector<std::string> served() const;
  result<void> do_row(const claimed& row);
  bool delivered() const;
  result<void> settle(statements& on, const std::vector<std::int64_t>& done, const std::vector<claimed>& failed);
  void drain();
  void measure();
  void work();

  const std::shared_ptr<database> db_;
  const relay_options how_;
  std::map<std::string, target, std::less<>> targets_;

  const std::shared_ptr<tally> counted_;

  std::mutex mutex_;
  std::condition_variable changed_;
  time_point measured_at_{};  // of the thread
  bool woken_ = false;     // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace seawall::sql

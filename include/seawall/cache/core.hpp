// What a cache and everything that runs on its behalf share: the engine, the flights, the options, the counters. Every
// decision about what may be stored or handed out is taken here; who waits, and how, is the business of load_op and its
// drivers.
//
// The guarantee and where it comes from: a flight is in the table from before its loader is called until it settles. An
// invalidation takes the key's shard mutex, marks the flight superseded and removes the entry. A load that ends takes
// the same mutex and stores only while its flight is not superseded. So a value whose load began before an invalidation
// is never stored, and callers that come after the invalidation find neither the entry nor the flight.
// Thread safety: all members may be called from any thread.
#pragma once

#include "seawall/base/byte_size.hpp"
#include "seawall/base/lookup.hpp"
#include "seawall/base/random.hpp"
#include "seawall/cache/flight_table.hpp"
#include "seawall/cache/options.hpp"
#include "seawall/cache/running_load.hpp"
#include "seawall/local/engine.hpp"
#include "seawall/local/sweeper.hpp"
#include "seawall/metrics/recorder.hpp"
#include "seawall/metrics/stats_source.hpp"

#include <atomic>
#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

namespace seawall {

/// What the cache has for a key at one moment. `value` is null for a cached absence.
template <class V>
struct lookup {
  standing is = standing::missing;
  value_ptr<V> value{};
  time_point written{};

  bool servable() const noexcept {
    return is == standing::fresh || is == standing::refresh_due || is == standing::stale;
  }
};

/// What became of a request to load a key.
enum class admitted {
  leads,     ///< A flight was opened; the caller must bring it to an end.
  joins,     ///< A flight was there; the waiter was added to it.
  busy,      ///< A flight was there and the caller did not want to wait.
  answered,  ///< Somebody else had filled the entry in the meantime.
  refused,   ///< Back-off, overload, recursion, or the cache is closed: the error says which.
};

/// How a load ended, as its leader sees it.
enum class fate {
  accepted,    ///< Stored if it could be, and handed to all waiters. A failure is accepted too.
  superseded,  ///< An invalidation or a write came during the load.
  late,        ///< The flight had been given up before.
};

template <class K, class V, class Hash, class Eq>
class core final : public stats_source, public std::enable_shared_from_this<core<K, V, Hash, Eq>> {
 public:
  using key_type = K;
  using value_type = V;
  using flight_ptr = std::shared_ptr<flight<K, V>>;
  using answer = result<value_ptr<V>>;
  using engine_type = local::engine<K, local::entry<V>, Eq>;

  struct admission {
    admitted is;
    flight_ptr flight{};
    lookup<V> found{};
    std::optional<error> why{};
  };

  struct request {
    bool refresh = false;                    ///< The entry may still be served: do not wait for anybody else's load.
    time_point replaces{};                   ///< With `refresh`: when that entry was written.
    std::shared_ptr<waiter> joins{};         ///< Added to a flight that is there, and to a new one with `joins_own`.
    bool joins_own = false;
    load_permits* batch = nullptr;           ///< Permits for a whole batch, taken by the first that needs them.
    time_point leader_deadline = never;      ///< Of a leader that runs the loader itself.
  };

  struct settlement {
    fate is;
    answer value;
  };

  core(cache_options<K, V> options, const Hash& hash, const Eq& equal, std::shared_ptr<clock> time,
       std::weak_ptr<executor> background)
      : options_(std::move(options)),
        policy_(options_.policy()),
        hash_(hash),
        equal_(equal),
        clock_(std::move(time)),
        coarse_lag_(clock_->coarse_lag()),
        background_(std::move(background)),
        random_(options_.seed != 0 ? options_.seed : entropy_seed()),
        loads_(std::make_shared<bulkhead>(options_.max_concurrent_loads)),
        recorder_(options_.key_classes.names),
        engine_({.capacity = options_.capacity,
                 .max_weight = options_.max_bytes,
                 .policy = options_.eviction,
                 .seed = options_.seed},
                equal, listener_of(options_)),
        sweeper_(clock_, this),
        flights_(equal) {}

  const cache_options<K, V>& options() const noexcept { return options_; }
  const entry_policy& policy() const noexcept { return policy_; }
  clock& time() const noexcept { return *clock_; }
  cache_recorder& recorder() noexcept { return recorder_; }

  template <class Q>
  std::size_t hash_of(const Q& key) const {
    return detail::table_hash<Hash, K>(hash_, key);
  }

  // ---- reading ----

  /// What is there now; counts as a use when it can be served.
  template <class Q>
  lookup<V> look(const Q& key, std::size_t hash) {
    lookup<V> found;
    const time_point coarse = clock_->coarse_now();
    engine_.read(key, hash, coarse, [&](local::entry<V>& item, local::entry_header& header) {
      local::stored_times stored{item.times};
      const local::entry_times times = stored.get();
      time_point now = coarse;
      if (now + coarse_lag_ < times.attention_from()) {
        found.is = standing::fresh;
      } else {
        now = clock_->now();
        found.is = standing_at(times, now, random_);
        if (found.is == standing::missing) return false;
      }
      found.value = item.value;
      found.written = times.written;
      if (found.is == standing::on_error) return false;
      if (found.is != standing::stale && stored.use(times, now)) header.extend_deadline(engine_deadline(stored.get()));
      return true;
    });
    return found;
  }

  /// Calls `inspect(const entry&, now)` for what is there, expired or not; no use is counted.
  template <class Q, class F>
  bool inspect(const Q& key, std::size_t hash, F&& inspector) {
    const time_point now = clock_->now();
    return engine_.read(key, hash, now, [&](local::entry<V>& item, local::entry_header&) {
      inspector(local::entry<V>{item.value, local::stored_times{item.times}.get()}, now);
      return false;
    });
  }

  // ---- writing ----

  /// Removes the entry and cuts off the load in progress.
  template <class Q>
  bool invalidate(const Q& key, std::size_t hash) {
    waiter_set woken;
    bool there = false;
    {
      auto& shard = flights_.shard_of(hash);
      const std::lock_guard lock{shard.mutex};
      shard.supersede_locked(key, hash, woken);
      there = engine_.erase(key, hash, clock_->coarse_now(), removal_cause::invalidated);
    }
    wake(woken);
    engine_.tidy();
    return there;
  }

  /// Ends the entry's freshness and cuts off the load in progress, whose value may be older than the reason.
  template <class Q>
  bool expire(const Q& key, std::size_t hash) {
    waiter_set woken;
    bool there = false;
    {
      auto& shard = flights_.shard_of(hash);
      const std::lock_guard lock{shard.mutex};
      shard.supersede_locked(key, hash, woken);
      const time_point now = clock_->now();
      engine_.read(key, hash, now, [&](local::entry<V>& item, local::entry_header& header) {
        local::stored_times stored{item.times};
        there = now < stored.get().keep_until();
        stored.expire(now);
        header.set_deadline(engine_deadline(stored.get()));
        return false;
      });
    }
    wake(woken);
    engine_.tidy();
    return there;
  }

  /// Stores a value (null: an absence) that the application knows to be right now.
  void put(K key, std::size_t hash, value_ptr<V> value, const entry_policy& policy) {
    const time_point now = clock_->now();
    const auto times = value ? policy.times_of_value(now, duration::zero(), random_.uniform())
                             : policy.times_of_absence(now, duration::zero(), random_.uniform());
    const std::size_t weight = weigh(key, value);
    waiter_set woken;
    {
      auto& shard = flights_.shard_of(hash);
      const std::lock_guard lock{shard.mutex};
      shard.supersede_locked(key, hash, woken);
      store_locked(key, hash, value, times, weight, now);
    }
    wake(woken);
    after_store(times);
  }

  void clear() {
    for (auto& shard : flights_.shards()) {
      for (bool more = true; more;) {
        waiter_set woken;
        {
          const std::lock_guard lock{shard.mutex};
          more = shard.supersede_one_locked(woken);
        }
        wake(woken);
      }
    }
    engine_.clear(removal_cause::cleared);
  }

  /// New limits; evicts down to them.
  void resize(std::size_t capacity, std::size_t max_bytes) {
    engine_.resize(capacity, max_bytes, clock_->now());
    engine_.tidy_all();
  }

  /// For the sweeper: takes out what has expired.
  time_point sweep(time_point now, std::size_t chunks) { return engine_.sweep(now, chunks); }
  /// When it will come; `never` when nothing can expire.
  time_point next_sweep() const noexcept { return sweeper_.next(); }

  // ---- loading ----

  /// Opens a flight for the key, or joins the one that is there.
  admission admit(const K& key, std::size_t hash, const request& how);

  /// The end of a load whose flight this caller leads.
  /// When memory runs out on the way, the flight is abandoned and the exception goes on.
  settlement complete(const flight_ptr& which, loaded<V> given, const entry_policy& policy) {
    try {
      return settle(which, std::move(given), policy);
    } catch (...) {
      forsake(which);
      throw;
    }
  }

  /// The leader leaves without an answer: its loader is asked to stop and the waiters try again.
  void forsake(const flight_ptr& which) {
    end_leading(*which);
    abandon(which);
  }

  /// Opens a flight and runs `loader` for it on the executor, unless one is under way or the key is in back-off.
  void refresh(const K& key, std::size_t hash, time_point written, const bound_loader<K, V>& loader,
               const entry_policy& policy) {
    admission flight = admit(key, hash, {.refresh = true, .replaces = written});
    if (flight.is == admitted::leads) launch(std::move(flight.flight), loader, policy);
  }

  /// Runs `loader` for an open flight on the executor.
  void launch(flight_ptr which, const bound_loader<K, V>& loader, const entry_policy& policy);

  /// Calls `loader` for an open flight on this thread, which is one of the executor's, and settles the flight. One that
  /// nobody waits for any more, and whose value could not be stored, is abandoned instead.
  void run(const flight_ptr& which, const bound_loader<K, V>& loader, const entry_policy& policy);

  load_context<V> context_of(const flight<K, V>& which) const {
    return {which.stop.get_token(), which.previous, which.give_up_at};
  }

  /// Calls `change(flight)` under the mutex that guards the flight.
  template <class F>
  decltype(auto) with_locked(flight<K, V>& which, F&& change) {
    const std::lock_guard lock{flights_.shard_of(which.hash).mutex};
    return std::forward<F>(change)(which);
  }

  /// The mark of a load for the scopes around its loader.
  detail::load_mark mark(flight_ptr which, std::shared_ptr<const detail::running_load> outer) const {
    const K* key = &which->key;
    return detail::load_mark{std::make_shared<detail::running_load>(this, std::move(which), key, std::move(outer))};
  }

  error load_timed_out() const {
    return {errc::load_timed_out, "cache '" + options_.name + "': a load was given up at its load_deadline"};
  }

  /// No more loads start; those that run on the executor are asked to stop and waited for.
  void close();

  // ---- counting ----

  template <class Q>
  std::size_t class_of(const Q& key) const noexcept {
    if (!options_.key_classes.of) return 0;
    try {
      if constexpr (std::same_as<Q, K>) return options_.key_classes.of(key);
      else return options_.key_classes.of(K(key));
    } catch (...) {
      return cache_recorder::max_classes;  // counts as "other"
    }
  }
  void count(std::size_t key_class, cache_counter counter) noexcept { recorder_.count(key_class, counter); }

  std::size_t size() const { return engine_.size(); }
  cache_stats stats() const override;

 private:
  void take_permits(load_permits& into, admission& outcome);
  settlement settle(const flight_ptr& which, loaded<V> given, const entry_policy& policy);
  void arm(const flight_ptr& which);
  void time_out(const flight_ptr& which);
  void abandon(const flight_ptr& which);
  void end_leading(flight<K, V>& which);
  void store_locked(const K& key, std::size_t hash, const value_ptr<V>& value,
                    const std::optional<local::entry_times>& times, std::size_t weight, time_point now);
  std::size_t weigh(const K& key, const value_ptr<V>& value) const noexcept;

  // Outside all locks: what was removed is destroyed, and the sweep is told.
  void after_store(const std::optional<local::entry_times>& times) {
    engine_.tidy();
    if (times && times->keep_until() != never) sweeper_.expect(times->keep_until());
  }

  // The engine keeps deadlines to the tick and rounds them down; here the exact times are at hand, so its deadline must
  // not come before them.
  static std::int64_t engine_deadline(const local::entry_times& times) noexcept {
    return after(times.keep_until(), duration{eviction::tick::length - 1}).time_since_epoch().count();
  }

  static typename engine_type::listener listener_of(const cache_options<K, V>& options) {
    if (!options.on_removal) return {};
    return [tell = options.on_removal](const K& key, const local::entry<V>& gone, removal_cause cause) {
      tell(key, gone.value, cause);
    };
  }
  void note_end(const flight<K, V>& which, fate end, const answer& value, bool unmodified, time_point now);

  static void wake(waiter_set& woken) noexcept {
    for (const auto& one : woken) one->wake();
  }

  const cache_options<K, V> options_;
  const entry_policy policy_;
  const Hash hash_;
  const Eq equal_;
  const std::shared_ptr<clock> clock_;
  const duration coarse_lag_;
  const std::weak_ptr<executor> background_;
  random_source random_;
  const std::shared_ptr<bulkhead> loads_;
  cache_recorder recorder_;
  mutable engine_type engine_;  // statistics drain it
  local::sweeper<core> sweeper_;
  flight_table<K, V, Eq> flights_;
  std::stop_source closing_;
  // Sequentially consistent, both: a load counts itself in and then looks; the destructor says so and then counts.
  std::atomic<bool> closed_{false};
  std::atomic<std::size_t> in_background_{0};
};

}  // namespace seawall

#include "seawall/cache/core_load.hpp"

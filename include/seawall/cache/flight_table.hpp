// The flights of one cache by key, and the keys whose last load failed. Sharded; one mutex a shard. The mutex of a
// key's shard also orders everything that decides what may be stored under the key: a load that ends, an invalidation,
// a put. Lock order: flight shard, then those of the engine. Of the user's code only the equality and the copy of a key
// run under either.
#pragma once

#include "seawall/cache/flight.hpp"
#include "seawall/local/prehashed.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall {

/// A key whose last load failed.
struct failure_record {
  unsigned failures = 0;     ///< In a row.
  time_point retry_at;       ///< Until then callers get `last`.
  error last{errc::loader_failed};
};

template <class K, class V, class Eq>
class flight_table {
 public:
  /// Failing keys remembered, over all shards; beyond it a failing key simply has no back-off.
  static constexpr std::size_t max_failures = 65'536;
  /// Keys whose loaders' tags are remembered; one more, and some are forgotten.
  static constexpr std::size_t max_named = 65'536;
  static constexpr std::size_t shard_count = 32;

  using flight_ptr = std::shared_ptr<flight<K, V>>;

  struct shard {
    template <class T>
    using map_to = std::unordered_map<local::prehashed<K>, T, local::prehash, local::prehashed_equal<K, Eq>>;
    using flight_map = map_to<flight_ptr>;
    using failure_map = map_to<failure_record>;

    mutable std::mutex mutex;
    flight_map flights;    // guarded by mutex: the flights that new callers may join
    failure_map failures;  // guarded by mutex
    /// By the hash of a key: tags that its loader named and the call did not. What two keys share does no harm.
    std::unordered_map<std::size_t, tag_list> named;  // guarded by mutex

    // Callee-holds-lock functions.

    template <class Q>
    flight_ptr find_locked(const Q& key, std::size_t hash) {
      const auto found = flights.find(local::prehashed_ref<Q>{key, hash});
      return found == flights.end() ? nullptr : found->second;
    }

    template <class Q>
    const failure_record* find_failure_locked(const Q& key, std::size_t hash, time_point now) {
      const auto found = failures.find(local::prehashed_ref<Q>{key, hash});
      return found == failures.end() || now >= found->second.retry_at ? nullptr : &found->second;
    }

    void record_failure_locked(const K& key, std::size_t hash, const error& reason, time_point now, duration initial,
                               duration max) {
      if (initial <= duration::zero()) return;
      auto found = failures.find(local::prehashed_ref<K>{key, hash});
      if (found == failures.end()) {
        if (failures.size() >= max_failures / shard_count) {
          std::erase_if(failures, [&](const auto& item) { return now >= item.second.retry_at; });
          if (failures.size() >= max_failures / shard_count) return;
        }
        found = failures.try_emplace(local::prehashed<K>{key, hash}).first;
      }
      failure_record& record = found->second;
      duration span = initial;
      for (unsigned i = 0; i < record.failures && span < max; ++i) span = span > max / 2 ? max : 2 * span;
      if (record.failures < 64) ++record.failures;
      record.retry_at = after(now, span);
      record.last = reason;
    }

    void remember_named_locked(std::size_t hash, const tag_list& tags) {
      if (named.size() >= max_named / shard_count && !named.contains(hash)) named.clear();
      named.insert_or_assign(hash, tags);
    }

    tag_list named_locked(std::size_t hash) const {
      if (named.empty()) return {};
      const auto found = named.find(hash);
      return found == named.end() ? tag_list{} : found->second;
    }

    template <class Q>
    void forget_failure_locked(const Q& key, std::size_t hash) {
      if (failures.empty()) return;
      const auto found = failures.find(local::prehashed_ref<Q>{key, hash});
      if (found != failures.end()) failures.erase(found);
    }

    /// Takes the flight out of the table if it is the one that callers would join; the key is then free.
    void release_key_locked(const flight<K, V>& which) {
      const auto found = flights.find(local::prehashed_ref<K>{which.key, which.hash});
      if (found != flights.end() && found->second.get() == &which) flights.erase(found);
    }

    /// An invalidation or a write: what is loading now must not be stored. Its waiters go to `woken`.
    template <class Q>
    void supersede_locked(const Q& key, std::size_t hash, waiter_set& woken) {
      if (!flights.empty()) {
        const auto found = flights.find(local::prehashed_ref<Q>{key, hash});
        if (found != flights.end()) {
          found->second->phase = flight_phase::superseded;
          woken.swap(found->second->waiters);
          flights.erase(found);
        }
      }
      forget_failure_locked(key, hash);
    }

    /// The same for all flights, one after another: false when there is none left.
    bool supersede_one_locked(waiter_set& woken) {
      failures.clear();
      if (flights.empty()) return false;
      const auto first = flights.begin();
      first->second->phase = flight_phase::superseded;
      woken.swap(first->second->waiters);
      flights.erase(first);
      return true;
    }
  };

  explicit flight_table(const Eq& equal) {
    for (shard& one : shards_) {
      one.flights = typename shard::flight_map(0, local::prehash{}, local::prehashed_equal<K, Eq>{equal});
      one.failures = typename shard::failure_map(0, local::prehash{}, local::prehashed_equal<K, Eq>{equal});
    }
  }

  shard& shard_of(std::size_t hash) noexcept { return shards_[(hash >> 46) % shard_count]; }
  std::array<shard, shard_count>& shards() noexcept { return shards_; }
  const std::array<shard, shard_count>& shards() const noexcept { return shards_; }

 private:
  std::array<shard, shard_count> shards_;
};

}  // namespace seawall

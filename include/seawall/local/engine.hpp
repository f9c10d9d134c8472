// The in-process engine: a bounded map from keys to entries. Entries live in shards; each shard is a hash table and an
// LRU list under one mutex. It knows nothing of loading, staleness rules or statistics beyond its own.
// Thread safety: all members may be called from any thread. Visitors run under a shard's lock, so they must be short
// and must not call the engine. What an operation removes goes into `removed`, for the caller to destroy when it holds
// no lock of its own either: the destructors of keys and values are the user's code.
#pragma once

#include "seawall/local/entry.hpp"
#include "seawall/local/shard.hpp"
#include "seawall/metrics/cache_stats.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace seawall::local {

struct engine_options {
  std::size_t capacity = 100'000;  ///< Entries; at least 1.
  std::size_t max_bytes = 0;       ///< Sum of weights; 0: no limit.
};

template <class K, class V, class Eq>
class engine {
  using shard_type = shard<K, V, Eq>;

 public:
  using removed = typename shard_type::removed;

  explicit engine(engine_options options, Eq equal = {})
      : options_(options), shard_count_(shards_for(options)), shards_(std::make_unique<shard_type[]>(shard_count_)) {
    for (std::size_t i = 0; i != shard_count_; ++i) {
      shards_[i].init(share_of(options.capacity, i), share_of(options.max_bytes, i), equal);
    }
  }

  /// Calls `visit(entry<V>&)` for an entry that is there and not past `keep_until` at `now`; counts as a use when the
  /// visitor answers true. Returns whether it was called.
  template <class Q, class F>
  bool read(const Q& key, std::size_t hash, time_point now, removed& dead, F&& visit) {
    return shard_of(hash).read(key, hash, now, dead, std::forward<F>(visit));
  }

  /// Stores an entry of `weight` bytes in place of any other under the key, then evicts down to the limits. An entry
  /// that is heavier than what one shard may hold is not kept.
  template <class Q>
  void put(Q&& key, std::size_t hash, entry<V> item, std::size_t weight, time_point now, removed& dead) {
    shard_of(hash).put(std::forward<Q>(key), hash, std::move(item), weight, now, dead);
  }

  /// Removes the key's entry; false when there was none.
  template <class Q>
  bool erase(const Q& key, std::size_t hash, removal_cause cause, removed& dead) {
    return shard_of(hash).erase(key, hash, cause, dead);
  }

  /// Removes every entry that was there when it was called.
  void clear(removed& dead) {
    for (std::size_t i = 0; i != shard_count_; ++i) shards_[i].clear(dead);
  }

  /// Entries, including those that have expired and were not yet taken back.
  std::size_t size() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i != shard_count_; ++i) sum += shards_[i].usage().entries;
    return sum;
  }

  /// Adds entries, bytes and removals to `stats`.
  void fill(cache_stats& stats) const {
    stats.capacity = options_.capacity;
    stats.max_bytes = options_.max_bytes;
    for (std::size_t i = 0; i != shard_count_; ++i) {
      const shard_usage usage = shards_[i].usage();
      stats.entries += usage.entries;
      stats.bytes += usage.bytes;
      for (std::size_t cause = 0; cause != usage.removals.size(); ++cause) {
        stats.evictions[cause] += usage.removals[cause];
      }
    }
  }

 private:
  // More shards make for less contention, but each must hold enough for its LRU order to mean something, and enough
  // bytes for a large value.
  static std::size_t shards_for(const engine_options& options) noexcept {
    std::size_t count = 1;
    const auto fits = [&](std::size_t n) {
      return options.capacity / n >= 256 && (options.max_bytes == 0 || options.max_bytes / n >= (16u << 20));
    };
    while (count < 64 && fits(2 * count)) count *= 2;
    return count;
  }

  std::size_t share_of(std::size_t total, std::size_t index) const noexcept {
    return total / shard_count_ + (index < total % shard_count_ ? 1 : 0);
  }

  // The table inside a shard uses the low bits of the hash; the shard is chosen by the high ones.
  shard_type& shard_of(std::size_t hash) const noexcept { return shards_[(hash >> 52) & (shard_count_ - 1)]; }

  const engine_options options_;
  const std::size_t shard_count_;
  const std::unique_ptr<shard_type[]> shards_;
};

}  // namespace seawall::local

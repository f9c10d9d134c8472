// The caches in C++ that ./dev bench local measures. Each has get(asked, into), put(key, value), size() and clear();
// concurrent_lru_cache has get alone, which makes the value on a miss.
//
// Only Seawall's entries have a TTL, which each get checks; the others run as their users know them at their fastest.
#pragma once

#include "seawall/local_cache.hpp"
#include "workload.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#ifdef SEAWALL_BENCH_TBB
#define TBB_PREVIEW_CONCURRENT_LRU_CACHE 1
#include <oneapi/tbb/concurrent_hash_map.h>
#include <oneapi/tbb/concurrent_lru_cache.h>

#include <atomic>
#include <iterator>
#include <memory>
#include <type_traits>
#endif

namespace seawall::bench {

template <class K, class V>
class seawall_subject {
 public:
  static constexpr const char* name = "seawall";

  explicit seawall_subject(std::size_t capacity)
      : cache_{{.name = "bench", .capacity = capacity, .ttl = std::chrono::hours{1}}} {}

  template <class Q>
  bool get(const Q& key, V& into) {
    return cache_.get(key, into);
  }
  void put(K key, V value) { cache_.put(std::move(key), std::move(value)); }
  std::size_t size() const { return cache_.size(); }
  void clear() { cache_.clear(); }

 private:
  local_cache<K, V> cache_;
};

/// A map, a list in order of use, and a mutex.
template <class K, class V>
class mutex_lru {
 public:
  static constexpr const char* name = "mutex-lru";

  explicit mutex_lru(std::size_t capacity) : capacity_(capacity) {}

  template <class Q>
  bool get(const Q& key, V& into) {
    const std::lock_guard lock{mutex_};
    const auto found = where_.find(key);
    if (found == where_.end()) return false;
    order_.splice(order_.begin(), order_, found->second);
    into = found->second->second;
    return true;
  }

  void put(K key, V value) {
    const std::lock_guard lock{mutex_};
    const auto [found, added] = where_.try_emplace(key);
    if (!added) {
      found->second->second = std::move(value);
      order_.splice(order_.begin(), order_, found->second);
      return;
    }
    order_.emplace_front(std::move(key), std::move(value));
    found->second = order_.begin();
    if (where_.size() > capacity_) {
      where_.erase(order_.back().first);
      order_.pop_back();
    }
  }

  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return where_.size();
  }

  void clear() {
    const std::lock_guard lock{mutex_};
    where_ = {};
    order_ = {};
  }

 private:
  using entries = std::list<std::pair<K, V>>;

  mutable std::mutex mutex_;
  entries order_;                                                                          // guarded by mutex_
  std::unordered_map<K, typename entries::iterator, peer_hash, std::equal_to<>> where_;  // guarded by mutex_
  const std::size_t capacity_;
};

#ifdef SEAWALL_BENCH_TBB

/// oneTBB's concurrent map, and the order of use in a list behind a mutex.
template <class K, class V>
class tbb_hash_mutex_lru {
 public:
  static constexpr const char* name = "tbb-hash+mutex-lru";

  explicit tbb_hash_mutex_lru(std::size_t capacity) : capacity_(capacity) {}

  template <class Q>
  bool get(const Q& key, V& into) {
    typename map::const_accessor found;
    if (!map_.find(found, key)) return false;
    into = found->second.value;
    const std::lock_guard lock{mutex_};
    // A node that was chosen to go waits outside the list until its entry is out of the map.
    if (found->second.at->listed) order_.splice(order_.begin(), order_, found->second.at);
    return true;
  }

  void put(K key, V value) {
    std::list<node> going;
    {
      typename map::accessor place;
      const bool added = map_.insert(place, key);
      place->second.value = std::move(value);
      const std::lock_guard lock{mutex_};
      if (!added) {
        if (place->second.at->listed) order_.splice(order_.begin(), order_, place->second.at);
        return;
      }
      order_.push_front({std::move(key), true});
      place->second.at = order_.begin();
      if (order_.size() > capacity_) {
        order_.back().listed = false;
        going.splice(going.begin(), order_, std::prev(order_.end()));
      }
    }
    for (const node& one : going) map_.erase(one.key);
  }

  std::size_t size() const { return map_.size(); }

 private:
  struct node {
    K key;
    bool listed;  // guarded by mutex_
  };
  struct entry {
    V value{};
    typename std::list<node>::iterator at{};
  };
  struct hash_compare {
    using is_transparent = void;
    template <class Q>
    std::size_t hash(const Q& key) const noexcept {
      return peer_hash{}(key);
    }
    template <class A, class B>
    bool equal(const A& a, const B& b) const noexcept {
      return a == b;
    }
  };
  using map = tbb::concurrent_hash_map<K, entry, hash_compare>;

  map map_;
  std::mutex mutex_;
  std::list<node> order_;  // guarded by mutex_
  const std::size_t capacity_;
};

/// oneTBB's own LRU cache, a preview. It makes values itself: every get is answered, `misses` tells how many were made.
template <class K, class V>
class tbb_lru {
 public:
  static constexpr const char* name = "tbb-lru";

  explicit tbb_lru(std::size_t capacity) : cache_({misses_.get()}, capacity) {}

  template <class Q>
  bool get(const Q& key, V& into) {
    auto handle = cache_[K(key)];
    into = handle.value();
    return true;
  }

  std::uint64_t misses() const { return misses_->load(); }

 private:
  struct maker {
    std::atomic<std::uint64_t>* misses;
    V operator()(const K& key) const {
      misses->fetch_add(1, std::memory_order_relaxed);
      if constexpr (std::is_same_v<K, std::string>) return V{number_in(key)};
      else return V{key};
    }
  };

  std::unique_ptr<std::atomic<std::uint64_t>> misses_ = std::make_unique<std::atomic<std::uint64_t>>(0);
  tbb::concurrent_lru_cache<K, V, maker> cache_;
};

#endif

}  // namespace seawall::bench

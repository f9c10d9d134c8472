// What is measured: Seawall, and the cache that people write by hand. Both map 8-byte keys to shared 64-byte rows and
// offer the same few functions.
#pragma once

#include "seawall/cache.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace seawall::bench {

struct row {
  std::uint64_t id = 0;
  char rest[56] = {};
};

using row_ptr = std::shared_ptr<const row>;

/// The row in an answer of either subject, or null.
inline const row* row_of(const row_ptr& answer) noexcept { return answer.get(); }
inline const row* row_of(const result<row_ptr>& answer) noexcept { return answer ? answer->get() : nullptr; }

class seawall_subject {
 public:
  static constexpr const char* name = "seawall";

  explicit seawall_subject(std::size_t capacity)
      : rows{{.name = "bench", .capacity = capacity, .ttl = std::chrono::hours{1}}} {}

  auto get(std::uint64_t key) { return rows.get(key); }
  template <class Loader>
  auto get_or_load(std::uint64_t key, Loader&& loader) {
    return rows.get_or_load(key, loader);
  }
  /// Answers the callers and stores nothing, so that the key stays missing.
  template <class Loader>
  auto load_only(std::uint64_t key, Loader&& loader) {
    return rows.get_or_load(key, loader, {.no_store = true});
  }
  void put(std::uint64_t key, const row& value) { rows.put(key, value); }

  /// Callers so far that were answered by another caller's load.
  std::uint64_t joined() const { return rows.stats().total.coalesced; }

  cache<std::uint64_t, row> rows;
};

/// A map, an LRU list and a mutex; a TTL that is checked on each get; one shared_future for each key that is loading.
/// Nobody's wait has a limit, an invalidation would not stop a load from storing, and nothing is counted but `joined`.
class hand_written {
 public:
  static constexpr const char* name = "hand-written";

  explicit hand_written(std::size_t capacity) : capacity_(capacity) {}

  row_ptr get(std::uint64_t key) {
    const std::lock_guard lock{mutex_};
    return find_locked(key);
  }

  template <class Loader>
  row_ptr get_or_load(std::uint64_t key, Loader&& loader) {
    return load(key, loader, true);
  }
  template <class Loader>
  row_ptr load_only(std::uint64_t key, Loader&& loader) {
    return load(key, loader, false);
  }

  void put(std::uint64_t key, const row& value) {
    auto shared = std::make_shared<const row>(value);
    const std::lock_guard lock{mutex_};
    put_locked(key, std::move(shared));
  }

  std::uint64_t joined() const {
    const std::lock_guard lock{mutex_};
    return joined_;
  }

 private:
  struct entry {
    std::uint64_t key;
    row_ptr value;
    std::chrono::steady_clock::time_point expires;
  };

  row_ptr find_locked(std::uint64_t key) {
    const auto found = where_.find(key);
    if (found == where_.end()) return nullptr;
    if (std::chrono::steady_clock::now() >= found->second->expires) {
      order_.erase(found->second);
      where_.erase(found);
      return nullptr;
    }
    order_.splice(order_.begin(), order_, found->second);
    return found->second->value;
  }

  void put_locked(std::uint64_t key, row_ptr value) {
    const auto expires = std::chrono::steady_clock::now() + std::chrono::hours{1};
    if (const auto found = where_.find(key); found != where_.end()) {
      found->second->value = std::move(value);
      found->second->expires = expires;
      order_.splice(order_.begin(), order_, found->second);
      return;
    }
    order_.push_front({key, std::move(value), expires});
    where_.emplace(key, order_.begin());
    if (where_.size() > capacity_) {
      where_.erase(order_.back().key);
      order_.pop_back();
    }
  }

  template <class Loader>
  row_ptr load(std::uint64_t key, Loader& loader, bool store) {
    std::unique_lock lock{mutex_};
    if (row_ptr found = find_locked(key)) return found;
    if (const auto running = loading_.find(key); running != loading_.end()) {
      const std::shared_future<row_ptr> answer = running->second;
      ++joined_;
      lock.unlock();
      return answer.get();
    }
    std::promise<row_ptr> promise;
    loading_.emplace(key, promise.get_future().share());
    lock.unlock();
    try {
      auto value = std::make_shared<const row>(loader(key));
      lock.lock();
      if (store) put_locked(key, value);
      loading_.erase(key);
      lock.unlock();
      promise.set_value(value);
      return value;
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      loading_.erase(key);
      lock.unlock();
      promise.set_exception(std::current_exception());
      throw;
    }
  }

  mutable std::mutex mutex_;
  std::list<entry> order_;                                              // guarded by mutex_; newest use first
  std::unordered_map<std::uint64_t, std::list<entry>::iterator> where_;  // guarded by mutex_
  std::map<std::uint64_t, std::shared_future<row_ptr>> loading_;        // guarded by mutex_
  std::uint64_t joined_ = 0;                                            // guarded by mutex_
  const std::size_t capacity_;
};

}  // namespace seawall::bench

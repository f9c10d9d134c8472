// invalidated_by_writes: the cache of a write-behind's options.
// Thread safety: as the cache's.
#pragma once

#include <functional>
#include <span>

namespace seawall {

/// What is to hear that a key has changed: a pointer to a cache, which must outlive the write-behind. What it throws is
/// caught: a cache that fails does not fail the write.
template <class K>
class invalidated_by_writes {
 public:
  invalidated_by_writes() noexcept {}
  template <class Cache>
    requires requires(Cache& cache, const K& key) { cache.invalidate(key); }
  invalidated_by_writes(Cache* cache)
      : tell_([cache](std::span<const K> keys) {
          if constexpr (requires { cache->invalidate_many(keys); }) {
            if (keys.size() > 1) return static_cast<void>(cache->invalidate_many(keys));  // one round trip
          }
          for (const K& key : keys) cache->invalidate(key);
        }) {}

  /// Whether there is one.
  explicit operator bool() const noexcept { return tell_ != nullptr; }
  void operator()(const K& key) const noexcept { all({&key, 1}); }
  void all(std::span<const K> keys) const noexcept {
    if (!tell_) return;
    try {
      tell_(keys);
    } catch (...) {  // there is nobody to tell, and the write stands
    }
  }

 private:
  std::function<void(std::span<const K>)> tell_;
};

}  // namespace seawall

// pending_invalidations: collects, in the code path of a write, the keys that it changes, lists and derived keys
// included, and drops them from their caches after the commit. Invalidating before the commit would let a reader cache
// the old row again (mission trap 10), so nothing happens until `apply`; without it (an exception, a rollback) nothing
// happens at all.
//
//   seawall::pending_invalidations stale;
//   stale.add(products, id);
//   stale.add(lists, category_of(id));
//   transaction.commit();
//   stale.apply();
//
// Thread safety: one thread at a time. The caches must outlive it.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace seawall {

class pending_invalidations {
 public:
  pending_invalidations() = default;
  pending_invalidations(pending_invalidations&&) = default;
  pending_invalidations& operator=(pending_invalidations&&) = default;

  /// Remembers a key of a cache.
  template <class Cache>
  void add(Cache& from, typename Cache::key_type key) {
    actions_.push_back([&from, which = std::move(key)] { from.invalidate(which); });
  }

  /// Remembers to clear a whole cache.
  template <class Cache>
  void add_all(Cache& from) {
    actions_.push_back([&from] { from.clear(); });
  }

  /// To be called after the commit: invalidates everything that was added, in that order, and forgets it.
  void apply() {
    for (auto& action : std::exchange(actions_, {})) action();
  }

  /// Forgets everything: the write was rolled back. The destructor does the same.
  void discard() noexcept { actions_.clear(); }

  std::size_t size() const noexcept { return actions_.size(); }

 private:
  std::vector<std::move_only_function<void()>> actions_;
};

}  // namespace seawall

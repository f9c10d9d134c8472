// Which loads the current thread is inside of, so that a loader that asks the cache for the key it is loading is told
// so instead of waiting for itself. A driver opens a scope around each call of a loader.
#pragma once

namespace seawall::detail {

/// One load; chained to the loads it runs inside of.
struct running_load {
  const void* cache;  ///< The core of the cache.
  const void* key;    ///< A K of that cache.
  const running_load* outer;
};

/// The innermost load of this thread, or null.
const running_load* current_load() noexcept;

/// Makes `load` the innermost one of this thread for the life of the scope. `load` must outlive it.
class running_load_scope {
 public:
  explicit running_load_scope(const running_load* load) noexcept;
  ~running_load_scope();
  running_load_scope(const running_load_scope&) = delete;
  running_load_scope& operator=(const running_load_scope&) = delete;

 private:
  const running_load* before_;
};

}  // namespace seawall::detail

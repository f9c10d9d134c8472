// Which loads the current thread is inside of, so that a loader that asks the cache for the key it is loading is told
// so instead of waiting for itself. A driver marks a load, and opens a scope around each piece of its loader that runs.
// A mark may be seen after its load has ended (by work that the loader started and left behind), so it is shared.
// Thread safety: a scope belongs to its thread; a mark may be read from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace seawall::detail {

class running_load : public std::enable_shared_from_this<running_load> {
 public:
  /// `flight` owns `key`, a K of the cache whose core is `cache`; `outer` is the load around this one, or null.
  running_load(const void* cache, std::shared_ptr<const void> flight, const void* key,
               std::shared_ptr<const running_load> outer)
      : cache_(cache), flight_(std::move(flight)), key_(key), outer_(std::move(outer)) {}

  const void* cache() const noexcept { return cache_; }
  const void* key() const noexcept { return key_; }
  const running_load* outer() const noexcept { return outer_.get(); }
  bool is_running() const noexcept { return running_.load(std::memory_order_relaxed); }
  void end() noexcept { running_.store(false, std::memory_order_relaxed); }

 private:
  const void* const cache_;
  const std::shared_ptr<const void> flight_;
  const void* const key_;
  const std::shared_ptr<const running_load> outer_;
  std::atomic<bool> running_{true};  // relaxed: who sees it late is told of a recursion that just ended
};

/// Marks a load for as long as its loader runs.
class load_mark {
 public:
  explicit load_mark(std::shared_ptr<running_load> load) noexcept : load_(std::move(load)) {}
  load_mark(load_mark&&) noexcept = default;
  load_mark& operator=(load_mark&&) = delete;
  ~load_mark() {
    if (load_) load_->end();
  }
  const std::shared_ptr<running_load>& load() const noexcept { return load_; }

 private:
  std::shared_ptr<running_load> load_;
};

/// The innermost load of this thread that still runs, or null.
const running_load* current_load() noexcept;
/// The same, kept alive.
std::shared_ptr<const running_load> share_current_load();

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

// A cap on how many loads run at once, so that a slow source is not buried under its own callers. One belongs to each
// cache; another may be shared by all caches in front of one source. Thread safety: all members, from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace seawall {

class bulkhead {
 public:
  explicit bulkhead(std::size_t limit) : limit_(limit) {}

  /// The right to run one load; gives it back when destroyed.
  class permit {
   public:
    permit() = default;
    permit(permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    permit& operator=(permit&& other) noexcept {
      permit taken{std::move(other)};
      owner_.swap(taken.owner_);
      return *this;
    }
    ~permit() {
      if (owner_) owner_->running_.fetch_sub(1, std::memory_order_relaxed);
    }
    explicit operator bool() const noexcept { return owner_ != nullptr; }

   private:
    friend class bulkhead;
    explicit permit(std::shared_ptr<bulkhead> owner) noexcept : owner_(std::move(owner)) {}
    std::shared_ptr<bulkhead> owner_;
  };

  /// A permit of `from`, or an empty one when all are taken. Never waits.
  static permit try_acquire(const std::shared_ptr<bulkhead>& from) {
    std::size_t running = from->running_.load(std::memory_order_relaxed);
    while (running < from->limit_) {
      if (from->running_.compare_exchange_weak(running, running + 1, std::memory_order_relaxed)) return permit{from};
    }
    return {};
  }

  std::size_t limit() const noexcept { return limit_; }
  /// Loads that hold a permit now.
  std::size_t running() const noexcept { return running_.load(std::memory_order_relaxed); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> running_{0};  // relaxed: a counter, it publishes nothing
};

/// What a load, or a batch of them, holds while it runs.
struct load_permits {
  bulkhead::permit of_cache;
  bulkhead::permit of_source;
  std::shared_ptr<void> of_schedule;  ///< See fresh_schedule::try_begin.
};

}  // namespace seawall

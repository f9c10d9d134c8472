// Gives back the memory of expired entries by a timer of the clock, without anyone touching a key. Idle while nothing
// can expire. `Owner` has `local::engine`'s sweep(now, chunks) as `sweep`, and is held weakly.
// Thread safety: `expect` may be called from any thread.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/local/small_mutex.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace seawall::local {

template <class Owner>
class sweeper {
 public:
  explicit sweeper(std::shared_ptr<clock> time) : clock_(std::move(time)) {}
  sweeper(const sweeper&) = delete;
  sweeper& operator=(const sweeper&) = delete;
  ~sweeper() {
    if (timer_ != 0) clock_->cancel(timer_);
  }

  /// An entry with this deadline was stored.
  void expect(const std::shared_ptr<Owner>& owner, time_point deadline) {
    // A sweep looks at whole chunks, so it does not come for each entry by itself.
    if (deadline.time_since_epoch().count() >= next_.load(std::memory_order_relaxed) - slack) [[likely]] return;
    arm(owner, std::max(deadline, after(clock_->now(), pause)));
  }

  /// When the timer is set for; `never` when it is not.
  time_point next() const noexcept { return time_point{duration{next_.load(std::memory_order_relaxed)}}; }

 private:
  static constexpr duration pause = std::chrono::milliseconds{100};  // between two sweeps
  static constexpr duration breath = std::chrono::milliseconds{2};    // between two pieces of one
  static constexpr std::int64_t slack = duration{std::chrono::milliseconds{100}}.count();
  static constexpr std::size_t piece = 64;  // chunks

  void arm(const std::shared_ptr<Owner>& owner, time_point when) {
    const std::lock_guard lock{mutex_};
    const std::int64_t moment = when.time_since_epoch().count();
    if (moment >= next_.load(std::memory_order_relaxed)) return;
    if (timer_ != 0) clock_->cancel(timer_);
    next_.store(moment, std::memory_order_relaxed);
    timer_ = clock_->call_at(when, [weak = std::weak_ptr<Owner>(owner), this] {
      if (const auto alive = weak.lock()) run(alive);
    });
  }

  void run(const std::shared_ptr<Owner>& owner) {
    {
      // From here on a new entry sets a timer of its own; what was stored before is seen by the sweep.
      const std::lock_guard lock{mutex_};
      next_.store(INT64_MAX, std::memory_order_relaxed);
      timer_ = 0;
    }
    const time_point now = clock_->now();
    const time_point next = owner->sweep(now, piece);
    if (next != never) arm(owner, next <= now ? after(now, breath) : std::max(next, after(now, pause)));
  }

  const std::shared_ptr<clock> clock_;
  small_mutex mutex_;
  clock::timer_id timer_ = 0;                 // guarded by mutex_
  std::atomic<std::int64_t> next_{INT64_MAX};  // written under mutex_
};

}  // namespace seawall::local

// A clock that stands still until it is told to move. For tests: TTLs, deadlines and back-off pass without waiting.
//   auto clock = std::make_shared<seawall::manual_clock>();
//   seawall::cache<int, std::string> names{{.ttl = 1min, .clock = clock}};
//   clock->advance(61s);
// Thread safety: all members may be called from any thread.
#pragma once

#include "seawall/base/timer_queue.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace seawall {

class manual_clock final : public clock {
 public:
  explicit manual_clock(time_point start = time_point{} + std::chrono::hours{1}) : now_(start) {}

  time_point now() const noexcept override {
    const std::lock_guard lock{mutex_};
    return now_;
  }

  /// Moves time forward and runs, on this thread and in order, the timers that fall due; each sees its own time as now.
  void advance(duration span) { advance_to(after(now(), span)); }

  void advance_to(time_point target) {
    std::unique_lock lock{mutex_};
    while (timers_.next() <= target && timers_.next() != never) {
      now_ = std::max(now_, timers_.next());
      auto fn = timers_.take_first();
      lock.unlock();
      fn();
      fn = nullptr;
      lock.lock();
    }
    now_ = std::max(now_, target);
  }

  /// When the next timer is due, or `never`: a simulation jumps from one to the next.
  time_point next_timer() const {
    const std::lock_guard lock{mutex_};
    return timers_.next();
  }

  timer_id call_at(time_point when, callback fn) override {
    const std::lock_guard lock{mutex_};
    return timers_.add(when, std::move(fn));
  }

  bool cancel(timer_id id) override {
    callback removed;
    const std::lock_guard lock{mutex_};
    removed = timers_.remove(id);
    return removed != nullptr;
  }

 private:
  mutable std::mutex mutex_;
  time_point now_;      // guarded by mutex_
  timer_queue timers_;  // guarded by mutex_
};

}  // namespace seawall

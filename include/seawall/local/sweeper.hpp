// Gives back the memory of expired entries by a timer of the clock, without anyone touching a key. Idle while nothing
// can expire. `Owner` has `local::engine`'s sweep(now, chunks) as `sweep`, and outlives the sweeper; after `stop`,
// which the destructor calls too, nothing of the user's is called any more.
// Thread safety: `expect` and `next` may be called from any thread. The owner is not to be destroyed by a listener that
// a sweep has called.
#pragma once

#include "seawall/base/clock.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace seawall::local {

template <class Owner>
class sweeper {
 public:
  sweeper(std::shared_ptr<clock> time, Owner* owner)
      : clock_(std::move(time)), state_(std::make_shared<shared_state>(owner)) {}
  sweeper(const sweeper&) = delete;
  sweeper& operator=(const sweeper&) = delete;
  ~sweeper() { stop(); }

  /// Ends sweeping for good, and waits for a sweep that is running. May be called more than once.
  void stop() {
    clock::timer_id timer = 0;
    {
      std::unique_lock lock{state_->mutex};
      state_->owner = nullptr;
      state_->ended.wait(lock, [&] { return !state_->running; });
      timer = std::exchange(state_->timer, 0);
    }
    if (timer != 0) clock_->cancel(timer);
  }

  /// An entry with this deadline was stored.
  void expect(time_point deadline) {
    const std::int64_t moment = deadline.time_since_epoch().count();
    // A sweep looks at whole chunks, so it does not come for each entry by itself.
    const std::int64_t next = state_->next.load(std::memory_order_relaxed);
    if (next != INT64_MAX && moment >= next - slack) [[likely]] return;
    if (next == INT64_MAX && deadline == never) return;
    arm(*clock_, state_, std::max(deadline, after(clock_->now(), pause)));
  }

  /// When the timer is set for; `never` when it is not.
  time_point next() const noexcept { return time_point{duration{state_->next.load(std::memory_order_relaxed)}}; }

 private:
  static constexpr duration pause = std::chrono::milliseconds{100};  // between two sweeps
  static constexpr duration breath = std::chrono::milliseconds{2};    // between two pieces of one
  static constexpr std::int64_t slack = duration{std::chrono::milliseconds{100}}.count();
  static constexpr std::size_t piece = 64;  // chunks

  // What the timer's callback holds: it may fire when the sweeper is gone.
  struct shared_state {
    explicit shared_state(Owner* of) : owner(of) {}
    std::mutex mutex;
    std::condition_variable ended;
    Owner* owner;                             // guarded by mutex; null: gone
    bool running = false;                     // guarded by mutex
    bool again = false;                       // guarded by mutex: the timer fired while it was running
    clock::timer_id timer = 0;                // guarded by mutex
    std::atomic<std::int64_t> next{INT64_MAX};  // written under mutex
  };

  static void arm(clock& time, const std::shared_ptr<shared_state>& state, time_point when) {
    const std::lock_guard lock{state->mutex};
    const std::int64_t moment = when.time_since_epoch().count();
    if (state->owner == nullptr || moment >= state->next.load(std::memory_order_relaxed)) return;
    if (state->timer != 0) time.cancel(state->timer);
    state->next.store(moment, std::memory_order_relaxed);
    state->timer = time.call_at(when, [state, &time] { run(time, state); });
  }

  // The clock outlives its callbacks, and the owner is there while `running` says so.
  static void run(clock& time, const std::shared_ptr<shared_state>& state) {
    Owner* owner = nullptr;
    {
      // From here on a new entry sets a timer of its own; what was stored before is seen by the sweep.
      const std::lock_guard lock{state->mutex};
      if (state->owner == nullptr) return;
      state->next.store(INT64_MAX, std::memory_order_relaxed);
      state->timer = 0;
      if (std::exchange(state->running, true)) {  // on another thread of the clock, which will see to it
        state->again = true;
        return;
      }
      owner = state->owner;
    }
    const time_point now = time.now();
    const time_point next = owner->sweep(now, piece);
    if (next != never) arm(time, state, next <= now ? after(now, breath) : std::max(next, after(now, pause)));
    bool again = true;
    while (again) {
      std::unique_lock lock{state->mutex};
      again = std::exchange(state->again, false);
      if (!again) {
        state->running = false;
        state->ended.notify_all();
        return;
      }
      lock.unlock();
      arm(time, state, after(now, pause));
    }
  }

  const std::shared_ptr<clock> clock_;
  const std::shared_ptr<shared_state> state_;
};

}  // namespace seawall::local

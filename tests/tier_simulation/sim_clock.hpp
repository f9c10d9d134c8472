// sim_clock: the clock of one simulated process. Time is the world's; a timer fires when the scheduler lets it, never
// before it is due and perhaps long after.
#pragma once

#include "seawall/base/timer_queue.hpp"

#include <utility>

namespace simulation {

class sim_clock final : public seawall::clock {
 public:
  sim_clock(const seawall::time_point& now, seawall::duration lag) : now_(now), lag_(lag) {}

  seawall::time_point now() const noexcept override { return now_; }
  seawall::time_point read_coarse() const noexcept override {
    return lag_ == seawall::duration::zero() ? now_ : now_ - now_.time_since_epoch() % lag_;
  }
  seawall::duration coarse_lag() const noexcept override { return lag_; }
  timer_id call_at(seawall::time_point when, callback fn) override { return timers_.add(when, std::move(fn)); }
  bool cancel(timer_id id) override {
    const callback removed = timers_.remove(id);
    return removed != nullptr;
  }

  seawall::time_point next() const { return timers_.next(); }
  /// Requires: next() has come.
  void fire_one() {
    auto due = timers_.take_first();
    due();
  }

 private:
  const seawall::time_point& now_;
  const seawall::duration lag_;
  seawall::timer_queue timers_;
};

}  // namespace simulation

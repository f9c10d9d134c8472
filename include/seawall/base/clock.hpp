// Time as the library sees it: a monotonic clock that can also call back. Everything that waits or expires asks the
// clock it was given, so a test drives a whole cache through years in microseconds with `manual_clock`.
// Thread safety: all members may be called from any thread.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace seawall {

using duration = std::chrono::nanoseconds;
using time_point = std::chrono::time_point<std::chrono::steady_clock, duration>;

/// "Never": later than every deadline.
inline constexpr time_point never = time_point::max();
/// A duration that no deadline reaches; the explicit way to ask for an entry without a TTL.
inline constexpr duration forever = duration::max();

/// `base + span` without overflow: the sum, or `never`. `base` may lie before the clock began.
constexpr time_point after(time_point base, duration span) noexcept {
  return span >= never - std::max(base, time_point{}) ? never : base + span;
}

class clock {
 public:
  using timer_id = std::uint64_t;
  using callback = std::move_only_function<void()>;

  virtual ~clock() = default;

  /// The present moment.
  virtual time_point now() const noexcept = 0;

  /// A moment in [now() - coarse_lag(), now()], cheaper to read: what lies after `coarse_now() + coarse_lag()` is
  /// surely in the future, so most expiry checks never read the precise clock.
  time_point coarse_now() const noexcept {
    if (kernel_ == nullptr) return read_coarse();
    timespec value;
    kernel_(CLOCK_MONOTONIC_COARSE, &value);
    return of(value);
  }
  virtual duration coarse_lag() const noexcept { return duration::zero(); }

  /// Runs `fn` once, at or soon after `when`, on a thread of the clock. `fn` must be short and must not throw.
  virtual timer_id call_at(time_point when, callback fn) = 0;

  /// True when the timer was removed before its callback began. False: it has run, or is running now.
  virtual bool cancel(timer_id id) = 0;

 protected:
  using kernel_function = int (*)(clockid_t, timespec*);

  clock() noexcept = default;
  /// Of the kernel's own clock: what coarse_now() calls, in place of read_coarse().
  explicit clock(kernel_function kernel) noexcept : kernel_(kernel) {}

  static constexpr time_point of(const timespec& value) noexcept {
    return time_point{std::chrono::seconds{value.tv_sec} + std::chrono::nanoseconds{value.tv_nsec}};
  }

 private:
  virtual time_point read_coarse() const noexcept { return now(); }

  const kernel_function kernel_ = nullptr;
};

/// The machine's monotonic clock (CLOCK_MONOTONIC; its coarse variant for `coarse_now`). The thread behind `call_at`
/// starts with the first timer.
std::shared_ptr<clock> make_steady_clock();

}  // namespace seawall

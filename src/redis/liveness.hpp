// liveness: when a silent connection is asked for a sign of life, and when it is given up.
#pragma once

#include "seawall/base/clock.hpp"

namespace seawall::redis {

/// PING goes out after one interval without a byte from the server, and the peer is dead after a second one; so a dead
/// peer is noticed within two intervals, whether commands are in flight or not.
/// Thread safety: none.
class liveness {
 public:
  enum class action { nothing, ping, dead };

  explicit liveness(duration interval) : interval_(interval) {}

  /// Bytes came from the server (or the connection was made).
  void heard(time_point now) noexcept {
    last_ = now;
    asked_ = false;
  }

  /// When to call `tick`.
  time_point next() const noexcept { return after(last_, asked_ ? interval_ * 2 : interval_); }

  action tick(time_point now) noexcept {
    if (now < next()) return action::nothing;
    if (asked_) return action::dead;
    asked_ = true;
    return action::ping;
  }

 private:
  const duration interval_;
  time_point last_{};
  bool asked_ = false;  // a PING went out since `last_`
};

}  // namespace seawall::redis

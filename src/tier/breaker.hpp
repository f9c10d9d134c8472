// breaker: stops calling a store that fails, and tries again from time to time. A machine: no threads, no clock.
//
// Each call is let through with a permit, and ends with exactly one of succeeded, failed and dropped. A permit belongs
// to the state that gave it: calls that were made before the breaker opened, and end after that, are counted but decide
// nothing; so a late timeout does not open it again, and there is never more than one probe.
#pragma once

#include "seawall/base/random.hpp"
#include "seawall/tier/tuning.hpp"

#include <array>
#include <cstdint>

namespace seawall::tier {

/// Thread safety: none; its owner guards it. A moment that goes back is taken as the latest one that was told, and one
/// before the clock's zero as zero.
class breaker {
 public:
  /// One call that goes, or, false, that does not.
  class permit {
   public:
    permit() = default;
    explicit operator bool() const noexcept { return epoch_ != 0; }

   private:
    friend class breaker;
    explicit permit(std::uint64_t epoch) noexcept : epoch_(epoch) {}
    std::uint64_t epoch_ = 0;
  };

  /// `how` is valid; `random` outlives the breaker.
  breaker(const breaker_options& how, random_source& random) : how_(how), random_(random) {}

  permit allow(time_point now) noexcept;

  /// The store answered, whatever it said.
  void succeeded(permit of, time_point now) noexcept;
  /// No answer came, or one that says that the store cannot work.
  void failed(permit of, time_point now) noexcept;
  /// The call ended without telling anything of the store: it was cancelled. After a probe, another call may be one.
  void dropped(permit of) noexcept;

  breaker_state state() const noexcept { return state_; }
  /// While it is open, from when on a call is let through as the probe; otherwise long ago.
  time_point retry_at() const noexcept { return state_ == breaker_state::open ? retry_at_ : time_point::min(); }
  const breaker_counters& counters() const noexcept { return counters_; }

 private:
  struct slice {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
  };

  void advance(time_point now) noexcept;
  bool too_many() const noexcept;
  void open() noexcept;
  void close() noexcept;

  static constexpr std::size_t slices = 10;

  const breaker_options how_;
  random_source& random_;
  breaker_state state_ = breaker_state::closed;
  std::uint64_t epoch_ = 1;  // permits of others are out of date
  bool probing_ = false;     // half-open: the one call is under way
  std::uint32_t in_a_row_ = 0;
  duration pause_{};         // the next one; zero: the first
  time_point retry_at_{};
  time_point now_{};
  std::int64_t slice_ = 0;   // the present one: moments divided by a tenth of the window
  std::array<slice, slices> window_{};
  breaker_counters counters_{};
};

}  // namespace seawall::tier

#include "breaker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seawall::tier {

result<void> validate(const breaker_options& how) {
  const auto wrong = [](const char* name, const char* limits) {
    return fail(errc::invalid_argument, fmt::format("breaker.{} must be {}", name, limits));
  };
  // Of a number that is none, both comparisons are false.
  if (!(how.failure_ratio >= 0 && how.failure_ratio <= 1)) return wrong("failure_ratio", "from 0 to 1");
  if (how.least_calls == 0) return wrong("least_calls", "more than zero");
  if (how.window < std::chrono::milliseconds{1}) return wrong("window", "at least a millisecond");
  if (how.first_pause <= duration::zero()) return wrong("first_pause", "more than zero");
  if (how.most_pause < how.first_pause || how.most_pause > std::chrono::hours{24}) {
    return wrong("most_pause", "at least first_pause and at most a day");
  }
  return {};
}

breaker::permit breaker::allow(time_point now) noexcept {
  if (!how_.enabled || state_ == breaker_state::closed) return permit{epoch_};
  advance(now);
  if (state_ == breaker_state::open && now_ >= retry_at_) {
    state_ = breaker_state::half_open;
    probing_ = false;
  }
  if (state_ == breaker_state::open || probing_) {
    ++counters_.refused;
    return {};
  }
  probing_ = true;
  ++counters_.probes;
  return permit{++epoch_};
}

void breaker::succeeded(permit of, time_point now) noexcept {
  if (!of) return;
  ++counters_.succeeded;
  if (!how_.enabled || of.epoch_ != epoch_) return;
  advance(now);
  if (state_ == breaker_state::half_open) close();
  in_a_row_ = 0;
  ++window_[static_cast<std::size_t>(slice_) % slices].calls;
}

void breaker::failed(permit of, time_point now) noexcept {
  if (!of) return;
  ++counters_.failed;
  if (!how_.enabled || of.epoch_ != epoch_) return;
  advance(now);
  if (state_ == breaker_state::half_open) return open();
  ++in_a_row_;
  slice& present = window_[static_cast<std::size_t>(slice_) % slices];
  ++present.calls;
  ++present.failures;
  if (too_many()) {
    ++counters_.opened;
    open();
  }
}

void breaker::dropped(permit of) noexcept {
  if (!of || of.epoch_ != epoch_ || state_ != breaker_state::half_open) return;
  probing_ = false;
}

/// Goes on to `now`, and empties the slices that lie further back than the window.
void breaker::advance(time_point now) noexcept {
  now_ = std::max(now_, now);
  const duration step = how_.window / static_cast<std::int64_t>(slices);
  const std::int64_t present = now_.time_since_epoch() / step;
  const std::int64_t passed = std::min<std::int64_t>(present - slice_, slices);
  for (std::int64_t i = 1; i <= passed; ++i) window_[static_cast<std::size_t>(slice_ + i) % slices] = {};
  slice_ = present;
}

bool breaker::too_many() const noexcept {
  if (how_.in_a_row != 0 && in_a_row_ >= how_.in_a_row) return true;
  if (how_.failure_ratio == 0) return false;
  slice all;
  for (const slice& one : window_) {
    all.calls += one.calls;
    all.failures += one.failures;
  }
  return all.calls >= how_.least_calls &&
         static_cast<double>(all.failures) >= how_.failure_ratio * static_cast<double>(all.calls);
}

void breaker::open() noexcept {
  state_ = breaker_state::open;
  probing_ = false;
  ++epoch_;
  const duration whole = pause_ == duration::zero() ? how_.first_pause : pause_;
  pause_ = whole > how_.most_pause / 2 ? how_.most_pause : whole * 2;
  const double kept = 1.0 - random_.uniform() / 2;
  retry_at_ = after(now_, duration{static_cast<duration::rep>(static_cast<double>(whole.count()) * kept)});
}

void breaker::close() noexcept {
  state_ = breaker_state::closed;
  probing_ = false;
  ++epoch_;
  in_a_row_ = 0;
  pause_ = duration::zero();
  window_.fill({});
}

}  // namespace seawall::tier

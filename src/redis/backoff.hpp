// backoff: how long to wait before the next attempt to connect.
#pragma once

#include "seawall/base/random.hpp"
#include "seawall/redis/options.hpp"

#include <algorithm>
#include <cstdint>

namespace seawall::redis {

/// Thread safety: none (the random source may be shared).
class backoff {
 public:
  backoff(const backoff_options& how, random_source& random) : how_(how), random_(random) {}

  /// The time to wait after one more failure.
  duration next() {
    const duration whole = next_ == duration::zero() ? how_.first : next_;
    next_ = std::min(how_.most, whole > how_.most / 2 ? how_.most : whole * 2);
    const double kept = 1.0 - random_.uniform() / 2;
    return duration{static_cast<duration::rep>(static_cast<double>(whole.count()) * kept)};
  }

  /// A connection was made and used.
  void reset() noexcept { next_ = duration::zero(); }

 private:
  const backoff_options how_;
  random_source& random_;
  duration next_{};
};

/// The time to wait before a request is sent again that a server refused, this being the refusal number `times` from 0.
inline duration refused_pause(random_source& random, std::uint32_t times) {
  backoff wait{{.first = std::chrono::milliseconds{10}, .most = std::chrono::milliseconds{500}}, random};
  duration next = wait.next();
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(times, 8); ++i) next = wait.next();
  return next;
}

}  // namespace seawall::redis

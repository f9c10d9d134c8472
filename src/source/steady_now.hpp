// The time of what waits on threads of its own: no clock of a cache is asked.
#pragma once

#include "seawall/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace seawall::source {

inline time_point steady_now() { return std::chrono::steady_clock::now(); }

/// For a condition variable, which is not to be asked to wait until the end of time.
inline time_point within_hour(time_point until) { return std::min(until, steady_now() + std::chrono::hours{1}); }

/// The pause after as many failures in a row as `times`, and one more: `most` at the longest.
inline duration doubled(duration first, duration most, std::int64_t times) {
  duration pause = std::min(first, most);
  for (; times > 0 && pause < most; --times) pause = pause > most / 2 ? most : 2 * pause;
  return pause;
}

}  // namespace seawall::source

// The time of what waits on threads of its own: no clock of a cache is asked.
#pragma once

#include "seawall/base/clock.hpp"

#include <algorithm>
#include <chrono>

namespace seawall::source {

inline time_point steady_now() { return std::chrono::steady_clock::now(); }

/// For a condition variable, which is not to be asked to wait until the end of time.
inline time_point within_hour(time_point until) { return std::min(until, steady_now() + std::chrono::hours{1}); }

}  // namespace seawall::source

// The time of what waits on threads of its own: no clock of a cache is asked.
#pragma once

#include "seawall/base/clock.hpp"

namespace seawall::source {

inline time_point steady_now() { return std::chrono::steady_clock::now(); }

}  // namespace seawall::source

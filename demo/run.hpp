// The demo from its start to its report, in the first process.
#pragma once

#include "options.hpp"

#include <atomic>

namespace seawall::demo {

inline constexpr int exit_failed = 1;
inline constexpr int exit_interrupted = 130;

/// The exit status. `stop` ends it early when it becomes true. Throws what is to be told to people.
int run(const demo_options& options, const std::atomic<bool>& stop);

}  // namespace seawall::demo

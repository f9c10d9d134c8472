// How many allocations the test program has made.
#pragma once

#include <cstddef>

namespace seawall::cmd {

std::size_t allocations_so_far();

}  // namespace seawall::cmd

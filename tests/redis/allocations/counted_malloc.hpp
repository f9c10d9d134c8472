// How often the test program has allocated memory, in all its threads.
#pragma once

#include <cstddef>

namespace seawall::redis {

std::size_t allocations_so_far();

}  // namespace seawall::redis

// What can be tuned of a tier: when payloads are compressed, when the breaker opens, how many invalidations wait.
#pragma once

#include "seawall/base/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace seawall::tier {

/// When payloads are stored as a zstd frame: if they are longer than `above` and get shorter by it.
struct compression {
  std::size_t above = 1024;  ///< Bytes; the largest number: never.
  int level = 1;             ///< Of zstd: negative is faster, above 3 is slower; what zstd does not have is clamped.
};

}  // namespace seawall::tier

// The time and the numbers that processes of a chaos run share.
#pragma once

#include <time.h>

#include <atomic>
#include <cstdint>

namespace chaos {

/// CLOCK_MONOTONIC, which all processes share; nanoseconds.
inline std::int64_t now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec;
}

inline constexpr std::int64_t millisecond = 1'000'000;

using number = std::atomic<std::uint64_t>;
using moment = std::atomic<std::int64_t>;
static_assert(number::is_always_lock_free && moment::is_always_lock_free, "shared by processes");

}  // namespace chaos

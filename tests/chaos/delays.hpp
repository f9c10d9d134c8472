// delays: how long something took, counted by process in the shared file: buckets of an eighth of a power of two.
#pragma once

#include "truth_numbers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace chaos {

struct delays {
  static constexpr std::size_t fine = 8;
  static constexpr std::size_t size = 64 * fine;

  std::array<number, size> counts;
  moment longest;

  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < fine) return ns;
    const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 1;
    return (power - 2) * fine + (ns >> (power - 3)) % fine;
  }
  /// The lower end of a bucket.
  static std::uint64_t begin_of(std::size_t bucket) noexcept {
    if (bucket < fine) return bucket;
    return (fine + bucket % fine) << (bucket / fine - 1);
  }

  void add(std::int64_t ns) noexcept {
    ++counts[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)))];
    std::int64_t before = longest.load();
    while (before < ns && !longest.compare_exchange_weak(before, ns)) {}
  }
};

}  // namespace chaos

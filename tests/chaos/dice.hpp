// dice: a small and fast source of chance for one thread (xorshift64*).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace chaos {

inline bool contains(const std::vector<std::uint64_t>& all, std::uint64_t one) {
  return std::ranges::find(all, one) != all.end();
}

class dice {
 public:
  explicit dice(std::uint64_t seed) noexcept : state_(seed * 0x9e3779b97f4a7c15U + 1) {
    for (int i = 0; i != 8; ++i) next();
  }

  std::uint64_t next() noexcept {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1dU;
  }
  /// Requires: limit > 0.
  std::uint64_t below(std::uint64_t limit) noexcept { return (next() >> 16) % limit; }
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }
  /// In [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Half of the time any key, else one of few that are asked for most.
  std::uint64_t key(std::uint64_t keys) noexcept {
    if (one_in(2)) return below(keys);
    const double u = uniform();
    return static_cast<std::uint64_t>(static_cast<double>(keys) * u * u * u);
  }

 private:
  std::uint64_t state_;
};

}  // namespace chaos

// Random keys for the benchmarks: xoshiro256**, and Zipf's law by rejection-inversion (Hoermann and Derflinger 1996),
// which needs no table, so a million keys cost as little as ten. The same seed gives the same keys everywhere.
// Thread safety: none; a thread has its own.
#pragma once

#include "seawall/base/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace seawall::bench {

/// A key that looks like any other; the same as splitmix64's output for the state `number`.
constexpr std::uint64_t scramble(std::uint64_t number) noexcept { return mix64(number + 0x9e3779b97f4a7c15); }

class xoshiro {
 public:
  explicit xoshiro(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) word = seed = scramble(seed);
  }

  std::uint64_t next() noexcept {
    const std::uint64_t answer = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return answer;
  }

  /// In [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

/// Ranks 1..count; rank r comes with a probability in proportion to r^-exponent.
class zipf {
 public:
  zipf(double exponent, std::uint64_t count) noexcept
      : exponent_(exponent),
        count_(count),
        low_(area(1.5) - 1),
        high_(area(static_cast<double>(count) + 0.5)),
        shortcut_(2 - area_inverse(area(2.5) - height(2))) {}

  std::uint64_t operator()(xoshiro& random) const noexcept {
    for (;;) {
      const double u = high_ + random.uniform() * (low_ - high_);
      const double x = area_inverse(u);
      const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(x + 0.5), 1, count_);
      const auto k = static_cast<double>(rank);
      if (k - x <= shortcut_ || u >= area(k + 0.5) - height(k)) return rank;
    }
  }

 private:
  double height(double x) const noexcept { return std::exp(-exponent_ * std::log(x)); }

  // The integral of `height`, and its inverse; both pass exponent 1 without a division by zero.
  double area(double x) const noexcept {
    const double log_x = std::log(x);
    return expm1_ratio((1 - exponent_) * log_x) * log_x;
  }
  double area_inverse(double u) const noexcept {
    const double t = std::max(u * (1 - exponent_), -1.0);
    return std::exp(log1p_ratio(t) * u);
  }
  static double expm1_ratio(double x) noexcept {
    return std::fabs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2 * (1 + x / 3 * (1 + x / 4));
  }
  static double log1p_ratio(double x) noexcept {
    return std::fabs(x) > 1e-8 ? std::log1p(x) / x : 1 - x * (0.5 - x * (1.0 / 3 - x / 4));
  }

  double exponent_;
  std::uint64_t count_;
  double low_;
  double high_;
  double shortcut_;
};

}  // namespace seawall::bench

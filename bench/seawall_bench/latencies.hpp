// How long operations took, in buckets.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace seawall::bench {

/// How long operations took: buckets 1/32 of a power of two wide, so a figure is at most 3 % too low.
class latencies {
 public:
  void add(std::chrono::nanoseconds time) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    ++counts_[std::min(bucket_of(ns), counts_.size() - 1)];
    ++count_;
    max_ = std::max(max_, ns);
  }

  void add(const latencies& other) noexcept {
    for (std::size_t i = 0; i != counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

  /// The latency that `share` of the operations did not exceed.
  double microseconds(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i != counts_.size(); ++i) {
      below += counts_[i];
      if (below > wanted) return 1e-3 * static_cast<double>(least_of(i));
    }
    return max_microseconds();
  }
  double max_microseconds() const noexcept { return 1e-3 * static_cast<double>(max_); }

 private:
  static constexpr std::size_t bits = 5;
  static constexpr std::size_t parts = std::size_t{1} << bits;

  static std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < parts) return static_cast<std::size_t>(ns);
    const auto shift = static_cast<std::size_t>(std::bit_width(ns)) - 1 - bits;
    return (shift << bits) + static_cast<std::size_t>(ns >> shift);
  }
  static std::uint64_t least_of(std::size_t bucket) noexcept {
    if (bucket < 2 * parts) return bucket;
    const std::size_t shift = (bucket >> bits) - 1;
    return static_cast<std::uint64_t>(parts + (bucket & (parts - 1))) << shift;
  }

  std::array<std::uint64_t, 36 * parts> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace seawall::bench

// histogram: how long things took, in nanoseconds, in 320 log-linear buckets; histogram_snapshot: a plain copy to read.
//
// Durations below 16 ns have a bucket of their own; above, 8 buckets per power of two, so that the upper bound of a
// bucket is less than 12.5 % above anything in it. The last bucket holds everything from 2^41 * 15/8 ns (69 min) up.
// A negative duration counts as 0. The sum wraps at 2^64 ns (584 years).
//
// Thread safety: record() and snapshot() may be called at the same time by any threads; nothing blocks or allocates.
// Every access is memory_order_relaxed: a snapshot is weakly consistent (a sample recorded at the same time may be in
// the count and not yet in the sum) and exact for every record() that happened before it.
// Cost: two atomic adds on lines that all threads share. Sample very hot paths (cache_recorder::sample_lookup).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace seawall {

/// The layout that `histogram` and `histogram_snapshot` share.
struct histogram_layout {
  static constexpr std::size_t sub_bits = 3;                     ///< 2^3 buckets per power of two
  static constexpr std::size_t sub_buckets = 1U << sub_bits;
  static constexpr std::size_t max_exponent = 41;                ///< the last power of two with buckets of its own
  static constexpr std::size_t buckets = (max_exponent - sub_bits + 2) * sub_buckets;

  /// The bucket that a duration falls into.
  static constexpr std::size_t bucket_of(std::chrono::nanoseconds time) noexcept {
    if (time.count() <= 0) return 0;
    const auto ns = static_cast<std::uint64_t>(time.count());
    if (ns < sub_buckets) return static_cast<std::size_t>(ns);
    const auto exponent = static_cast<std::size_t>(std::bit_width(ns)) - 1;
    const auto sub = static_cast<std::size_t>(ns >> (exponent - sub_bits)) & (sub_buckets - 1);
    return std::min((exponent - sub_bits + 1) * sub_buckets + sub, buckets - 1);
  }

  /// The smallest duration in bucket `i`. Requires: i < buckets.
  static constexpr std::chrono::nanoseconds lower_bound(std::size_t i) noexcept {
    if (i < sub_buckets) return std::chrono::nanoseconds{static_cast<std::int64_t>(i)};
    const std::size_t shift = i / sub_buckets - 1;
    return std::chrono::nanoseconds{static_cast<std::int64_t>((sub_buckets + i % sub_buckets) << shift)};
  }

  /// The largest duration in bucket `i`; nanoseconds::max() for the last one. Requires: i < buckets.
  static constexpr std::chrono::nanoseconds upper_bound(std::size_t i) noexcept {
    if (i + 1 >= buckets) return std::chrono::nanoseconds::max();
    return lower_bound(i + 1) - std::chrono::nanoseconds{1};
  }
};

/// What a histogram held at one moment. A value type; snapshots of several histograms can be merged.
struct histogram_snapshot {
  std::uint64_t count = 0;                ///< samples; always the sum of `buckets`
  std::chrono::nanoseconds sum{0};        ///< of all samples
  std::chrono::nanoseconds max{0};        ///< the longest sample, exact
  std::array<std::uint64_t, histogram_layout::buckets> buckets{};

  /// The duration that `p` percent (0..100, clamped) of the samples do not exceed: the upper bound of the bucket that
  /// holds that sample, so never too low and less than 12.5 % too high, and never above `max`. 0 without samples.
  std::chrono::nanoseconds percentile(double p) const noexcept {
    if (count == 0) return std::chrono::nanoseconds{0};
    if (p >= 100) return max;
    // One step towards zero: 99.9 % of 1000 samples is the 999th one, and 99.9 is stored as a little more than that.
    const double share = p > 0 ? std::nextafter(p, 0.0) / 100 : 0;
    const double position = std::ceil(share * static_cast<double>(count));
    const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(position), 1, count);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      seen += buckets[i];
      if (seen >= rank) return std::min(histogram_layout::upper_bound(i), max);
    }
    return max;
  }

  /// The arithmetic mean; 0 without samples.
  std::chrono::nanoseconds mean() const noexcept {
    if (count == 0) return std::chrono::nanoseconds{0};
    return std::chrono::nanoseconds{sum.count() / static_cast<std::int64_t>(count)};
  }

  /// Adds the samples of `other`.
  void merge(const histogram_snapshot& other) noexcept {
    count += other.count;
    sum += other.sum;
    max = std::max(max, other.max);
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
  }

  friend bool operator==(const histogram_snapshot&, const histogram_snapshot&) = default;
};

class histogram {
 public:
  void record(std::chrono::nanoseconds time) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
    buckets_[histogram_layout::bucket_of(time)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(ns, std::memory_order_relaxed);
    std::uint64_t longest = max_.load(std::memory_order_relaxed);
    while (longest < ns && !max_.compare_exchange_weak(longest, ns, std::memory_order_relaxed)) {
    }
  }

  histogram_snapshot snapshot() const noexcept {
    histogram_snapshot copy;
    std::size_t highest = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      copy.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
      copy.count += copy.buckets[i];
      if (copy.buckets[i] != 0) highest = i;
    }
    copy.sum = std::chrono::nanoseconds{static_cast<std::int64_t>(sum_.load(std::memory_order_relaxed))};
    // A sample may be in its bucket before it is in max_: keep max within the highest bucket that was seen.
    copy.max = std::max(std::chrono::nanoseconds{static_cast<std::int64_t>(max_.load(std::memory_order_relaxed))},
                        histogram_layout::lower_bound(highest));
    return copy;
  }

 private:
  std::array<std::atomic<std::uint64_t>, histogram_layout::buckets> buckets_{};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace seawall

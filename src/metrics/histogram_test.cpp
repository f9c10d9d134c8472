#include "seawall/metrics/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;
using layout = histogram_layout;

nanoseconds ns(std::int64_t n) { return nanoseconds{n}; }

/// Durations spread evenly over the powers of two up to `bits` bits.
class log_uniform {
 public:
  explicit log_uniform(std::uint64_t seed, int bits = 41) : random_(seed), exponent_(0, bits - 1) {}
  nanoseconds operator()() {
    const std::int64_t low = std::int64_t{1} << exponent_(random_);
    return ns(std::uniform_int_distribution<std::int64_t>(low, 2 * low - 1)(random_));
  }

 private:
  std::mt19937_64 random_;
  std::uniform_int_distribution<int> exponent_;
};

TEST(HistogramLayout, BucketsCoverEveryDurationWithoutGapsOrOverlaps) {
  EXPECT_EQ(layout::lower_bound(0), 0ns);
  for (std::size_t i = 0; i < layout::buckets; ++i) {
    EXPECT_EQ(layout::bucket_of(layout::lower_bound(i)), i);
    EXPECT_EQ(layout::bucket_of(layout::upper_bound(i)), i);
    if (i > 0) {
      EXPECT_EQ(layout::lower_bound(i), layout::upper_bound(i - 1) + 1ns);
    }
  }
  EXPECT_EQ(layout::upper_bound(layout::buckets - 1), nanoseconds::max());
}

TEST(HistogramLayout, ABucketIsLessThanAnEighthWide) {
  for (std::size_t i = 1; i + 1 < layout::buckets; ++i) {
    const auto low = layout::lower_bound(i).count();
    EXPECT_LT((layout::upper_bound(i).count() - low) * 8, low) << "bucket " << i;
  }
}

TEST(HistogramLayout, TheLastBucketTakesWhatIsTooLongAndTheFirstWhatIsNegative) {
  EXPECT_GE(layout::lower_bound(layout::buckets - 1), 1h);
  EXPECT_EQ(layout::bucket_of(1000h), layout::buckets - 1);
  EXPECT_EQ(layout::bucket_of(nanoseconds::max()), layout::buckets - 1);
  EXPECT_EQ(layout::bucket_of(-1ns), 0U);
  EXPECT_EQ(layout::bucket_of(nanoseconds::min()), 0U);
}

TEST(Histogram, NothingRecordedReadsAsZero) {
  const auto empty = histogram{}.snapshot();
  EXPECT_EQ(empty, histogram_snapshot{});
  EXPECT_EQ(empty.percentile(50), 0ns);
  EXPECT_EQ(empty.mean(), 0ns);
  EXPECT_EQ(empty.max, 0ns);
}

TEST(Histogram, OneSampleIsEveryPercentileExactly) {
  histogram times;
  times.record(1'000'001ns);
  const auto seen = times.snapshot();
  EXPECT_EQ(seen.count, 1U);
  EXPECT_EQ(seen.sum, 1'000'001ns);
  EXPECT_EQ(seen.mean(), 1'000'001ns);
  EXPECT_EQ(seen.max, 1'000'001ns);
  for (const double p : {-1.0, 0.0, 1.0, 50.0, 99.9, 100.0, 200.0}) EXPECT_EQ(seen.percentile(p), 1'000'001ns) << p;
}

TEST(Histogram, SmallDurationsAreExact) {
  histogram times;
  for (int i = 1; i <= 10; ++i) times.record(ns(i));
  const auto seen = times.snapshot();
  EXPECT_EQ(seen.percentile(0), 1ns);
  EXPECT_EQ(seen.percentile(10), 1ns);
  EXPECT_EQ(seen.percentile(10.1), 2ns);
  EXPECT_EQ(seen.percentile(50), 5ns);
  EXPECT_EQ(seen.percentile(90), 9ns);
  EXPECT_EQ(seen.percentile(99), 10ns);
  EXPECT_EQ(seen.percentile(std::numeric_limits<double>::quiet_NaN()), 1ns);
}

TEST(Histogram, APercentileThatIsAWholeNumberOfSamplesIsNotRoundedUp) {
  histogram times;
  for (int i = 0; i < 999; ++i) times.record(5ns);
  times.record(1s);
  EXPECT_EQ(times.snapshot().percentile(99.9), 5ns);
  EXPECT_EQ(times.snapshot().percentile(99.91), 1s);
}

TEST(Histogram, NegativeAndHugeDurationsAreCounted) {
  histogram times;
  times.record(-5s);
  times.record(100h);
  const auto seen = times.snapshot();
  EXPECT_EQ(seen.count, 2U);
  EXPECT_EQ(seen.sum, 100h);
  EXPECT_EQ(seen.percentile(50), 0ns);
  EXPECT_EQ(seen.percentile(100), 100h);
}

TEST(Histogram, PercentilesAreNeverTooLowAndLessThanAnEighthTooHigh) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    log_uniform draw{seed};
    histogram times;
    std::vector<nanoseconds> samples(1 + seed * 37 % 500);
    nanoseconds sum{0};
    for (auto& sample : samples) {
      sample = draw();
      sum += sample;
      times.record(sample);
    }
    std::ranges::sort(samples);
    const auto seen = times.snapshot();
    EXPECT_EQ(seen.sum, sum);
    EXPECT_EQ(seen.max, samples.back());
    EXPECT_EQ(seen.mean(), sum / static_cast<std::int64_t>(samples.size()));
    for (std::size_t rank = 1; rank <= samples.size(); ++rank) {
      const double p = 100.0 * static_cast<double>(rank) / static_cast<double>(samples.size());
      const auto exact = samples[rank - 1].count();
      const auto got = seen.percentile(p).count();
      ASSERT_GE(got, exact) << "seed " << seed << " p" << p;
      ASSERT_LT((got - exact) * 8, exact) << "seed " << seed << " p" << p;
    }
  }
}

TEST(Histogram, MergingIsTheSameAsRecordingInOne) {
  log_uniform draw{7, 50};
  histogram left;
  histogram right;
  histogram both;
  for (int i = 0; i < 2000; ++i) {
    const auto sample = draw();
    (i % 3 == 0 ? left : right).record(sample);
    both.record(sample);
  }
  auto merged = left.snapshot();
  merged.merge(right.snapshot());
  EXPECT_EQ(merged, both.snapshot());
}

TEST(Histogram, CountsExactlyOnceTheThreadsAreJoined) {
  constexpr int threads = 4;
  constexpr int rounds = 5000;
  histogram times;
  {
    std::vector<std::jthread> workers;
    for (int t = 1; t <= threads; ++t) {
      workers.emplace_back([&times, t] {
        for (int i = 0; i < rounds; ++i) times.record(ns(t * 1000 + i));
      });
    }
    for (int i = 0; i < 200; ++i) {
      const auto seen = times.snapshot();
      ASSERT_LE(seen.percentile(50), seen.percentile(99));
      ASSERT_LE(seen.percentile(99), seen.max);
    }
  }
  const auto seen = times.snapshot();
  EXPECT_EQ(seen.count, static_cast<std::uint64_t>(threads * rounds));
  EXPECT_EQ(seen.max, ns(threads * 1000 + rounds - 1));
  EXPECT_EQ(seen.sum, ns(rounds * (1000 + 2000 + 3000 + 4000) + threads * (rounds * (rounds - 1) / 2)));
}

}  // namespace
}  // namespace seawall

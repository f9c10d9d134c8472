#include "seawall/eviction/frequency_sketch.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace seawall::eviction {
namespace {

std::uint32_t hash_of(std::uint32_t number) { return number * 0x9e3779b1U; }

// As it is once the cache is full.
frequency_sketch full_size(std::size_t capacity, std::uint64_t seed = 1) {
  frequency_sketch sketch(capacity, seed);
  sketch.resize(capacity, capacity);
  return sketch;
}

TEST(FrequencySketch, KnowsNothingAtFirst) { EXPECT_EQ(full_size(100).estimate(7), 0U); }

TEST(FrequencySketch, CountsToFifteen) {
  auto sketch = full_size(1'000);
  for (std::uint32_t count = 1; count != 30; ++count) {
    sketch.add(7);
    EXPECT_EQ(sketch.estimate(7), std::min(count, 15U));
  }
  sketch.add(8, 3);
  EXPECT_EQ(sketch.estimate(8), 3U);
  sketch.add(8, 20);
  EXPECT_EQ(sketch.estimate(8), 15U);
  EXPECT_EQ(sketch.estimate(9), 0U);
}

TEST(FrequencySketch, HalvesAfterTenAdditionsAnEntry) {
  auto sketch = full_size(100);
  sketch.add(7, 8);
  for (std::uint32_t i = 0; i != 991; ++i) sketch.add(hash_of(i));
  EXPECT_GE(sketch.estimate(7), 8U);
  sketch.add(hash_of(1'000));
  EXPECT_GE(sketch.estimate(7), 4U);
  EXPECT_LT(sketch.estimate(7), 8U);
}

TEST(FrequencySketch, OverestimatesLittle) {
  auto sketch = full_size(10'000);
  for (std::uint32_t i = 0; i != 20'000; ++i) sketch.add(hash_of(i));
  double above = 0;
  for (std::uint32_t i = 0; i != 20'000; ++i) above += sketch.estimate(hash_of(i)) - 1;
  EXPECT_LT(above / 20'000, 0.2);
}

TEST(FrequencySketch, StartsSmallAndGrowsWithTheCache) {
  frequency_sketch sketch(10'000'000, 1);
  EXPECT_LE(sketch.bytes(), 4'096U);
  for (std::size_t entries = 0; entries <= 5'000'000; entries += 100) {
    if (sketch.outgrown(entries)) sketch.grow();
    ASSERT_GE(sketch.covered() + 64, entries);
    ASSERT_LE(sketch.covered(), std::max<std::size_t>(256, 3 * entries));
  }
  while (sketch.outgrown(10'000'000)) sketch.grow();
  EXPECT_GE(sketch.covered(), 10'000'000U);
  EXPECT_LE(sketch.covered(), 11'500'000U);
  sketch.clear();
  EXPECT_LE(sketch.bytes(), 4'096U);
}

TEST(FrequencySketch, KeepsItsEstimatesWhenItGrows) {
  frequency_sketch sketch(100'000, 1);
  std::vector<std::uint32_t> before;
  for (std::uint32_t i = 0; i != 60; ++i) sketch.add(hash_of(i), i % 6);
  for (std::uint32_t i = 0; i != 100; ++i) before.push_back(sketch.estimate(hash_of(i)));
  for (int doubling = 0; doubling != 5; ++doubling) {
    sketch.grow();
    for (std::uint32_t i = 0; i != 100; ++i) ASSERT_EQ(sketch.estimate(hash_of(i)), before[i]);
  }
}

// Each addition moves a few lines; what is asked for meanwhile may be moved already or not.
TEST(FrequencySketch, CountsOnWhileItGrows) {
  frequency_sketch sketch(100'000, 1);
  std::vector<std::uint32_t> counts(100);
  std::uint32_t next = 0;
  const auto add = [&] {
    sketch.add(hash_of(next), 1);
    counts[next] = std::min<std::uint32_t>(counts[next] + 1, frequency_sketch::max_count);
    next = (next + 1) % 100;
  };
  while (sketch.covered() < 4'096) sketch.grow();
  for (int doubling = 0; doubling != 3; ++doubling) {
    sketch.grow();
    int additions = 0;
    for (; sketch.growing(); ++additions) {
      add();
      for (std::uint32_t i = 0; i != 100; ++i) ASSERT_GE(sketch.estimate(hash_of(i)), counts[i]) << additions;
    }
    EXPECT_GT(additions, 100) << "it was not done at once";
    EXPECT_LT(additions, 1'000) << "and is over long before the next doubling";
  }
}

TEST(FrequencySketch, IsDoneWithGrowingBeforeAnythingElse) {
  for (int then = 0; then != 3; ++then) {
    auto sketch = full_size(1'000);
    sketch.resize(100'000, 1'000);
    for (std::uint32_t i = 0; i != 100; ++i) sketch.add(hash_of(i), 6);
    sketch.grow();
    ASSERT_TRUE(sketch.growing());
    if (then == 0) sketch.grow();
    if (then == 1) sketch.resize(500, 100);
    if (then == 2) sketch.clear();
    EXPECT_EQ(sketch.growing(), then == 0);
    for (std::uint32_t i = 0; i != 100; ++i) EXPECT_EQ(sketch.estimate(hash_of(i)) >= 6, then != 2);
  }
}

TEST(FrequencySketch, HalvesWhatHasNotBeenMovedYet) {
  frequency_sketch sketch(8 * 64, 1);
  const auto all = [&](std::uint32_t i) { return sketch.estimate(hash_of(i)); };
  for (std::uint32_t i = 0; i != 20; ++i) sketch.add(hash_of(i), 8);
  while (sketch.covered() < 8 * 64) sketch.grow();
  ASSERT_TRUE(sketch.growing());
  // One addition that brings the halving, while nearly nothing has been moved.
  sketch.add(hash_of(1'000), 5'000);
  EXPECT_FALSE(sketch.growing());
  for (std::uint32_t i = 0; i != 20; ++i) {
    EXPECT_GE(all(i), 4U);
    EXPECT_LE(all(i), 7U) << "halved once";
  }
}

TEST(FrequencySketch, ShrinksWithoutForgetting) {
  auto sketch = full_size(100'000);
  for (std::uint32_t i = 0; i != 100; ++i) sketch.add(hash_of(i), i % 6);
  sketch.resize(1'000, 100);
  EXPECT_LE(sketch.bytes(), 16'384U);
  for (std::uint32_t i = 0; i != 100; ++i) EXPECT_GE(sketch.estimate(hash_of(i)), i % 6);
}

TEST(FrequencySketch, AnotherSeedHasOtherCollisions) {
  const auto confused = [](std::uint64_t seed) {
    auto sketch = full_size(1'000, seed);
    for (std::uint32_t i = 0; i != 2'000; ++i) sketch.add(hash_of(i));
    std::vector<std::uint32_t> keys;
    for (std::uint32_t i = 2'000; i != 4'000; ++i) {
      if (sketch.estimate(hash_of(i)) != 0) keys.push_back(i);
    }
    return keys;
  };
  EXPECT_EQ(confused(1), confused(1));
  const auto one = confused(1);
  const auto other = confused(2);
  std::vector<std::uint32_t> both;
  std::ranges::set_intersection(one, other, std::back_inserter(both));
  EXPECT_LT(both.size(), one.size() / 2);
}

RC_GTEST_PROP(FrequencySketch, NeverUnderestimatesBetweenHalvings, (const std::vector<std::uint8_t>& uses)) {
  auto sketch = full_size(1'000, uses.size());
  std::map<std::uint32_t, std::uint32_t> truth;
  for (const std::uint8_t key : uses) {
    sketch.add(hash_of(key));
    ++truth[key];
    RC_ASSERT(sketch.estimate(hash_of(key)) >= std::min(truth[key], 15U));
  }
  for (const auto& [key, count] : truth) RC_ASSERT(sketch.estimate(hash_of(key)) >= std::min(count, 15U));
}

}  // namespace
}  // namespace seawall::eviction

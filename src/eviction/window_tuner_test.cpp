#include "seawall/eviction/window_tuner.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace seawall::eviction {
namespace {

std::uint32_t hash_of(std::uint64_t key) {
  key = (key + 1) * 0x9e3779b97f4a7c15;
  return static_cast<std::uint32_t>((key ^ (key >> 29)) * 0xbf58476d1ce4e5b9 >> 32);
}

void access(window_tuner& tuner, std::uint64_t key) {
  if (tuner.samples(hash_of(key))) tuner.record(hash_of(key));
}

// Keys asked for several times when they are new, and never again.
void recency(window_tuner& tuner, std::uint64_t first, std::uint64_t keys) {
  for (std::uint64_t key = first; key != first + keys; ++key) {
    access(tuner, key);
    access(tuner, key < first + 400 ? key : key - 400);
  }
}

// Hot keys, and many more that come once.
void frequency(window_tuner& tuner, std::uint64_t once, std::uint64_t accesses) {
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i != accesses; ++i) access(tuner, i % 2 == 0 ? random() % 960 : once + i);
}

TEST(WindowTuner, StartsWithTheSmallestWindow) { EXPECT_EQ(window_tuner(1'000, 1).window(), 0.01); }

TEST(WindowTuner, SamplesTheShareOfTheKeysThatItsShadowsAreOfTheCapacity) {
  const auto share = [](std::size_t capacity) {
    window_tuner tuner(capacity, 1);
    int sampled = 0;
    for (std::uint64_t key = 0; key != 100'000; ++key) sampled += tuner.samples(hash_of(key));
    return sampled / 100'000.0;
  };
  EXPECT_EQ(share(1), 1);
  EXPECT_EQ(share(16), 1);
  EXPECT_NEAR(share(64), 0.25, 0.01);
  EXPECT_NEAR(share(1'000), 0.125, 0.01);
  EXPECT_NEAR(share(25'600), 0.04, 0.002);
  EXPECT_NEAR(share(102'400), 0.01, 0.002);
}

TEST(WindowTuner, WidensForRecencyAndNarrowsForFrequency) {
  window_tuner tuner(1'000, 1);
  recency(tuner, 1'000'000, 40'000);
  EXPECT_GE(tuner.window(), 0.35);
  frequency(tuner, 5'000'000, 100'000);
  EXPECT_LE(tuner.window(), 0.05);
}

TEST(WindowTuner, TellsWhenTheWindowChanges) {
  window_tuner tuner(1'000, 1);
  double window = tuner.window();
  int changes = 0;
  for (std::uint64_t key = 0; key != 40'000; ++key) {
    for (const std::uint64_t each : {key, key < 400 ? key : key - 400}) {
      const bool changed = tuner.samples(hash_of(each)) && tuner.record(hash_of(each));
      ASSERT_EQ(changed, window != tuner.window());
      window = tuner.window();
      changes += changed;
    }
  }
  EXPECT_GE(changes, 1);
  EXPECT_LE(changes, 5);
}

TEST(WindowTuner, DecidesTheSameForTheSameSeed) {
  window_tuner one(1'000, 7);
  window_tuner two(1'000, 7);
  for (window_tuner* each : {&one, &two}) recency(*each, 0, 20'000);
  EXPECT_EQ(one.window(), two.window());
}

TEST(WindowTuner, FollowsTheCapacityAndKeepsItsChoice) {
  window_tuner tuner(1'000, 1);
  recency(tuner, 1'000'000, 40'000);
  const double window = tuner.window();
  tuner.resize(100'000);
  EXPECT_EQ(tuner.window(), window);
  tuner.resize(1);
  for (std::uint64_t key = 0; key != 2'000; ++key) access(tuner, key % 3);
}

TEST(WindowTuner, TakesLittleMemory) {
  const auto bytes = [](std::size_t capacity) {
    window_tuner tuner(capacity, 1);
    std::uint64_t recorded = 0;
    for (std::uint32_t hash = 0; recorded != 5'000; ++hash) {
      if (!tuner.samples(hash)) continue;
      tuner.record(hash);
      ++recorded;
    }
    return tuner.bytes();
  };
  EXPECT_LT(bytes(1'000), 150 * 1'024U);
  EXPECT_LT(bytes(10'000'000), 500 * 1'024U);
}

}  // namespace
}  // namespace seawall::eviction

#include "seawall/base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <thread>
#include <vector>

namespace {

using seawall::random_source;

TEST(random_source, is_splitmix64) {
  random_source random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(random_source, repeats_for_a_seed) {
  random_source a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

TEST(random_source, uniform_stays_in_its_interval) {
  random_source random(1);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = random.uniform();
    const double y = random.uniform_open();
    ASSERT_TRUE(x >= 0 && x < 1);
    ASSERT_TRUE(y > 0 && y <= 1 && std::isfinite(std::log(y)));
    sum += x;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.01);
}

/// The seed whose first number is `wanted`: mix64 run backwards.
std::uint64_t seed_for(std::uint64_t wanted) {
  std::uint64_t x = wanted ^ (wanted >> 31) ^ (wanted >> 62);
  x *= 0x319642b2d24d8ec3;
  x = x ^ (x >> 27) ^ (x >> 54);
  x *= 0x96de1b173f119089;
  x = x ^ (x >> 30) ^ (x >> 60);
  return x - 0x9e3779b97f4a7c15;
}

TEST(random_source, uniform_at_its_ends) {
  ASSERT_EQ(random_source(seed_for(42)).next(), 42u);
  EXPECT_EQ(random_source(seed_for(0)).uniform(), 0.0);
  EXPECT_EQ(random_source(seed_for(0)).uniform_open(), 0x1p-53);
  EXPECT_LT(random_source(seed_for(~0ull)).uniform(), 1.0);
  EXPECT_EQ(random_source(seed_for(~0ull)).uniform_open(), 1.0);
}

TEST(random_source, threads_never_get_the_same_number) {
  random_source random(1);
  std::vector<std::vector<std::uint64_t>> drawn(4);
  {
    std::vector<std::jthread> threads;
    for (auto& numbers : drawn) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) numbers.push_back(random.next());
      });
    }
  }
  std::set<std::uint64_t> all;
  for (const auto& numbers : drawn) all.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(all.size(), 20'000u);
}

TEST(entropy_seed, differs_between_calls) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 1000; ++i) seeds.insert(seawall::entropy_seed());
  EXPECT_EQ(seeds.size(), 1000u);
}

}  // namespace

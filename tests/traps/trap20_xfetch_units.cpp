// Trap 20: XFetch with milliseconds taken for seconds refreshes all the time.
#include "usual.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

using namespace usual;

constexpr auto ttl = 200s;
constexpr auto step = 500ms;  // between two reads of a key
constexpr int runs = 200;

/// How long before the expiry the early recomputation came, in seconds; 0: it did not come.
struct leads {
  std::vector<double> seconds;

  double mean() const {
    double sum = 0;
    for (const double one : seconds) sum += one;
    return sum / static_cast<double>(seconds.size());
  }
  double most() const { return *std::ranges::max_element(seconds); }
  double share_of_early() const {
    return static_cast<double>(std::ranges::count_if(seconds, [](double one) { return one > 0; })) /
           static_cast<double>(seconds.size());
  }
};

/// The usual snippet, as it is copied from the paper: now - delta * beta * log(rand()) >= expiry.
bool usual_due(double now, double delta, double expiry, std::mt19937& random) {
  const double beta = 1;
  const double rand = std::uniform_real_distribution<double>{1e-12, 1}(random);
  return now - delta * beta * std::log(rand) >= expiry;
}

/// `delta` is what the snippet's timer gave for a load of one second, the times are seconds.
leads usual_leads(double delta) {
  std::mt19937 random{1};
  leads seen;
  for (int run = 0; run != runs; ++run) {
    const double expiry = std::chrono::duration<double>(ttl).count();
    double now = 0;
    while (now < expiry && !usual_due(now, delta, expiry, random)) now += std::chrono::duration<double>(step).count();
    seen.seconds.push_back(std::max(0.0, expiry - now));
  }
  return seen;
}

/// A key is loaded and then read until it is loaded again, `runs` times. The loader takes `load_time` on the clock.
leads seawall_leads(seawall::duration load_time, double beta) {
  scene here;
  seawall::cache<int, int> cache{here.options<int, int>({.ttl = ttl, .jitter = 0, .xfetch_beta = beta})};
  int loads = 0;
  const auto load = [&](int key) {
    ++loads;
    here.clock->advance(load_time);
    return key;
  };
  leads seen;
  for (int run = 0; run != runs; ++run) {
    cache.invalidate(1);
    loads = 0;
    EXPECT_TRUE(cache.get_or_load(1, load));
    const auto expiry = here.clock->now() + ttl;
    auto asked = here.clock->now();
    while (loads == 1) {
      here.clock->advance(step);
      asked = here.clock->now();
      EXPECT_TRUE(cache.get_or_load(1, load));
    }
    seen.seconds.push_back(std::chrono::duration<double>(expiry - asked).count());
    EXPECT_EQ(loads, 2);
  }
  return seen;
}

TEST(Trap20, MillisecondsForSecondsRefreshAllTheTime) {
  const leads usual = usual_leads(1000);  // "load_time_ms", and the times in seconds
  EXPECT_GT(usual.mean(), 195);           // the value lives for a few seconds of its 200
  EXPECT_EQ(usual.share_of_early(), 1);

  // A load of one second, beta 1, a read every half second: e^-lead for each read, so about 1.4 s early on average.
  const leads ours = seawall_leads(1s, 1);
  EXPECT_GT(ours.mean(), 0.7);
  EXPECT_LT(ours.mean(), 2.1);
  EXPECT_LT(ours.most(), 15);
  EXPECT_GT(ours.share_of_early(), 0.5);
}

/// The scale is the load time that was measured, times beta; nothing else.
TEST(Trap20, TheLeadFollowsTheMeasuredLoadTime) {
  const leads one = seawall_leads(1s, 1);
  const leads ten = seawall_leads(10s, 1);
  const leads ten_by_beta = seawall_leads(1s, 10);
  EXPECT_GT(ten.mean(), 5 * one.mean());
  EXPECT_LT(ten.mean(), 40 * one.mean());
  EXPECT_GT(ten.mean(), 10);
  EXPECT_LT(ten.most(), 150);
  EXPECT_NEAR(ten_by_beta.mean(), ten.mean(), ten.mean() / 5);

  EXPECT_EQ(seawall_leads(0s, 1).share_of_early(), 0);   // nothing to win
  EXPECT_LT(seawall_leads(1ms, 1).most(), 0.6);          // at most the last read before the expiry
  EXPECT_EQ(seawall_leads(10s, 0).share_of_early(), 0);  // off
}

/// The load of an absence is measured too, and so is each refresh.
TEST(Trap20, EachLoadIsMeasuredAnew) {
  scene here;
  seawall::cache<int, int> cache{
      here.options<int, int>({.ttl = ttl, .jitter = 0, .negative_ttl = ttl, .xfetch_beta = 1})};
  seawall::duration load_time = 20s;
  int loads = 0;
  const auto load = [&](int) -> std::optional<int> {
    ++loads;
    here.clock->advance(load_time);
    return std::nullopt;
  };
  // Slow at first: refreshed long before its end, with a load that takes no time any more.
  EXPECT_TRUE(cache.get_or_load(1, load));
  EXPECT_TRUE(cache.contains(1));
  const auto first_expiry = here.clock->now() + ttl;
  load_time = 0s;
  while (loads == 1) {
    here.clock->advance(step);
    EXPECT_TRUE(cache.get_or_load(1, load));
    EXPECT_TRUE(cache.contains(1));
  }
  EXPECT_LT(here.clock->now(), first_expiry - 10s);

  // From there on it lives for its whole TTL.
  const auto expiry = here.clock->now() + ttl;
  while (here.clock->now() + step < expiry) {
    here.clock->advance(step);
    EXPECT_TRUE(cache.get_or_load(1, load));
  }
  EXPECT_EQ(loads, 2);
}

}  // namespace

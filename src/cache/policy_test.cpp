#include "seawall/cache/policy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace seawall {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

// The times of a value stored at `start`; no jitter unless the policy is given with a draw.
local::entry_times value_times(const entry_policy& policy, duration load_time = 0s, double draw = 0) {
  return policy.times_of_value(start, load_time, draw).value();
}

standing standing_after(const local::entry_times& times, duration age, std::uint64_t seed = 1) {
  random_source random{seed};
  return standing_at(times, start + age, random);
}

// ---- with ----

TEST(Policy, WhatIsUnsetComesFromTheCache) {
  const entry_policy base{.ttl = 1s, .jitter = 0.2, .sliding = 2s, .negative_ttl = 3s, .stale_for = 4s,
                          .stale_if_error = 5s, .refresh_ahead = 0.3, .xfetch_beta = 2, .no_store = true};
  const entry_policy same = base.with({});
  EXPECT_EQ(same.ttl, 1s);
  EXPECT_EQ(same.jitter, 0.2);
  EXPECT_EQ(same.sliding, 2s);
  EXPECT_EQ(same.negative_ttl, 3s);
  EXPECT_EQ(same.stale_for, 4s);
  EXPECT_EQ(same.stale_if_error, 5s);
  EXPECT_EQ(same.refresh_ahead, 0.3);
  EXPECT_EQ(same.xfetch_beta, 2);
  EXPECT_TRUE(same.no_store);
}

TEST(Policy, WhatIsSetGoesBeforeTheCaches) {
  const entry_policy set = entry_policy{}.with({.ttl = 11s, .jitter = 0.5, .sliding = 12s, .negative_ttl = 13s,
                                                .stale_for = 14s, .stale_if_error = 15s, .refresh_ahead = 0.6,
                                                .xfetch_beta = 7, .no_store = true});
  EXPECT_EQ(set.ttl, 11s);
  EXPECT_EQ(set.jitter, 0.5);
  EXPECT_EQ(set.sliding, 12s);
  EXPECT_EQ(set.negative_ttl, 13s);
  EXPECT_EQ(set.stale_for, 14s);
  EXPECT_EQ(set.stale_if_error, 15s);
  EXPECT_EQ(set.refresh_ahead, 0.6);
  EXPECT_EQ(set.xfetch_beta, 7);
  EXPECT_TRUE(set.no_store);
}

TEST(Policy, WhatIsOutOfRangeGoesToTheNearestLimit) {
  const auto low = entry_policy{}.with({.ttl = -1s, .jitter = -0.1, .sliding = -1s, .negative_ttl = duration::min(),
                                        .stale_for = -1s, .stale_if_error = -1s, .refresh_ahead = -1.0,
                                        .xfetch_beta = -1.0});
  for (const duration span : {low.ttl, low.sliding, low.negative_ttl, low.stale_for, low.stale_if_error}) {
    EXPECT_EQ(span, 0s);
  }
  for (const double number : {low.jitter, low.refresh_ahead, low.xfetch_beta}) EXPECT_EQ(number, 0);
  const auto high = entry_policy{}.with({.jitter = 1.1, .refresh_ahead = inf});
  EXPECT_EQ(high.jitter, 1);
  EXPECT_EQ(high.refresh_ahead, 1);
  const auto odd = entry_policy{.jitter = 0.5}.with({.jitter = nan, .refresh_ahead = nan, .xfetch_beta = nan});
  for (const double number : {odd.jitter, odd.refresh_ahead, odd.xfetch_beta}) EXPECT_EQ(number, 0);
}

TEST(Policy, XFetchsBetaHasAnUpperLimitToo) {
  EXPECT_EQ(entry_policy{}.with({.xfetch_beta = 5'000.0}).xfetch_beta, 1'000);
  EXPECT_EQ(entry_policy{}.with({.xfetch_beta = inf}).xfetch_beta, 1'000);
}

// ---- validate ----

TEST(Policy, ValidateNamesTheFieldAndItsRange) {
  const struct {
    entry_policy policy;
    std::string message;
  } cases[] = {
      {{}, "fine"},
      {{.ttl = forever, .jitter = 1, .sliding = forever, .negative_ttl = 0s, .refresh_ahead = 1, .xfetch_beta = 1'000},
       "fine"},
      {{.ttl = 0s}, "ttl must be positive (`seawall::forever` for no limit)"},
      {{.ttl = -1s}, "ttl must be positive (`seawall::forever` for no limit)"},
      {{.jitter = -0.01}, "jitter must be between 0 and 1, a share of the ttl"},
      {{.jitter = nan}, "jitter must be between 0 and 1, a share of the ttl"},
      {{.sliding = -1s}, "sliding must be zero (off) or positive"},
      {{.ttl = 1s, .sliding = 1s + 1ns}, "sliding must be no longer than ttl, which is its absolute cap"},
      {{.negative_ttl = -1s}, "negative_ttl must be zero (off) or positive"},
      {{.stale_for = -1s}, "stale_for must be zero (off) or positive"},
      {{.stale_if_error = -1s}, "stale_if_error must be zero (off) or positive"},
      {{.refresh_ahead = 1.01}, "refresh_ahead must be between 0 and 1, a share of the ttl"},
      {{.xfetch_beta = 1'001}, "xfetch_beta must be between 0 (off) and 1000"},
      {{.xfetch_beta = nan}, "xfetch_beta must be between 0 (off) and 1000"},
  };
  for (const auto& one : cases) {
    const auto valid = one.policy.validate();
    EXPECT_EQ(valid ? "fine" : valid.error().message(), one.message);
    EXPECT_TRUE(valid || valid.error() == errc::invalid_argument);
  }
}

// ---- the times of an entry ----

TEST(Policy, TheLifeOfAValueFromBeginToEnd) {
  const auto times = value_times({.ttl = 60s, .stale_for = 10s, .stale_if_error = 30s, .refresh_ahead = 0.25});
  const struct {
    duration age;
    standing is;
  } cases[] = {{0s, standing::fresh},        {45s - 1ns, standing::fresh}, {45s, standing::refresh_due},
               {60s - 1ns, standing::refresh_due}, {60s, standing::stale}, {70s - 1ns, standing::stale},
               {70s, standing::on_error},    {90s - 1ns, standing::on_error}, {90s, standing::missing},
               {1000h, standing::missing}};
  for (const auto& one : cases) EXPECT_EQ(standing_after(times, one.age), one.is) << one.age.count();
}

TEST(Policy, NothingIsStoredWithoutATtlOrWithNoStore) {
  EXPECT_FALSE(entry_policy{}.with({.ttl = 0s}).times_of_value(start, 0s, 0));
  EXPECT_FALSE(entry_policy{.no_store = true}.times_of_value(start, 0s, 0));
  EXPECT_FALSE(entry_policy{.no_store = true}.times_of_absence(start, 0s, 0));
  EXPECT_FALSE(entry_policy{.negative_ttl = 0s}.times_of_absence(start, 0s, 0));
  EXPECT_TRUE(entry_policy{.negative_ttl = 0s}.times_of_value(start, 0s, 0));
}

TEST(Policy, AnAbsenceHasItsOwnTtlNoSlidingAndIsNotServedOnError) {
  const entry_policy policy{.ttl = 1h, .jitter = 0, .sliding = 10min, .negative_ttl = 20s, .stale_for = 5s,
                            .stale_if_error = 1h};
  auto times = policy.times_of_absence(start, 0s, 0.5).value();
  EXPECT_FALSE(local::stored_times{times}.use(times, start + 19s));
  EXPECT_EQ(standing_after(times, 20s - 1ns), standing::fresh);
  EXPECT_EQ(standing_after(times, 20s), standing::stale);
  EXPECT_EQ(standing_after(times, 25s), standing::missing);
}

TEST(Policy, ForeverHasNoEndAndNoJitter) {
  const auto times = value_times({.ttl = forever, .jitter = 1}, 0s, 0.99);
  EXPECT_EQ(times.fresh_until, never);
  EXPECT_EQ(standing_after(times, 200 * 365 * 24h), standing::fresh);
  const auto sliding = value_times({.ttl = forever, .sliding = 10s});
  EXPECT_EQ(sliding.fresh_until, start + 10s);
  EXPECT_EQ(sliding.fresh_cap, never);
}

TEST(Policy, WithoutATtlThereIsNoLastShareOfItToRefreshIn) {
  for (const double share : {0.2, 1.0}) {
    const auto times = value_times({.ttl = forever, .refresh_ahead = share});
    EXPECT_EQ(standing_after(times, 1h), standing::fresh) << share;
  }
}

TEST(Policy, ASlidingValueBeginsWithOneIdleTimeWithinItsTtl) {
  EXPECT_EQ(value_times({.ttl = 60s, .sliding = 10s}).fresh_until, start + 10s);
  EXPECT_EQ(value_times({.ttl = 60s, .jitter = 0.5, .sliding = 55s}, 0s, 0.5).fresh_until, start + 45s);
}

RC_GTEST_PROP(PolicyProperty, JitterOnlySubtractsAndNoMoreThanItsShare, ()) {
  const auto share = [](int steps) { return *rc::gen::inRange(0, steps) / double(steps - 1); };
  const duration ttl{*rc::gen::oneOf(rc::gen::inRange<std::int64_t>(1, 1'000),
                                     rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 62))};
  const double jitter = share(101);
  const double draw = std::min(share(1'001), 1 - 0x1p-53);
  const auto times = entry_policy{.ttl = ttl, .jitter = jitter}.times_of_value(start, 0s, draw).value();
  const duration life = times.fresh_until - start;
  RC_ASSERT(life > 0s && life <= ttl);
  RC_ASSERT(double(life.count()) >= double(ttl.count()) * (1 - jitter) * (1 - 1e-12));
  RC_ASSERT(times.fresh_cap == times.fresh_until);
  if (jitter == 0 || draw == 0) RC_ASSERT(life == ttl);
}

TEST(Policy, JitterSpreadsEvenlyOverItsShare) {
  random_source random{7};
  double sum = 0;
  constexpr int count = 20'000;
  for (int i = 0; i != count; ++i) {
    const auto times = value_times({.ttl = 100s, .jitter = 0.4}, 0s, random.uniform());
    sum += std::chrono::duration<double>(times.fresh_until - start).count();
  }
  EXPECT_NEAR(sum / count, 80, 0.5);
}

// ---- XFetch: a use `left` before the end refreshes when -beta x load time x ln(u) reaches `left` ----

// Of many uses `left` before the end of an entry with beta 2 that took 3 s to load: the share that refreshes.
double refreshing(duration left) {
  const auto times = value_times({.ttl = 1h, .xfetch_beta = 2}, 3s);
  random_source random{42};
  int due = 0;
  constexpr int count = 20'000;
  for (int i = 0; i != count; ++i) due += standing_at(times, start + 1h - left, random) == standing::refresh_due;
  return double(due) / count;
}

TEST(XFetch, RefreshesWithTheProbabilityOfThePaper) {
  for (const duration left : {duration{1s}, duration{3s}, duration{6s}, duration{12s}, duration{30s}}) {
    const double scale = std::chrono::duration<double>(left) / 6s;  // beta x load time
    EXPECT_NEAR(refreshing(left), std::exp(-scale), 0.015) << left.count();
  }
}

TEST(XFetch, TheMeanLeadIsBetaTimesTheLoadTime) {
  double lead = 0;  // the mean is the integral of P(lead >= left)
  for (duration left = 250ms; left < 200s; left += 500ms) lead += 0.5 * refreshing(left);
  EXPECT_NEAR(lead, 6, 0.25);
}

TEST(XFetch, DrawsOnlyWhereTheDrawCanMatter) {
  const auto times = value_times({.ttl = 1h, .stale_for = 1h, .refresh_ahead = 0.001, .xfetch_beta = 2}, 3s);
  const auto draws = [&](duration left) {
    random_source random{5};
    random_source untouched{5};
    standing_at(times, start + 1h - left, random);
    return random.next() != untouched.next();
  };
  EXPECT_FALSE(draws(37 * 6s + 1ns));
  EXPECT_TRUE(draws(37 * 6s));
  EXPECT_TRUE(draws(4s));
  EXPECT_FALSE(draws(3s)) << "refresh_ahead has decided";
  EXPECT_FALSE(draws(-1s)) << "it is stale";
}

TEST(XFetch, NothingIsEarlyForAValueThatTookNoTime) {
  const auto times = value_times({.ttl = 1h, .xfetch_beta = 1'000}, 0s);
  for (std::uint64_t seed = 0; seed != 100; ++seed) EXPECT_EQ(standing_after(times, 1h - 1ns, seed), standing::fresh);
}

TEST(XFetch, SaturatesInsteadOfOverflowing) {
  const auto times = value_times({.ttl = forever, .xfetch_beta = 1'000}, forever);
  EXPECT_EQ(times.xfetch_scale, forever);
  EXPECT_LE(standing_after(times, 1s), standing::refresh_due);
}

// Another machine has stored it, before this one started.
TEST(Policy, WhatWentStaleBeforeTheClockBeganStaysStaleForItsTimeOnly) {
  local::entry_times times = value_times({.ttl = 1min, .stale_for = 2h, .stale_if_error = 3h});
  times.written = time_point{} - 2h;
  times.fresh_until = times.fresh_cap = time_point{} - 30min;
  EXPECT_EQ(standing_after(times, 29min), standing::stale);
  EXPECT_EQ(standing_after(times, 31min), standing::on_error);
  EXPECT_EQ(standing_after(times, 91min), standing::missing);
  times.stale_for = forever;
  EXPECT_EQ(standing_after(times, 91min), standing::stale);
}

}  // namespace
}  // namespace seawall

#include "breaker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace seawall::tier {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A breaker whose calls end at once, unless a test holds their permits.
struct stepped {
  explicit stepped(breaker_options how = {}, std::uint64_t seed = 1) : random{seed}, tested{how, random} {}

  bool succeed() { return end(true); }
  bool fail() { return end(false); }
  bool end(bool well) {
    const auto permit = tested.allow(now);
    if (well) tested.succeeded(permit, now);
    else tested.failed(permit, now);
    return static_cast<bool>(permit);
  }
  /// S: a call succeeds, F: one fails, r: one is refused. The calls that went otherwise, of those.
  std::string run(std::string_view calls) {
    std::string wrong;
    for (const char call : calls) {
      if (end(call == 'S') == (call == 'r')) wrong += call;
    }
    return wrong;
  }
  breaker_state state() const { return tested.state(); }
  /// Fails until it is open, and goes on to the moment when it lets a probe through.
  void to_probe() {
    while (state() == breaker_state::closed) fail();
    now = tested.retry_at();
  }

  random_source random;
  breaker tested;
  time_point now{100s};
};

TEST(breaker, opens_after_failures_in_a_row) {
  const struct {
    std::string calls;
    breaker_state then;
  } cases[] = {
      {"FFFF", breaker_state::closed},      {"FFFFF", breaker_state::open},
      {"FFFFSFFFF", breaker_state::closed}, {"FFFFSFFFFF", breaker_state::open},
      {"FFFFFrrr", breaker_state::open},    {"SSSSSSSS", breaker_state::closed},
  };
  for (const auto& [calls, then] : cases) {
    stepped one;
    EXPECT_EQ(one.run(calls), "") << calls;
    EXPECT_EQ(one.state(), then) << calls;
  }
}

TEST(breaker, opens_when_the_ratio_of_enough_calls_failed) {
  const struct {
    std::string calls;
    breaker_state then;
  } cases[] = {
      {"SSFFSSFFSSFFSSFFSSF", breaker_state::closed},   // 9 of 19: too few calls
      {"SSFFSSFFSSFFSSFFSFSF", breaker_state::open},    // 10 of 20
      {"SSFFSSFFSSFFSSFFSSSF", breaker_state::closed},  // 9 of 20
      {"SSFFSSFFSSFFSSFFSSSFFS", breaker_state::closed},  // 10 of 21, when it failed last
      {"SSFFSSFFSSFFSSFFSSSFFSF", breaker_state::closed},  // 11 of 23
      {"SSFFSSFFSSFFSSFFSSSFFSFF", breaker_state::open},   // 12 of 24
  };
  for (const auto& [calls, then] : cases) {
    stepped one;
    EXPECT_EQ(one.run(calls), "") << calls;
    EXPECT_EQ(one.state(), then) << calls;
  }
}

TEST(breaker, calls_before_the_window_count_no_more) {
  for (const duration pause : {8s, 11s, 1000s}) {
    stepped one{{.in_a_row = 0}};
    one.run("FFFFFFFFFFFFFFFFFFF");
    one.now += pause;
    one.fail();
    EXPECT_EQ(one.state(), pause < 10s ? breaker_state::open : breaker_state::closed) << pause.count();
  }
}

TEST(breaker, the_window_slides_in_tenths) {
  stepped one{{.in_a_row = 0}};
  // 19 failures in every window of 10 s, and never 20.
  for (int i = 0; i < 200; ++i) {
    one.run(i % 10 == 0 ? "F" : "FF");
    one.now += 1s;
    ASSERT_EQ(one.state(), breaker_state::closed) << i;
  }
  one.run("FF");
  EXPECT_EQ(one.state(), breaker_state::open);
}

TEST(breaker, either_rule_can_be_switched_off) {
  stepped in_a_row{{.failure_ratio = 0}};
  for (int i = 0; i < 100; ++i) in_a_row.run("FFFFS");
  EXPECT_EQ(in_a_row.state(), breaker_state::closed);
  stepped ratio{{.in_a_row = 0}};
  EXPECT_EQ(ratio.run("FFFFFFFFFFFFFFFFFFF"), "");
  EXPECT_EQ(ratio.state(), breaker_state::closed);
  stepped none{{.enabled = false}};
  EXPECT_EQ(none.run(std::string(1000, 'F')), "");
  EXPECT_EQ(none.state(), breaker_state::closed);
  EXPECT_EQ(none.tested.counters().failed, 1000u);
}

TEST(breaker, pauses_double_and_lose_at_most_half_by_chance) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    stepped one{{}, seed};
    one.run("FFFFF");
    for (const duration whole : std::vector<duration>{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s, 5s}) {
      const duration pause = one.tested.retry_at() - one.now;
      EXPECT_LE(pause, whole) << seed;
      EXPECT_GE(pause, whole / 2) << seed;
      one.now = one.tested.retry_at() - 1ns;
      EXPECT_FALSE(one.fail());
      one.now += 1ns;
      EXPECT_TRUE(one.fail());
    }
    one.now = one.tested.retry_at();
    EXPECT_TRUE(one.succeed());
    one.run("FFFFF");
    EXPECT_LE(one.tested.retry_at() - one.now, 100ms) << "the first pause again";
  }
}

TEST(breaker, two_breakers_do_not_pause_alike) {
  stepped one{{}, 1};
  stepped other{{}, 2};
  one.to_probe();
  other.to_probe();
  EXPECT_NE(one.now, other.now);
}

TEST(breaker, one_probe_decides) {
  stepped one;
  one.to_probe();
  const auto probe = one.tested.allow(one.now);
  EXPECT_TRUE(probe);
  EXPECT_EQ(one.state(), breaker_state::half_open);
  one.now += 1h;
  EXPECT_FALSE(one.tested.allow(one.now)) << "while it is under way";
  one.tested.succeeded(probe, one.now);
  EXPECT_EQ(one.state(), breaker_state::closed);
  EXPECT_EQ(one.run("FFFF"), "") << "failures from before are forgotten";
  EXPECT_EQ(one.state(), breaker_state::closed);
}

TEST(breaker, a_dropped_probe_lets_another_through) {
  stepped one;
  one.to_probe();
  const auto dropped = one.tested.allow(one.now);
  one.tested.dropped(dropped);
  const auto second = one.tested.allow(one.now);
  EXPECT_TRUE(second);
  EXPECT_FALSE(one.tested.allow(one.now));
  one.tested.failed(dropped, one.now);
  one.tested.dropped(dropped);
  EXPECT_EQ(one.state(), breaker_state::half_open) << "a permit is good for one end";
  EXPECT_FALSE(one.tested.allow(one.now));
  one.tested.succeeded(second, one.now);
  EXPECT_EQ(one.state(), breaker_state::closed);
}

TEST(breaker, calls_of_an_earlier_state_decide_nothing) {
  stepped one;
  const auto late_failure = one.tested.allow(one.now);
  const auto late_success = one.tested.allow(one.now);
  const auto late_drop = one.tested.allow(one.now);
  one.to_probe();
  const time_point retry_at = one.tested.retry_at();
  one.tested.failed(late_failure, one.now);
  EXPECT_EQ(one.tested.retry_at(), retry_at) << "a late timeout does not make the pause longer";
  const auto probe = one.tested.allow(one.now);
  one.tested.succeeded(late_success, one.now);
  EXPECT_EQ(one.state(), breaker_state::half_open);
  one.tested.dropped(late_drop);
  EXPECT_FALSE(one.tested.allow(one.now)) << "no second probe";
  one.tested.failed(probe, one.now);
  EXPECT_EQ(one.state(), breaker_state::open);
  EXPECT_EQ(one.tested.counters().failed, 7u) << "but all are counted";
}

TEST(breaker, counts) {
  stepped one;
  one.run("SSFFFFFrrr");
  one.now = one.tested.retry_at();
  one.run("F");
  one.now = one.tested.retry_at();
  one.run("S");
  const breaker_counters& all = one.tested.counters();
  EXPECT_EQ(all.opened, 1u);
  EXPECT_EQ(all.probes, 2u);
  EXPECT_EQ(all.refused, 3u);
  EXPECT_EQ(all.succeeded, 3u);
  EXPECT_EQ(all.failed, 6u);
}

TEST(breaker, moments_may_be_anywhere_and_go_back) {
  for (const time_point begin : {time_point::min(), time_point{}, time_point{-5s}, never - 1s, never}) {
    stepped one;
    one.now = begin;
    EXPECT_EQ(one.run("FFFFF"), "");
    EXPECT_EQ(one.state(), breaker_state::open);
  }
  stepped back;
  back.run("FFFFF");
  const time_point retry_at = back.tested.retry_at();
  back.now = time_point{1s};
  EXPECT_FALSE(back.succeed());
  EXPECT_EQ(back.tested.retry_at(), retry_at);
}

RC_GTEST_PROP(breaker, never_lets_two_probes_through_nor_waits_longer_than_it_says, (std::uint64_t seed)) {
  stepped one{{.in_a_row = 3}, seed};
  std::vector<breaker::permit> under_way;
  int probes = 0;  // of the present half-open state that did not end
  breaker::permit probe;
  std::size_t probe_at = 0;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 6), rc::gen::inRange(0, 1000)));
  for (const auto& [what, number] : steps) {
    const breaker_state before = one.state();
    if (what <= 1) {
      const auto permit = one.tested.allow(one.now);
      if (before == breaker_state::closed) RC_ASSERT(permit);
      if (before == breaker_state::open) RC_ASSERT(static_cast<bool>(permit) == (one.now >= one.tested.retry_at()));
      if (before == breaker_state::half_open) RC_ASSERT(static_cast<bool>(permit) == (probes == 0));
      if (permit && before != breaker_state::closed) {
        RC_ASSERT(one.state() == breaker_state::half_open);
        probe = permit;
        probe_at = under_way.size();
        RC_ASSERT(++probes == 1);
      }
      if (permit) under_way.push_back(permit);
    } else if (what == 5) {
      one.now += std::chrono::milliseconds{number * 6};
    } else if (!under_way.empty()) {
      const std::size_t which = static_cast<std::size_t>(number) % under_way.size();
      const auto permit = under_way[which];
      const bool was_probe = probes == 1 && which == probe_at;
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(which));
      if (which < probe_at) --probe_at;
      if (what == 2) one.tested.succeeded(permit, one.now);
      if (what == 3) one.tested.failed(permit, one.now);
      if (what == 4) one.tested.dropped(permit);
      if (was_probe) {
        probes = 0;
        RC_ASSERT(one.state() == (what == 2   ? breaker_state::closed
                                  : what == 3 ? breaker_state::open
                                              : breaker_state::half_open));
      } else if (before != breaker_state::closed) {
        RC_ASSERT(one.state() == before);
      }
    }
    if (one.state() == breaker_state::open) RC_ASSERT(one.tested.retry_at() <= one.now + 5s);
  }
}

TEST(breaker_options, errors_name_the_field) {
  const struct {
    breaker_options how;
    const char* field;
  } cases[] = {
      {{.failure_ratio = -0.1}, "failure_ratio"},
      {{.failure_ratio = 1.1}, "failure_ratio"},
      {{.failure_ratio = std::numeric_limits<double>::quiet_NaN()}, "failure_ratio"},
      {{.least_calls = 0}, "least_calls"},
      {{.window = 999us}, "window"},
      {{.first_pause = 0s}, "first_pause"},
      {{.first_pause = 6s}, "most_pause"},
      {{.most_pause = 25h}, "most_pause"},
  };
  EXPECT_TRUE(validate(breaker_options{}));
  EXPECT_TRUE(validate({.in_a_row = 0, .failure_ratio = 0}));
  for (const auto& [how, field] : cases) {
    const auto checked = validate(how);
    ASSERT_FALSE(checked) << field;
    EXPECT_TRUE(checked.error() == errc::invalid_argument);
    EXPECT_THAT(checked.error().message(), HasSubstr(field));
  }
}

}  // namespace
}  // namespace seawall::tier

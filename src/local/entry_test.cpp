#include "seawall/local/entry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace seawall::local {
namespace {

using namespace std::chrono_literals;

constexpr time_point at(duration since_start) { return time_point{} + 1h + since_start; }

struct extras {
  duration sliding{}, stale_for{}, stale_if_error{}, refresh_before{}, xfetch_scale{};
};

// Written at 0, fresh until `end`, and whatever else is asked for.
entry_times fresh_until(time_point end, extras rest = {}) {
  return {at(0s),        end, end, rest.sliding, rest.stale_for, rest.stale_if_error, rest.refresh_before,
          rest.xfetch_scale};
}
entry_times fresh_for(duration span, extras rest = {}) { return fresh_until(at(span), rest); }
entry_times endless(extras rest = {}) { return fresh_until(never, rest); }

// As the cache does: a use counts while the entry is fresh.
void use(entry_times& times, time_point now) {
  const entry_times seen = stored_times{times}.get();
  if (now < seen.fresh_until) stored_times{times}.use(seen, now);
}
void expire(entry_times& times, time_point now) { stored_times{times}.expire(now); }

TEST(EntryTimes, EachSpanCountsFromTheEndOfFreshness) {
  const auto times = fresh_for(60s, {.stale_for = 10s, .stale_if_error = 30s});
  EXPECT_EQ(times.stale_until(), at(70s));
  EXPECT_EQ(times.error_until(), at(90s));
  EXPECT_EQ(times.keep_until(), at(90s));
  EXPECT_EQ(fresh_for(60s, {.stale_for = 40s, .stale_if_error = 30s}).keep_until(), at(100s));
  EXPECT_EQ(fresh_for(60s).keep_until(), at(60s));
}

TEST(EntryTimes, SpansSaturateAtNever) {
  const auto times = endless({.stale_for = 1h, .stale_if_error = forever});
  EXPECT_EQ(times.stale_until(), never);
  EXPECT_EQ(times.error_until(), never);
  EXPECT_EQ(times.keep_until(), never);
  EXPECT_EQ(times.attention_from(), never);
  EXPECT_EQ(fresh_for(60s, {.stale_for = forever}).keep_until(), never);
}

TEST(EntryTimes, WithoutEarlyRefreshAttentionBeginsWithStaleness) {
  EXPECT_EQ(fresh_for(60s).attention_from(), at(60s));
  EXPECT_EQ(fresh_for(60s, {.stale_for = 1h}).attention_from(), at(60s));
}

TEST(EntryTimes, AttentionBeginsWithTheEarlierOfRefreshAheadAndXFetch) {
  EXPECT_EQ(fresh_for(60s, {.refresh_before = 12s}).attention_from(), at(48s));
  EXPECT_EQ(fresh_for(60s, {.xfetch_scale = 1s}).attention_from(), at(60s - 37s));
  EXPECT_EQ(fresh_for(60s, {.refresh_before = 12s, .xfetch_scale = 1s}).attention_from(), at(60s - 37s));
  EXPECT_EQ(fresh_for(60s, {.refresh_before = 50s, .xfetch_scale = 1s}).attention_from(), at(10s));
}

TEST(EntryTimes, AttentionNeverComesAfterTheEndOfFreshness) {
  auto sliding = fresh_for(60s, {.sliding = 5s, .refresh_before = 12s});
  sliding.fresh_until = at(5s);
  EXPECT_EQ(sliding.attention_from(), at(5s)) << "idle before the refresh is due";
}

TEST(EntryTimes, AttentionSaturatesAtTheBeginningOfTime) {
  EXPECT_EQ(fresh_for(60s, {.refresh_before = forever}).attention_from(), time_point{});
  EXPECT_EQ(fresh_for(60s, {.xfetch_scale = forever}).attention_from(), time_point{});
  EXPECT_EQ(fresh_for(60s, {.xfetch_scale = duration::max() / 37 + 1ns}).attention_from(), time_point{});
  EXPECT_EQ(endless({.xfetch_scale = 1s}).attention_from(), never - 37s);
}

TEST(EntryTimes, AUseMovesASlidingEntryUpToItsCapAndNeverBack) {
  auto times = fresh_for(60s, {.sliding = 20s});
  times.fresh_until = at(20s);
  struct {
    duration used_at, then_fresh_until;
  } const uses[] = {{5s, 25s}, {24s, 44s}, {30s, 50s}, {29s, 50s}, {45s, 60s}, {59s, 60s}};
  for (const auto& [used_at, then_fresh_until] : uses) {
    use(times, at(used_at));
    EXPECT_EQ(times.fresh_until, at(then_fresh_until)) << "used at " << used_at.count();
  }
}

TEST(EntryTimes, AUseMovesNothingWithoutSliding) {
  auto times = fresh_for(60s);
  use(times, at(59s));
  EXPECT_EQ(times.fresh_until, at(60s));
}

TEST(EntryTimes, SlidingSaturates) {
  auto times = endless({.sliding = forever});
  times.fresh_until = at(2s);
  use(times, at(1s));
  EXPECT_EQ(times.fresh_until, never);
}

TEST(EntryTimes, AUseThatSawItFreshDoesNotUndoAnExpiry) {
  auto times = fresh_for(60s, {.sliding = 20s});
  times.fresh_until = at(20s);
  const entry_times seen = stored_times{times}.get();
  expire(times, at(10s));
  EXPECT_FALSE(stored_times{times}.use(seen, at(10s)));
  EXPECT_EQ(times.fresh_until, at(10s));
}

TEST(EntryTimes, ExpireEndsFreshnessAndCountsTheStaleSpansFromThen) {
  auto times = fresh_for(60s, {.sliding = 5s, .stale_for = 10s, .stale_if_error = 30s, .refresh_before = 12s});
  expire(times, at(20s));
  EXPECT_EQ(times.fresh_until, at(20s));
  EXPECT_EQ(times.stale_until(), at(30s));
  EXPECT_EQ(times.keep_until(), at(50s));
  use(times, at(20s));
  EXPECT_EQ(times.fresh_until, at(20s)) << "a use does not make it fresh again";
}

TEST(EntryTimes, ExpireDoesNotProlongWhatIsStaleAlready) {
  auto times = fresh_for(60s, {.stale_for = 10s});
  expire(times, at(65s));
  EXPECT_EQ(times.stale_until(), at(70s));
}

TEST(EntryTimes, AnIdleEntryThatIsExpiredDoesNotSlideAnyMore) {
  auto times = fresh_for(60s, {.sliding = 20s, .stale_for = 30s});
  times.fresh_until = at(20s);
  expire(times, at(30s));
  use(times, at(31s));
  EXPECT_EQ(times.stale_until(), at(50s));
}

TEST(EntryTimes, ExpireEndsAnEntryWithoutATtl) {
  auto times = endless({.stale_for = 10s});
  expire(times, at(5s));
  EXPECT_EQ(times.keep_until(), at(15s));
}

RC_GTEST_PROP(EntryTimesProperty, UsesAndExpiryKeepTheTimesInOrder, ()) {
  const auto span = rc::gen::map(rc::gen::inRange(0, 100), [](int count) { return count * 1s; });
  auto times = fresh_for(*span, {.sliding = *span, .stale_for = *span, .stale_if_error = *span,
                                 .refresh_before = *span, .xfetch_scale = *span / 10});
  times.fresh_until = times.sliding > 0s ? std::min(at(times.sliding), times.fresh_cap) : times.fresh_cap;
  const time_point cap = times.fresh_cap;
  time_point now = at(0s);
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20))) {
    now += step * 1s;
    const time_point before = times.fresh_until;
    if (*rc::gen::weightedElement<bool>({{9, true}, {1, false}})) {
      use(times, now);
      RC_ASSERT(times.fresh_until >= before);
    } else {
      expire(times, now);
      RC_ASSERT(times.fresh_until <= now);
    }
    RC_ASSERT(times.attention_from() <= times.fresh_until);
    RC_ASSERT(times.fresh_until <= times.fresh_cap && times.fresh_cap <= cap);
    RC_ASSERT(times.fresh_until <= times.stale_until() && times.stale_until() <= times.keep_until());
    RC_ASSERT(times.error_until() <= times.keep_until());
  }
}

}  // namespace
}  // namespace seawall::local

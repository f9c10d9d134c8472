// What local_cache makes of time: to the tick, never later, and without anybody touching a key.
#include "seawall/local_cache.hpp"

#include "local_test_support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using local::counted;
using local::lagging_clock;
using numbers = local_cache<int, int>;

// Deadlines are rounded down to a tick, a good millisecond.
time_point ticked(time_point moment) {
  const auto tick = eviction::tick::of(moment.time_since_epoch().count());
  return time_point{duration{static_cast<std::int64_t>(tick << eviction::tick::shift)}};
}

class LocalCacheTime : public ::testing::Test {
 protected:
  std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
  time_point start = time->now();
};

TEST_F(LocalCacheTime, ServesUntilOneNanosecondBeforeTheDeadline) {
  numbers cache{{.ttl = 10s, .clock = time}};
  cache.put(1, 1);
  cache.put(2, 2, {.ttl = 1s});
  cache.put(3, 3, {.ttl = forever});
  const time_point first = ticked(start + 1s);
  const time_point second = ticked(start + 10s);
  EXPECT_GT(second, start + 10s - 1'049us);
  EXPECT_LE(second, start + 10s);
  EXPECT_EQ(cache.find(1)->deadline, second);
  time->advance_to(first - 1ns);
  EXPECT_TRUE(cache.contains(2));
  EXPECT_EQ(cache.get(2), 2);
  time->advance_to(first);
  EXPECT_FALSE(cache.contains(2));
  EXPECT_EQ(cache.get(2), std::nullopt);
  EXPECT_FALSE(cache.find(2));
  EXPECT_FALSE(cache.remove(2));
  time->advance_to(second - 1ns);
  EXPECT_EQ(cache.get(1), 1);
  time->advance_to(second);
  EXPECT_EQ(cache.get(1), std::nullopt);
  time->advance(24h * 365);
  EXPECT_EQ(cache.get(3), 3);
}

// A value that has expired and that the sweep has not found yet.
class LocalCacheExpired : public ::testing::Test {
 protected:
  LocalCacheExpired() {
    cache.put(1, 1);
    time->advance(50ms);
  }
  void SetUp() override { ASSERT_EQ(cache.size(), 1u); }
  void TearDown() override { EXPECT_NO_THROW(cache.machinery().check()); }

  std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>();
  numbers cache{{.ttl = 50ms, .clock = time}};
};

TEST_F(LocalCacheExpired, IsInsertedByPut) { EXPECT_EQ(cache.put(1, 2), put_result::inserted); }
TEST_F(LocalCacheExpired, IsAbsentForPutIfAbsent) { EXPECT_TRUE(cache.put_if_absent(1, 2)); }
TEST_F(LocalCacheExpired, IsNotReplaced) {
  EXPECT_FALSE(cache.replace(1, 2));
  EXPECT_FALSE(cache.replace_if_equal(1, 1, 2));
  EXPECT_FALSE(cache.get(1));
}
TEST_F(LocalCacheExpired, IsNotRemoved) {
  EXPECT_FALSE(cache.remove_if(1, [](int) { return true; }));
  EXPECT_FALSE(cache.remove(1));
}
TEST_F(LocalCacheExpired, IsNotComputedFrom) {
  EXPECT_EQ(cache.compute(1, [](const int* now) { return std::optional(now == nullptr ? 7 : 8); }), 7);
}
TEST_F(LocalCacheExpired, IsNotLookedAt) {
  cache.for_each([](int, int) { FAIL(); });
  EXPECT_TRUE(cache.coldest(10).empty());
}

TEST_F(LocalCacheTime, EachUseMovesTheDeadlineOfAnIdlingEntry) {
  numbers cache{{.idle = 10s, .clock = time}};
  cache.put(1, 1);
  cache.put(2, 2);
  cache.put(3, 3);
  time->advance_to(start + 9s);
  EXPECT_EQ(cache.get(1), 1);
  EXPECT_TRUE(cache.find(3));
  EXPECT_TRUE(cache.contains(2)) << "but this is no use";
  time->advance_to(ticked(start + 19s) - 1ns);
  EXPECT_FALSE(cache.contains(2));
  EXPECT_TRUE(cache.contains(1));
  EXPECT_TRUE(cache.contains(3));
  time->advance_to(start + 19s);
  EXPECT_FALSE(cache.contains(1));
  EXPECT_FALSE(cache.contains(3));
}

TEST_F(LocalCacheTime, IdleOfOneEntry) {
  numbers cache{{.ttl = 1h, .clock = time}};
  cache.put(1, 1, {.idle = 1s});
  cache.put(2, 2);
  time->advance_to(start + 900ms);
  EXPECT_TRUE(cache.get(1));
  time->advance_to(ticked(start + 1900ms) - 1ns);
  EXPECT_TRUE(cache.contains(1));
  time->advance_to(start + 1900ms);
  EXPECT_FALSE(cache.contains(1));
  EXPECT_TRUE(cache.contains(2));
  cache.put(3, 3, {.ttl = 1min, .idle = 1s});
  EXPECT_TRUE(cache.get(3));
  time->advance(2s);
  EXPECT_TRUE(cache.contains(3)) << "a use does not shorten a life";
}

TEST_F(LocalCacheTime, StaleValuesAreFoundButNotGot) {
  numbers cache{{.ttl = 10s, .stale_for = 5s, .clock = time}};
  cache.put(1, 1);
  EXPECT_EQ(cache.find(1)->deadline, ticked(start + 15s));
  time->advance_to(ticked(start + 15s) - 5s - 1ns);
  EXPECT_FALSE(cache.find(1)->stale);
  EXPECT_TRUE(cache.get(1));
  time->advance_to(start + 10s);
  EXPECT_FALSE(cache.get(1));
  EXPECT_FALSE(cache.contains(1));
  ASSERT_TRUE(cache.find(1));
  EXPECT_TRUE(cache.find(1)->stale);
  EXPECT_FALSE(cache.put_if_absent(1, 2)) << "a stale value is there";
  int seen = 0;
  cache.for_each([&](int, int) { ++seen; });
  EXPECT_EQ(seen, 1);
  time->advance_to(ticked(start + 15s) - 1ns);
  EXPECT_TRUE(cache.find(1));
  EXPECT_TRUE(cache.replace(1, 2));
  time->advance_to(start + 30s);
  EXPECT_FALSE(cache.find(1));
}

TEST_F(LocalCacheTime, AUseOfAStaleEntryDoesNotRevive) {
  numbers cache{{.idle = 10s, .stale_for = 5s, .clock = time}};
  cache.put(1, 1);
  time->advance_to(start + 10s);
  EXPECT_TRUE(cache.find(1)->stale);
  EXPECT_TRUE(cache.find(1)->stale);
  time->advance_to(start + 15s);
  EXPECT_FALSE(cache.find(1));
}

TEST_F(LocalCacheTime, LivesToTheEndOfTime) {
  numbers cache{{.clock = time}};
  const duration rest = never - start;
  cache.put(1, 1, {.ttl = rest - 1ns});
  cache.put(2, 2, {.ttl = rest - 1ns, .stale_for = 1ns});
  cache.put(3, 3, {.idle = rest - 1ns});
  EXPECT_TRUE(cache.get(1) && cache.get(2) && cache.get(3));
  time->advance(24h);
  EXPECT_TRUE(cache.get(1) && cache.get(2) && cache.get(3));
}

TEST_F(LocalCacheTime, MemoryOfExpiredEntriesIsGivenBackByATimer) {
  {
    local_cache<int, counted> cache{{.ttl = 10s, .clock = time}};
    for (int i = 0; i != 1'000; ++i) cache.put(i, i);
    cache.put(1'000, 1'000, {.ttl = 1h});
    cache.put(1'001, 1'001, {.ttl = forever, .pinned = true});
    cache.put(1'002, 1'002, {.ttl = 1s, .pinned = true});
    time->advance_to(start + 9s);
    EXPECT_EQ(counted::alive, 1'002);
    EXPECT_EQ(cache.size(), 1'002u);
    time->advance_to(start + 11s);
    EXPECT_EQ(counted::alive, 2);
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_EQ(cache.stats().evicted(removal_cause::expired), 1'001u);
    time->advance_to(start + 2h);
    EXPECT_EQ(counted::alive, 1);
    EXPECT_EQ(time->next_timer(), never) << "nothing can expire any more";
    cache.machinery().check();
  }
  EXPECT_EQ(counted::alive, 0);
}

TEST_F(LocalCacheTime, ASingleEntryOfALargeCacheIsGivenBackToo) {
  local_cache<int, counted> cache{{.capacity = 100'000, .clock = time}};
  cache.put(1, 1, {.ttl = 1s});
  time->advance(2s);
  EXPECT_EQ(counted::alive, 0);
  cache.put(2, 2, {.ttl = 1min});
  cache.put(3, 3, {.ttl = 1s});  // earlier than what the timer waits for
  time->advance(2s);
  EXPECT_EQ(counted::alive, 1);
}

TEST_F(LocalCacheTime, UsesPutTheSweepOff) {
  local_cache<int, counted> cache{{.idle = 1s, .clock = time}};
  cache.put(1, 1);
  for (int i = 0; i != 20; ++i) {
    time->advance(900ms);
    ASSERT_TRUE(cache.get(1)) << i;
  }
  time->advance(3s);
  EXPECT_EQ(counted::alive, 0);
}

TEST_F(LocalCacheTime, ManyChunksAreSweptPieceByPiece) {
  struct large {
    counted number;
    std::array<char, 4'000> rest{};
  };
  local_cache<int, large> cache{{.capacity = 10'000, .clock = time}};
  for (int i = 0; i != 2'500; ++i) cache.put(i, large{i}, {.ttl = 1s});
  EXPECT_EQ(counted::alive, 2'500);
  time->advance(10s);
  EXPECT_EQ(counted::alive, 0);
}

TEST_F(LocalCacheTime, ATimerThatComesTooLateForTheCacheDoesNothing) {
  {
    numbers cache{{.ttl = 1s, .clock = time}};
    cache.put(1, 1);
  }
  EXPECT_EQ(time->next_timer(), never);
  time->advance(10s);
}

TEST_F(LocalCacheTime, TellsNobodyWhenOnlyItsStatisticsLiveOn) {
  int told = 0;
  std::shared_ptr<const stats_source> handle;
  {
    local_cache<int, int> numbers{{.ttl = 1s, .on_removal = [&](int, int, removal_cause) { ++told; }, .clock = time}};
    handle = numbers.stats_handle();
    numbers.put(1, 1);
  }
  time->advance(1h);
  EXPECT_EQ(told, 0);
  EXPECT_EQ(time->next_timer(), never);
  EXPECT_EQ(handle->stats().entries, 1u);
}

TEST_F(LocalCacheTime, HasRoomForSomeProfilesAndSaysSo) {
  numbers cache{{.name = "many", .clock = time}};
  for (int i = 1; i != 32; ++i) cache.put(i, i, {.idle = i * 1s});
  cache.put(1'000, 1, {.idle = 31s});
  try {
    cache.put(1'001, 1, {.idle = 32s});
    FAIL();
  } catch (const std::length_error& full) {
    EXPECT_NE(std::string(full.what()).find("local_cache 'many'"), std::string::npos);
  }
  EXPECT_FALSE(cache.contains(1'001));
  EXPECT_TRUE(cache.contains(31));
  cache.put(1'001, 1);
  EXPECT_TRUE(cache.contains(1'001));
}

// ---- a clock that lags, as the system's coarse one does ----

TEST(LocalCacheLag, NothingIsServedAtItsDeadlineOrDroppedBefore) {
  const auto time = std::make_shared<lagging_clock>();
  numbers cache{{.clock = time}};
  for (const duration ttl : {duration{5ms}, duration{1s}, duration{7999ms}}) {  // short: on the exact clock
    const time_point began = time->exact.now();
    cache.put(1, 1, {.ttl = ttl});
    time->exact.advance_to(ticked(began + ttl) - 1ns);
    EXPECT_TRUE(cache.get(1));
    time->exact.advance_to(began + ttl);
    EXPECT_FALSE(cache.get(1));
  }
  cache.put(1, 1, {.ttl = 1h});  // long: up to the lag early
  time->exact.advance(1h - lagging_clock::lag - duration{eviction::tick::length});
  EXPECT_TRUE(cache.get(1));
  time->exact.advance(lagging_clock::lag + duration{eviction::tick::length});
  EXPECT_FALSE(cache.get(1));
}

TEST(LocalCacheLag, NothingIsFreshWhenItsStaleTimeHasBegun) {
  const auto time = std::make_shared<lagging_clock>();
  numbers cache{{.ttl = 1h, .stale_for = 1h, .clock = time}};
  cache.put(1, 1);
  const time_point stale_from = cache.find(1)->deadline - 1h;
  time->exact.advance_to(stale_from - 1ns);
  EXPECT_TRUE(cache.get(1));
  time->exact.advance_to(stale_from);
  EXPECT_FALSE(cache.get(1));
  EXPECT_TRUE(cache.find(1)->stale);
}

TEST(LocalCacheLag, WhatHasExpiredIsAbsentForWritersToo) {
  const auto time = std::make_shared<lagging_clock>();
  numbers cache{{.clock = time}};
  const auto expire = [&] {
    cache.put(1, 1, {.ttl = 50ms});
    time->exact.advance(50ms);  // the sweep has not come yet
  };
  expire();
  EXPECT_TRUE(cache.put_if_absent(1, 2, {.ttl = 1h})) << "it was stored, and must say so";
  EXPECT_EQ(cache.get(1), 2);
  expire();
  EXPECT_FALSE(cache.replace(1, 3, {.ttl = 1h}));
  expire();
  EXPECT_EQ(cache.put(1, 4, {.ttl = 1h}), put_result::inserted);
  expire();
  EXPECT_FALSE(cache.remove(1));
}

}  // namespace
}  // namespace seawall

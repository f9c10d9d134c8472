// The limits of a local_cache: who keeps them, what is refused, what the listener hears.
#include "seawall/local_cache.hpp"

#include "local_test_support.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using local::removal_log;
using numbers = local_cache<int, int>;

class EveryPolicy : public ::testing::TestWithParam<eviction_policy> {};

TEST_P(EveryPolicy, KeepsItsCapacityAtAllTimes) {
  for (const std::size_t capacity : {1, 2, 3, 10, 1'000, 5'000}) {
    numbers cache{{.capacity = capacity, .policy = GetParam(), .ttl = 1h}};
    for (int i = 0; i != 2 * static_cast<int>(capacity) + 20; ++i) {
      cache.put(i, i);
      ASSERT_LE(cache.size(), capacity);
      if (i % 3 == 0) cache.get(i / 2);
    }
    EXPECT_GE(cache.size(), capacity - capacity / 8) << "of " << capacity;
    cache.machinery().check();
  }
}

TEST_P(EveryPolicy, KeepsItsWeight) {
  local_cache<int, int> cache{{.capacity = 1'000, .max_weight = 500, .policy = GetParam(), .ttl = 1h,
                               .weigher = [](int, int value) { return std::size_t(value); }}};
  for (int i = 0; i != 2'000; ++i) {
    cache.put(i % 700, 1 + i % 50);
    ASSERT_LE(cache.stats().bytes, 500u);
  }
  EXPECT_GE(cache.stats().bytes, 400u);
  cache.machinery().check();
}

TEST_P(EveryPolicy, ServesWhatFits) {
  numbers cache{{.capacity = 100, .policy = GetParam(), .ttl = 1h}};
  for (int i = 0; i != 80; ++i) cache.put(i, i);
  for (int i = 0; i != 80; ++i) ASSERT_EQ(cache.get(i), i);
}

TEST_P(EveryPolicy, ShrinksAndGrows) {
  const bool evicts = GetParam() != eviction_policy::noeviction;
  numbers cache{{.capacity = 10'000, .policy = GetParam(), .ttl = 1h}};
  for (int i = 0; i != 10'000; ++i) cache.put(i, i);
  cache.resize(100);
  EXPECT_EQ(cache.capacity(), 100u);
  if (evicts) {
    EXPECT_LE(cache.size(), 100u);
    EXPECT_GT(cache.size(), 0u);
    cache.machinery().check();
  } else {
    EXPECT_EQ(cache.size(), 10'000u) << "nothing is ever evicted";
    for (int i = 0; i != 10'000; ++i) ASSERT_EQ(cache.get(i), i);
    EXPECT_EQ(cache.put(-1, 0), put_result::refused);
  }
  cache.resize(20'000);
  cache.clear();
  for (int i = 0; i != 15'000; ++i) cache.put(i, i);
  for (int i = 14'500; i != 15'000; ++i) ASSERT_EQ(cache.get(i), i);
  EXPECT_EQ(cache.size(), 15'000u);
  cache.machinery().check();
}

TEST_P(EveryPolicy, PinnedEntriesStayAndTakeNoRoomFromTheOthers) {
  for (const int pinned : {10, 110, 128, 150, 400}) {
    numbers cache{{.capacity = 100, .policy = GetParam(), .ttl = 1h}};
    for (int i = 0; i != pinned; ++i) ASSERT_EQ(cache.put(i, i, {.pinned = true}), put_result::inserted);
    for (int i = 1'000; i != 3'000; ++i) cache.put(i, i);
    for (int i = 0; i != pinned; ++i) ASSERT_EQ(cache.get(i), i);
    EXPECT_GE(cache.size(), std::size_t(pinned) + 80u) << "beside " << pinned;
    EXPECT_LE(cache.size(), std::size_t(pinned) + 100u);
    cache.machinery().check();
    const bool full = GetParam() == eviction_policy::noeviction;
    EXPECT_EQ(cache.put(0, 1), full ? put_result::refused : put_result::replaced) << "it is not pinned any more";
    cache.machinery().check();
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryPolicy, ::testing::ValuesIn(local::all_policies), [](const auto& which) {
  std::string name(to_string(which.param));
  std::erase(name, '-');
  return name;
});

TEST(LocalCacheLimits, NoevictionRefusesAndRecovers) {
  numbers cache{{.capacity = 3, .policy = eviction_policy::noeviction}};
  for (int i = 0; i != 3; ++i) ASSERT_EQ(cache.put(i, i), put_result::inserted);
  EXPECT_EQ(cache.put(3, 3), put_result::refused);
  EXPECT_FALSE(cache.put_if_absent(3, 3));
  EXPECT_FALSE(cache.contains(3));
  EXPECT_EQ(cache.put(1, 10), put_result::replaced) << "a full cache still takes new values for its keys";
  EXPECT_TRUE(cache.replace(1, 11));
  EXPECT_EQ(cache.compute(1, [](const int* now) { return std::optional(*now + 1); }), 12);
  EXPECT_EQ(cache.put(7, 7, {.pinned = true}), put_result::inserted);
  cache.remove(2);
  EXPECT_EQ(cache.put(3, 3), put_result::inserted);
  EXPECT_EQ(cache.put(4, 4), put_result::refused);
  cache.machinery().check();
}

TEST(LocalCacheLimits, AnExpiredEntryMakesRoomForItsSuccessor) {
  for (const auto policy : {eviction_policy::noeviction, eviction_policy::volatile_lru}) {
    const auto time = std::make_shared<manual_clock>();
    numbers cache{{.capacity = 2, .policy = policy, .clock = time}};
    cache.put(0, 0);
    cache.put(1, 1, {.ttl = 1ms});
    time->advance(2ms);  // before the sweep comes
    EXPECT_EQ(cache.put(1, 2), put_result::inserted);
    EXPECT_EQ(cache.put(2, 2), put_result::refused);
    cache.machinery().check();
  }
}

TEST(LocalCacheLimits, VolatilePoliciesKeepWhatHasNoTimeToLive) {
  for (const auto policy : {eviction_policy::volatile_lru, eviction_policy::volatile_lfu,
                            eviction_policy::volatile_random, eviction_policy::volatile_ttl}) {
    numbers cache{{.capacity = 10, .policy = policy}};
    for (int i = 0; i != 6; ++i) cache.put(i, i);
    for (int i = 6; i != 100; ++i) ASSERT_EQ(cache.put(i, i, {.ttl = 1h}), put_result::inserted);
    for (int i = 0; i != 6; ++i) ASSERT_EQ(cache.get(i), i);
    EXPECT_EQ(cache.size(), 10u);
    for (int i = 100; i != 104; ++i) ASSERT_EQ(cache.put(i, i), put_result::inserted) << "instead of one with a ttl";
    EXPECT_EQ(cache.put(104, 1), put_result::refused);
    EXPECT_EQ(cache.put(0, 0, {.ttl = 1h}), put_result::replaced);
    EXPECT_EQ(cache.put(104, 1), put_result::inserted);
    EXPECT_FALSE(cache.contains(0));
    cache.machinery().check();
  }
}

TEST(LocalCacheLimits, WhatIsTooHeavyIsRefusedAndTheOldValueGone) {
  removal_log<int, std::string> log;
  local_cache<int, std::string> cache{{.max_weight = 10,
                                       .weigher = [](int, const std::string& value) { return value.size(); },
                                       .on_removal = log.listener()}};
  EXPECT_EQ(cache.put(1, "12345"), put_result::inserted);
  EXPECT_EQ(cache.put(1, "12345678901"), put_result::refused);
  EXPECT_FALSE(cache.contains(1));
  using row = std::tuple<int, std::string, removal_cause>;
  EXPECT_EQ(log.take(), (std::vector{row{1, "12345", removal_cause::replaced}}));
  EXPECT_EQ(cache.put(1, "1234567890"), put_result::inserted);
  EXPECT_EQ(cache.stats().bytes, 10u);
  EXPECT_EQ(cache.put(2, ""), put_result::inserted) << "weighs nothing: pinned";
  EXPECT_EQ(cache.put(3, "1"), put_result::inserted);
  EXPECT_TRUE(cache.contains(2));
  EXPECT_FALSE(cache.contains(1));
  cache.machinery().check();
}

TEST(LocalCacheLimits, ByDefaultWeighsBytes) {
  local_cache<int, std::string> cache{{.max_weight = 1 << 20}};
  cache.put(1, "");
  const std::uint64_t empty = cache.stats().bytes;
  EXPECT_GT(empty, sizeof(int) + sizeof(std::string));
  cache.put(1, std::string(1'000, 'x'));
  EXPECT_GE(cache.stats().bytes, empty + 1'000);
}

TEST(LocalCacheLimits, AHeavierValueOnAFullNoevictionCacheIsRefused) {
  local_cache<int, int> cache{{.max_weight = 10, .policy = eviction_policy::noeviction,
                               .weigher = [](int, int value) { return std::size_t(value); }}};
  cache.put(1, 5);
  cache.put(2, 4);
  EXPECT_EQ(cache.put(2, 3), put_result::replaced);
  EXPECT_EQ(cache.put(2, 2 + 9), put_result::refused);
  EXPECT_FALSE(cache.contains(2));
  EXPECT_EQ(cache.put(3, 5), put_result::inserted);
  EXPECT_EQ(cache.put(4, 1), put_result::refused);
  cache.machinery().check();
}

// ---- the listener ----

TEST(LocalCacheListener, HearsEveryCause) {
  const auto time = std::make_shared<manual_clock>();
  removal_log<int, int> log;
  numbers cache{{.capacity = 2, .policy = eviction_policy::fifo, .on_removal = log.listener(), .clock = time}};
  using row = std::tuple<int, int, removal_cause>;
  cache.put(1, 1);
  cache.put(1, 2);
  EXPECT_EQ(log.take(), (std::vector{row{1, 1, removal_cause::replaced}}));
  cache.remove(1);
  EXPECT_EQ(log.take(), (std::vector{row{1, 2, removal_cause::invalidated}}));
  cache.put(1, 1);
  cache.put(2, 2);
  cache.put(3, 3);
  EXPECT_EQ(log.take(), (std::vector{row{1, 1, removal_cause::capacity}}));
  cache.remove(2);
  log.take();
  cache.clear();
  EXPECT_EQ(log.take(), (std::vector{row{3, 3, removal_cause::cleared}}));
  cache.put(4, 4, {.ttl = 1s});
  cache.put(5, 5, {.ttl = 10ms});
  time->advance(20ms);
  cache.put(5, 6);  // before the sweep
  EXPECT_EQ(log.take(), (std::vector{row{5, 5, removal_cause::expired}}));
  time->advance(10s);
  EXPECT_EQ(log.take(), (std::vector{row{4, 4, removal_cause::expired}}));
  cache.compute(5, [](const int*) { return std::optional<int>{}; });
  EXPECT_EQ(log.take(), (std::vector{row{5, 6, removal_cause::invalidated}}));
  cache.put(6, 6);
  cache.put(6, 7, {.ttl = 0s});
  EXPECT_EQ(log.take(), (std::vector{row{6, 6, removal_cause::replaced}}));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(LocalCacheListener, IsNotCalledForWhatIsThereAtTheEnd) {
  removal_log<int, int> log;
  {
    numbers cache{{.on_removal = log.listener()}};
    cache.put(1, 1);
  }
  EXPECT_TRUE(log.take().empty());
}

TEST(LocalCacheListener, MayCallTheCache) {
  numbers* self = nullptr;
  std::map<int, std::vector<int>> heard;  // by key
  int reactions = 0;
  numbers cache{{.capacity = 50, .on_removal = [&](int key, int value, removal_cause cause) {
    heard[key].push_back(value);
    if (++reactions < 200) {
      if (cause == removal_cause::invalidated) self->put(key, value + 1);
      if (cause == removal_cause::replaced) self->remove(key);
      if (cause == removal_cause::cleared && key == 7) self->clear();
      self->put(1'000 + key, value);
      self->get(key);
      self->tidy();
      self->compute(2'000, [](const int*) { return std::optional(1); });
    }
  }}};
  self = &cache;
  cache.put(1, 1);
  cache.remove(1);
  EXPECT_EQ(cache.get(1), 2);
  cache.put(1, 3);
  EXPECT_GE(heard[1].size(), 2u);
  for (int i = 0; i != 300; ++i) cache.put(i, i);
  cache.clear();
  cache.tidy();
  EXPECT_GT(reactions, 200);
  cache.machinery().check();
}

TEST(LocalCacheListener, HearsOfAKeyInTheOrderInWhichItsValuesLeft) {
  std::map<int, int> last;
  std::uint64_t heard = 0;
  numbers cache{{.capacity = 20, .on_removal = [&](int key, int value, removal_cause) {
    EXPECT_GT(value, last[key]);
    last[key] = value;
    ++heard;
  }}};
  std::uint64_t left = 0;
  for (int i = 1; i != 5'000; ++i) {
    const int key = i * 7919 % 31;
    if (i % 11 == 0) left += cache.remove(key);
    else cache.put(key, i);
  }
  cache.clear();
  const cache_stats stats = cache.stats();
  std::uint64_t sum = 0;
  for (const std::uint64_t one : stats.evictions) sum += one;
  EXPECT_EQ(heard, sum);
  EXPECT_EQ(stats.evicted(removal_cause::invalidated), left);
}

TEST(LocalCacheLimits, AKeyThatIsAskedForStaysAmongThoseWithItsHash) {
  local_cache<int, int, local::one_bucket> numbers{{.capacity = 1'000}};
  for (int i = 0; i != 8; ++i) numbers.put(i, i);
  for (int round = 0; round != 3; ++round) ASSERT_EQ(numbers.get(3), 3);
  for (int i = 100; i != 2'000; ++i) numbers.put(i, i);
  EXPECT_EQ(numbers.get(3), 3) << "the others were not asked for";
  EXPECT_EQ(numbers.size(), 8u);
  EXPECT_EQ(numbers.stats().evicted(removal_cause::capacity), 1'900u);
  numbers.machinery().check();
}

}  // namespace
}  // namespace seawall

// Every member of local_cache, one thread, time standing still.
#include "seawall/local_cache.hpp"

#include "local_test_support.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using local::counted;
using local::fragile;

TEST(LocalCache, AnswersWithWhatWasPutLast) {
  local_cache<std::string, int> numbers;
  EXPECT_EQ(numbers.get("one"), std::nullopt);
  EXPECT_EQ(numbers.put("one", 1), put_result::inserted);
  EXPECT_EQ(numbers.get("one"), 1);
  EXPECT_EQ(numbers.put("one", 11), put_result::replaced);
  EXPECT_EQ(numbers.put("two", 2), put_result::inserted);
  EXPECT_EQ(numbers.get("one"), 11);
  EXPECT_EQ(numbers.get("two"), 2);
  EXPECT_EQ(numbers.size(), 2u);
  numbers.machinery().check();
}

TEST(LocalCache, ReadsInFourWays) {
  local_cache<std::string, std::string> words;
  words.put("key", "value");
  std::string into = "old";
  EXPECT_FALSE(words.get("other", into));
  EXPECT_EQ(into, "old");
  EXPECT_TRUE(words.get("key", into));
  EXPECT_EQ(into, "value");
  std::string seen;
  EXPECT_TRUE(words.visit("key", [&](const std::string& value) { seen = value; }));
  EXPECT_EQ(seen, "value");
  EXPECT_FALSE(words.visit("other", [&](const std::string&) { FAIL(); }));
  const auto found = words.find("key");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->value, "value");
  EXPECT_FALSE(found->stale);
  EXPECT_EQ(found->deadline, never);
  EXPECT_FALSE(words.find("other"));
  EXPECT_TRUE(words.contains("key"));
  EXPECT_FALSE(words.contains("other"));
}

TEST(LocalCache, CountsEachReadOnceButNotContains) {
  local_cache<int, int> numbers;
  numbers.put(1, 1);
  numbers.get(1);
  numbers.find(1);
  numbers.visit(1, [](int) {});
  numbers.get(2);
  numbers.find(2);
  numbers.contains(1);
  numbers.contains(2);
  const cache_stats stats = numbers.stats();
  EXPECT_EQ(stats.total.hits, 3u);
  EXPECT_EQ(stats.total.misses, 2u);
  EXPECT_EQ(stats.entries, 1u);
}

TEST(LocalCache, StoresOnlyWhereNothingIs) {
  local_cache<int, int> numbers;
  EXPECT_TRUE(numbers.put_if_absent(1, 10));
  EXPECT_FALSE(numbers.put_if_absent(1, 11));
  EXPECT_EQ(numbers.get(1), 10);
}

TEST(LocalCache, ReplacesOnlyWhatIsThere) {
  local_cache<int, int> numbers;
  EXPECT_FALSE(numbers.replace(1, 10));
  EXPECT_FALSE(numbers.contains(1));
  numbers.put(1, 1);
  EXPECT_TRUE(numbers.replace(1, 10));
  EXPECT_EQ(numbers.get(1), 10);
}

TEST(LocalCache, ComparesAndSwaps) {
  local_cache<int, int> numbers;
  EXPECT_FALSE(numbers.replace_if_equal(1, 0, 10));
  numbers.put(1, 1);
  EXPECT_FALSE(numbers.replace_if_equal(1, 2, 10));
  EXPECT_EQ(numbers.get(1), 1);
  EXPECT_TRUE(numbers.replace_if_equal(1, 1, 10));
  EXPECT_EQ(numbers.get(1), 10);
}

TEST(LocalCache, RemovesAlsoOnACondition) {
  local_cache<int, int> numbers;
  numbers.put(1, 1);
  EXPECT_FALSE(numbers.remove(2));
  EXPECT_TRUE(numbers.remove(1));
  EXPECT_FALSE(numbers.remove(1));
  numbers.put(1, 1);
  EXPECT_FALSE(numbers.remove_if(1, [](int value) { return value == 2; }));
  EXPECT_TRUE(numbers.contains(1));
  EXPECT_TRUE(numbers.remove_if(1, [](int value) { return value == 1; }));
  EXPECT_FALSE(numbers.remove_if(1, [](int) { return true; }));
  EXPECT_EQ(numbers.size(), 0u);
}

TEST(LocalCache, RemovesOnlyWhatTheConditionHasSeen) {
  local_cache<int, int> numbers;
  numbers.put(1, 1);
  int calls = 0;
  EXPECT_FALSE(numbers.remove_if(1, [&](int value) {
    if (++calls == 1) numbers.put(1, 2);
    return value == 1;
  }));
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(numbers.get(1), 2);
}

TEST(LocalCache, ComputesFromWhatIsThere) {
  local_cache<int, int> numbers;
  const auto next = [](const int* now) -> std::optional<int> { return now == nullptr ? 1 : *now + 1; };
  EXPECT_EQ(numbers.compute(1, next), 1);
  EXPECT_EQ(numbers.compute(1, next), 2);
  EXPECT_EQ(numbers.get(1), 2);
  EXPECT_EQ(numbers.compute(1, [](const int*) { return std::optional<int>{}; }), std::nullopt);
  EXPECT_FALSE(numbers.contains(1));
  EXPECT_EQ(numbers.compute(1, [](const int*) { return std::optional<int>{}; }), std::nullopt);
}

TEST(LocalCache, ComputeThatThrowsChangesNothing) {
  local_cache<int, int> numbers;
  numbers.put(1, 1);
  const auto fails = [](const int*) -> std::optional<int> { throw std::runtime_error("no"); };
  EXPECT_THROW(numbers.compute(1, fails), std::runtime_error);
  EXPECT_THROW(numbers.compute(2, fails), std::runtime_error);
  EXPECT_EQ(numbers.get(1), 1);
  EXPECT_FALSE(numbers.contains(2));
  numbers.machinery().check();
}

TEST(LocalCache, ComputeMayCallTheCacheAndIsCalledAgainWhenItChangedTheKey) {
  local_cache<int, int> numbers;
  numbers.put(1, 1);
  int calls = 0;
  const auto result = numbers.compute(1, [&](const int* now) -> std::optional<int> {
    if (++calls == 1) {
      numbers.put(1, 10);
      numbers.remove(3);
      numbers.tidy();
      EXPECT_EQ(*now, 1) << "what compute looks at may not be freed";
    }
    return *now + 1;
  });
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(result, 11);
  EXPECT_EQ(numbers.get(1), 11);
}

TEST(LocalCache, ComputeWithoutATimeToLiveEndsAndStoresNothing) {
  local_cache<int, int> numbers;
  int calls = 0;
  const auto one = [&](const int*) {
    if (++calls > 3) throw std::runtime_error("it never ends");
    return std::optional<int>(1);
  };
  numbers.compute(1, one, {.ttl = 0s});
  EXPECT_FALSE(numbers.contains(1));
  numbers.put(1, 7);
  calls = 0;
  numbers.compute(1, one, {.ttl = 0s});
  EXPECT_FALSE(numbers.contains(1));
}

TEST(LocalCache, ATimeToLiveThatIsNotPositiveRefusesAndRemoves) {
  local_cache<int, int> numbers;
  EXPECT_EQ(numbers.put(1, 1, {.ttl = 0s}), put_result::refused);
  numbers.put(1, 1);
  EXPECT_EQ(numbers.put(1, 2, {.ttl = -1ns}), put_result::refused);
  EXPECT_FALSE(numbers.contains(1));
  numbers.put(1, 1);
  EXPECT_FALSE(numbers.put_if_absent(1, 2, {.ttl = 0s}));
  EXPECT_EQ(numbers.get(1), 1) << "the condition did not hold";
}

TEST(LocalCache, ClearLeavesNothing) {
  local_cache<int, counted> numbers;
  for (int i = 0; i != 1'000; ++i) numbers.put(i, i);
  numbers.clear();
  EXPECT_EQ(numbers.size(), 0u);
  EXPECT_EQ(counted::alive, 0);
  for (int i = 0; i != 1'000; ++i) ASSERT_FALSE(numbers.contains(i));
  numbers.put(1, 1);
  EXPECT_TRUE(numbers.contains(1));
  numbers.machinery().check();
}

TEST(LocalCache, VisitsEveryEntryOnce) {
  local_cache<int, int> numbers;
  for (int i = 0; i != 3'000; ++i) numbers.put(i, 2 * i);
  std::set<int> seen;
  numbers.for_each([&](int key, int value) {
    EXPECT_EQ(value, 2 * key);
    EXPECT_TRUE(seen.insert(key).second) << key << " came twice";
  });
  EXPECT_EQ(seen.size(), 3'000u);
}

TEST(LocalCache, ForEachMayChangeTheCache) {
  local_cache<int, std::string> words{{.capacity = 20'000}};
  for (int i = 0; i != 500; ++i) words.put(i, std::to_string(i));
  std::set<int> seen;
  words.for_each([&](int key, const std::string& value) {
    if (key < 500) seen.insert(key);
    if (key < 500 && key % 3 == 0) words.remove(key);
    if (key < 500 && key % 3 == 1) words.put(key, value);
    for (int i = 0; key < 500 && i != 20; ++i) words.put(1'000 + 20 * key + i, "more");  // the table grows under it
    words.tidy();
    ASSERT_FALSE(value.empty()) << "removed, but not to be freed";
  });
  EXPECT_EQ(seen.size(), 500u);
  words.machinery().check();
}

TEST(LocalCache, OrdersFromTheHottestAndFromTheColdest) {
  local_cache<int, int> numbers{{.capacity = 100, .policy = eviction_policy::lru}};
  for (int i = 0; i != 10; ++i) numbers.put(i, i);
  numbers.get(3);
  const auto hottest = numbers.hottest(2);
  ASSERT_EQ(hottest.size(), 2u);
  EXPECT_EQ(hottest[0].first, 3);
  EXPECT_EQ(hottest[1].first, 9);
  const auto coldest = numbers.coldest(100);
  ASSERT_EQ(coldest.size(), 10u);
  EXPECT_EQ(coldest[0].first, 0);
  EXPECT_EQ(coldest[9].first, 3);
  EXPECT_TRUE(numbers.hottest(0).empty());
}

struct spy_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

TEST(LocalCache, LooksUpByAnythingThatHashesAlike) {
  local_cache<std::string, int> ours;
  local_cache<std::string, int, spy_hash> theirs;
  ours.put("key", 1);
  theirs.put("key", 1);
  const std::string_view view = std::string_view("a key").substr(2);
  EXPECT_EQ(ours.get(view), 1);
  EXPECT_EQ(theirs.get(view), 1);
  EXPECT_TRUE(ours.contains(view));
  EXPECT_TRUE(ours.find(view));
  EXPECT_TRUE(ours.remove_if(view, [](int) { return true; }));
  EXPECT_TRUE(theirs.remove(view));
}

// Keys and values need not be assignable, and values not comparable.
struct rigid {
  const int id;
};
TEST(LocalCache, TakesValuesThatCannotBeAssigned) {
  local_cache<int, rigid> values;
  values.put(1, rigid{1});
  values.put(1, rigid{2});
  EXPECT_EQ(values.get(1)->id, 2);
}
TEST(LocalCache, TakesValuesThatCanOnlyBeMoved) {
  local_cache<int, std::unique_ptr<int>> values;
  values.put(1, std::make_unique<int>(7));
  EXPECT_TRUE(values.visit(1, [](const std::unique_ptr<int>& value) { EXPECT_EQ(*value, 7); }));
  EXPECT_TRUE(values.remove(1));
}
struct alignas(64) wide {
  std::array<int, 64> numbers{};
};
TEST(LocalCache, KeepsTheAlignmentOfItsValues) {
  local_cache<char, wide> values;
  for (char key = 0; key != 100; ++key) values.put(key, wide{});
  values.for_each([](char, const wide& value) { ASSERT_EQ(reinterpret_cast<std::uintptr_t>(&value) % 64, 0u); });
}

// Each step of an operation throws in its turn: the cache is as it was before, or the operation was done.
TEST(LocalCache, WhatThrowsChangesNothing) {
  {
    local_cache<fragile, fragile> values;
    values.put(1, 10);
    const int before = fragile::alive;
    int thrown = 0;
    for (int step = 0; step != 20; ++step) {
      for (const int key : {1, 2}) {
        for (int way = 0; way != 5; ++way) {
          fragile::countdown = step;
          try {
            if (way == 0) values.put(key, 20);
            if (way == 1) values.put_if_absent(key, 20);
            if (way == 2) values.replace_if_equal(key, 10, 20);
            if (way == 3) values.compute(key, [](const fragile*) { return std::optional<fragile>(20); });
            if (way == 4) values.remove(key);
            fragile::countdown = -1;
          } catch (const std::runtime_error&) {
            ++thrown;
            fragile::countdown = -1;
            EXPECT_EQ(values.get(1).value_or(0).id, 10) << "way " << way << " step " << step;
            EXPECT_EQ(values.contains(2), false) << "way " << way << " step " << step;
          }
          values.remove(2);
          values.put(1, 10);
          values.tidy();
          ASSERT_EQ(fragile::alive, before) << "way " << way << " step " << step;
        }
      }
    }
    EXPECT_GT(thrown, 20);
    values.machinery().check();
  }
  EXPECT_EQ(fragile::alive, 0);
}

TEST(LocalCache, KeysWithOneHashAreKeptApart) {
  local_cache<int, int, local::one_bucket> numbers{{.capacity = 1'000}};
  for (int i = 0; i != 8; ++i) numbers.put(i, i);
  for (int i = 0; i != 8; ++i) ASSERT_EQ(numbers.get(i), i);
  for (int i = 0; i != 8; i += 2) EXPECT_TRUE(numbers.remove(i));
  for (int i = 0; i != 8; ++i) ASSERT_EQ(numbers.contains(i), i % 2 == 1);
  for (int i = 100; i != 2'000; ++i) numbers.put(i, i);
  EXPECT_EQ(numbers.get(1'999), 1'999);
  EXPECT_GE(numbers.size(), 8u) << "some are kept";
  EXPECT_LE(numbers.size(), 9u) << "and no more than one can look through";
  numbers.machinery().check();
}

TEST(LocalCache, TooManyKeysWithOneHashThatMayNotBeEvictedAreAnError) {
  local_cache<int, int, local::one_bucket> numbers{{.capacity = 1'000, .policy = eviction_policy::noeviction}};
  int stored = 0;
  EXPECT_THROW(for (; stored != 1'000; ++stored) numbers.put(stored, stored), std::bad_alloc);
  EXPECT_GE(stored, 500);
  EXPECT_LT(numbers.machinery().bytes(), std::size_t{8} << 20) << "and not only when all memory is used up";
  for (int i = 0; i != stored; ++i) ASSERT_EQ(numbers.get(i), i);
  EXPECT_TRUE(numbers.remove(0));
  EXPECT_EQ(numbers.put(stored, 0), put_result::inserted);
  numbers.machinery().check();
}

TEST(LocalCache, SaysWhichOptionIsWrong) {
  const auto message = [](local_cache_options<int, int> how) -> std::string {
    try {
      local_cache<int, int> never_made{std::move(how)};
    } catch (const std::invalid_argument& wrong) {
      return wrong.what();
    }
    return "valid";
  };
  EXPECT_EQ(message({}), "valid");
  EXPECT_NE(message({.name = ""}).find("name must have 1 to 100 characters"), std::string::npos);
  EXPECT_NE(message({.name = std::string(101, 'x')}).find("name"), std::string::npos);
  EXPECT_EQ(message({.name = "n", .capacity = 0}), "local_cache 'n': capacity must be within 1 and 2^32 entries");
  EXPECT_NE(message({.capacity = (std::size_t{1} << 32) + 1}).find("capacity"), std::string::npos);
  EXPECT_EQ(message({.name = "n", .ttl = 0s}),
            "local_cache 'n': ttl must be greater than 0; seawall::forever means no TTL");
  EXPECT_EQ(message({.name = "n", .idle = -1ns}), "local_cache 'n': idle must not be negative; 0 means off");
  EXPECT_EQ(message({.name = "n", .stale_for = -1ns}), "local_cache 'n': stale_for must not be negative");
  local_cache<int, int> numbers;
  EXPECT_THROW(numbers.resize(0), std::invalid_argument);
}

TEST(LocalCache, StatisticsOutliveItsUse) {
  std::weak_ptr<const stats_source> handle;
  {
    local_cache<int, int> numbers{{.name = "here"}};
    handle = numbers.stats_handle();
    ASSERT_FALSE(handle.expired());
    EXPECT_EQ(handle.lock()->stats().name, "here");
  }
  EXPECT_TRUE(handle.expired());
}

TEST(LocalCache, DestroysWhatItHolds) {
  {
    local_cache<int, counted> numbers{{.capacity = 50}};
    for (int i = 0; i != 200; ++i) numbers.put(i, i);
    for (int i = 190; i != 200; ++i) numbers.remove(i);
    EXPECT_GT(counted::alive, 0);
  }
  EXPECT_EQ(counted::alive, 0);
}

}  // namespace
}  // namespace seawall

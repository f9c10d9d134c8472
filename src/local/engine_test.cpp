// The engine against a model that learns of evictions from the listener: then everything must agree, with every policy,
// with shards and lanes, with good hashes and bad ones, while the table grows and shrinks.
#include "seawall/local/engine.hpp"

#include "local_test_support.hpp"

#include "seawall/base/random.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace seawall::local {
namespace {

using namespace std::chrono_literals;

enum class hashing { good, few, one };

std::size_t hash_of(int key, hashing how) {
  if (how == hashing::one) return 7;
  const auto mixed = mix64(static_cast<std::uint64_t>(how == hashing::few ? key % 5 : key));
  return how == hashing::few ? mixed + static_cast<std::uint64_t>(key / 64 % 4) : mixed;
}

struct setting {
  store_options store;
  hashing hash = hashing::good;
  int keys = 300;
};

// One thread, which tidies after each operation, as local_cache does.
class game {
 public:
  explicit game(const setting& how)
      : how_(how), engine_(how.store, {}, [this](int key, const counted& value, removal_cause cause) {
          hear(key, value.id, cause);
        }) {}

  void play(std::uint32_t what, std::uint32_t argument) {
    const int key = static_cast<int>(argument % static_cast<std::uint32_t>(how_.keys));
    argument /= static_cast<std::uint32_t>(how_.keys);
    what %= 100;
    if (what < 45) put(key, argument);
    else if (what < 50) decline(key);
    else if (what < 60) erase(key, argument % 4 != 0);
    else if (what < 85) read(key);
    else if (what < 90) now_ += argument % 50 * one_tick;
    else if (what < 94) sweep(argument);
    else if (what < 95) clear();
    else if (what < 97) resize(1 + argument % 200);
    else engine_.tidy_all();
    compare(key);
  }

  void finish() {
    engine_.machinery().check();  // drains the lanes
    engine_.tidy();
    for (int key = 0; key != how_.keys; ++key) compare(key);
    engine_.tidy_all();
    EXPECT_EQ(engine_.size(), model_.size());
    std::map<int, int> seen;
    engine_.for_each([&](const auto& entry) { EXPECT_TRUE(seen.emplace(entry.key(), entry.value().id).second); });
    EXPECT_EQ(seen.size(), model_.size());
    for (const auto& [key, items] : model_) EXPECT_EQ(seen[key], items.front().id);
    cache_stats stats;
    engine_.fill(stats);
    stats.evicted(removal_cause::capacity) -= refused_;  // counted, but they never were there
    EXPECT_EQ(stats.evictions, heard_);
    EXPECT_EQ(stats.entries, model_.size());
    engine_.clear(removal_cause::cleared);
    engine_.tidy_all();
    engine_.tidy_all();
    EXPECT_EQ(engine_.size(), 0u);
    EXPECT_EQ(counted::alive, 0) << "a value was neither kept nor destroyed";
    engine_.machinery().check();
  }

 private:
  struct item {
    int id;
    std::int64_t deadline;
    bool expired_at(time_point now) const { return deadline <= now.time_since_epoch().count(); }
  };

  // Values of a key leave in the order in which they came, each once.
  void hear(int key, int id, removal_cause cause) {
    ++heard_[static_cast<std::size_t>(cause)];
    const auto there = model_.find(key);
    ASSERT_TRUE(there != model_.end()) << "key " << key << " left twice";
    ASSERT_EQ(there->second.front().id, id);
    if (cause == removal_cause::expired) { ASSERT_TRUE(there->second.front().expired_at(now_)); }
    there->second.erase(there->second.begin());
    if (there->second.empty()) model_.erase(there);
  }
  bool alive(int key) const {
    const auto there = model_.find(key);
    return there != model_.end() && !there->second.front().expired_at(now_);
  }

  void put(int key, std::uint32_t argument) {
    entry_meta meta;
    if (argument % 3 == 0) meta.deadline = (now_ + (1 + argument % 97) * one_tick).time_since_epoch().count();
    if (how_.store.max_weight != 0) meta.weight = 1 + argument % 13;
    if (argument % 29 == 0) meta.weight = 0;
    const int id = ++ids_;
    const bool was_alive = alive(key);
    model_[key].push_back({id, meta.deadline});  // on a tick, as now_ always is
    const put_result result = engine_.put(key, hash_of(key, how_.hash), counted{id}, meta, now_);
    if (result == put_result::refused) {
      ++refused_;
      model_[key].pop_back();
      ASSERT_TRUE(refuses() || meta.weight > engine_.machinery().heaviest());
      if (model_[key].empty()) model_.erase(key);
      engine_.tidy();
      ASSERT_FALSE(model_.contains(key)) << "what was there is gone too";
      return;
    }
    engine_.tidy();
    if (result == put_result::replaced) { ASSERT_TRUE(was_alive); }
    if (result == put_result::inserted) { ASSERT_TRUE(!was_alive || refuses()) << "to make room, the old one may go"; }
    ASSERT_NE(result, put_result::unwanted);
    ASSERT_TRUE(!model_.contains(key) || model_[key].size() == 1) << "the old value has not left";
  }
  bool refuses() const {
    return how_.store.policy == eviction_policy::noeviction || evicts_volatile_only(how_.store.policy);
  }

  void decline(int key) {
    const put_result result = engine_.put(key, hash_of(key, how_.hash), counted{-1}, {}, now_,
                                          [](const auto&) { return false; });
    EXPECT_EQ(result, put_result::unwanted);
    engine_.tidy();
  }
  void erase(int key, bool wanted) {
    const bool was_alive = alive(key);
    const bool gone = engine_.erase(key, hash_of(key, how_.hash), now_, removal_cause::invalidated,
                                    [&](const auto&) { return wanted; });
    EXPECT_EQ(gone, was_alive && wanted);
    engine_.tidy();
  }
  void read(int key) {
    int id = 0;
    const bool called = engine_.read(key, hash_of(key, how_.hash), now_, [&](const counted& value, entry_header&) {
      id = value.id;
      return true;
    });
    ASSERT_EQ(called, alive(key)) << "key " << key;
    if (called) { ASSERT_EQ(id, model_[key].front().id); }
    engine_.tidy();
  }
  void sweep(std::uint32_t argument) {
    const bool all = argument % 2 == 0;
    const time_point next = engine_.sweep(now_, all ? SIZE_MAX : 1);
    if (!all) return;
    for (const auto& [key, items] : model_) {
      ASSERT_FALSE(items.front().expired_at(now_)) << "key " << key << " was left behind";
      ASSERT_LE(next.time_since_epoch().count(), items.front().deadline) << "it must come again in time";
    }
  }
  void clear() {
    engine_.clear(removal_cause::cleared);
    engine_.tidy_all();
    EXPECT_TRUE(model_.empty());
  }
  void resize(std::size_t capacity) {
    engine_.resize(capacity, how_.store.max_weight, now_);
    engine_.tidy();
    EXPECT_EQ(engine_.capacity(), capacity);
  }

  void compare(int key) {
    const auto there = model_.find(key);
    const auto guard = engine_.pin();
    const auto found = engine_.find(key, hash_of(key, how_.hash));
    ASSERT_EQ(static_cast<bool>(found), there != model_.end()) << "key " << key;
    if (found) { ASSERT_EQ(found.value().id, there->second.front().id); }
    ASSERT_EQ(engine_.size(), model_.size());
  }

  const setting how_;
  static constexpr duration one_tick{eviction::tick::length};
  time_point now_ = time_point{} + 1'000 * one_tick;
  int ids_ = 0;
  std::map<int, std::vector<item>> model_;  // by age; more than one only within an operation
  std::uint64_t refused_ = 0;
  std::array<std::uint64_t, removal_cause_table.size()> heard_{};
  engine<int, counted, std::equal_to<>> engine_;
};

store_options options(eviction_policy policy, std::size_t capacity, std::size_t shards = 1, std::size_t batch = 1,
                      std::size_t max_weight = 0) {
  return {.capacity = capacity, .max_weight = max_weight, .policy = policy, .seed = 1, .shards = shards,
          .batch = batch};
}

void play(const setting& how, std::uint64_t seed, int moves) {
  random_source random(seed);
  game one(how);
  for (int i = 0; i != moves && !::testing::Test::HasFatalFailure(); ++i) {
    one.play(static_cast<std::uint32_t>(random.next()), static_cast<std::uint32_t>(random.next() >> 32));
  }
  if (!::testing::Test::HasFatalFailure()) one.finish();
}

class EngineGame : public ::testing::TestWithParam<eviction_policy> {};

TEST_P(EngineGame, AgreesWithTheModel) {
  for (std::uint64_t seed = 1; seed != 4; ++seed) {
    for (const std::size_t capacity : {1, 7, 60, 200}) {
      for (const std::size_t shards : {1, 4}) {
        for (const std::size_t batch : {1, 8}) {
          SCOPED_TRACE(std::to_string(seed) + ": " + std::to_string(capacity) + ", " + std::to_string(shards) +
                       " shards, batch " + std::to_string(batch));
          play({options(GetParam(), capacity, shards, batch)}, seed, 600);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(EngineGame, AgreesWithTheModelWithWeights) {
  for (std::uint64_t seed = 1; seed != 4; ++seed) {
    for (const std::size_t weight : {5, 100, 1'000}) {
      play({options(GetParam(), 200, 1, 1, weight)}, seed, 1'000);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(EngineGame, AgreesWithTheModelWhenHashesAreBad) {
  for (const hashing hash : {hashing::few, hashing::one}) {
    for (const std::size_t capacity : {10, 100}) {
      play({options(GetParam(), capacity, 1, 8), hash, 200}, 1, 1'500);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(EngineGame, AgreesWithTheModelThroughManySizesOfTheTable) {
  setting how{options(GetParam(), 3'000, 2, 4), hashing::good, 5'000};
  game one(how);
  random_source random(9);
  for (int i = 0; i != 8'000 && !HasFatalFailure(); ++i) {
    const auto argument = static_cast<std::uint32_t>(random.next() >> 32);
    const bool rare = i % 2'000 == 1'999;
    one.play(rare ? 95 : static_cast<std::uint32_t>(random.next() % 89), argument);  // 95: a resize
  }
  if (!HasFatalFailure()) one.finish();
}

INSTANTIATE_TEST_SUITE_P(All, EngineGame, ::testing::ValuesIn(all_policies), [](const auto& which) {
  std::string name(to_string(which.param));
  std::erase(name, '-');
  return name;
});

using short_moves = std::vector<std::pair<std::uint16_t, std::uint16_t>>;
RC_GTEST_PROP(EngineShortGame, AgreesWithTheModel, (const short_moves& moves)) {
  const auto policy = *rc::gen::elementOf(all_policies);
  const auto capacity = *rc::gen::inRange<std::size_t>(1, 6);
  const auto hash = *rc::gen::element(hashing::good, hashing::few, hashing::one);
  game one({options(policy, capacity, *rc::gen::element<std::size_t>(1, 2), *rc::gen::element<std::size_t>(1, 3)), hash,
            12});
  for (const auto& [what, argument] : moves) one.play(what, argument);
  one.finish();
  RC_ASSERT(!::testing::Test::HasFailure());
}

TEST(Engine, AnEntryTakesItsBytes) {
  EXPECT_EQ((engine<int, int, std::equal_to<>>::entry_size), sizeof(entry_header) + 8);
  EXPECT_TRUE((engine<int, int, std::equal_to<>>::plain_data));
  EXPECT_FALSE((engine<int, std::string, std::equal_to<>>::plain_data));
}

TEST(Engine, WhatWasReadStaysWhileItIsPinned) {
  engine<int, counted, std::equal_to<>> values(options(eviction_policy::lru, 100));
  const time_point now{};
  values.put(1, hash_of(1, hashing::good), 11, {}, now);
  {
    const auto guard = values.pin();
    const auto seen = values.find(1, hash_of(1, hashing::good));
    ASSERT_TRUE(seen);
    values.erase(1, hash_of(1, hashing::good), now, removal_cause::invalidated);
    for (int i = 2; i != 400; ++i) values.put(i, hash_of(i, hashing::good), i, {}, now);
    for (int i = 0; i != 5; ++i) values.tidy_all();
    EXPECT_EQ(seen.value().id, 11);
    EXPECT_GE(counted::alive, 101 + 298) << "nothing that was removed since may be freed";
  }
  values.tidy_all();
  values.tidy_all();
  EXPECT_EQ(counted::alive, 100);
}

// Keys whose hashes are near each other fill one page again and again, so that the table grows while most of its
// predecessor has not moved yet.
TEST(Engine, NoKeyIsLostThoughTheTableGrowsFasterThanItsEntriesMove) {
  engine<int, counted, std::equal_to<>> values(options(eviction_policy::fifo, 1'000'000));
  const time_point now{};
  constexpr int spread = 100;
  const auto expect_all = [&] {
    const auto guard = values.pin();
    for (int key = 0; key != spread; ++key) ASSERT_TRUE(values.find(key, hash_of(key, hashing::good))) << key;
  };
  for (int key = 0; key != spread; ++key) values.put(key, hash_of(key, hashing::good), key, {.weight = 0}, now);
  for (std::size_t i = 0; i != 520; ++i) {
    values.put(1'000 + static_cast<int>(i), 2 * i + 1, 0, {}, now);
    if (i > 430) expect_all();
  }
  EXPECT_GT(values.machinery().bytes(), std::size_t{1} << 20) << "it did not grow as this test wants it to";
  values.resize(1'000, 0, now);
  values.tidy();
  expect_all();
  std::size_t seen = 0;
  values.for_each([&](const auto&) { ++seen; });
  EXPECT_LT(seen, 620u) << "more than a page holds were near each other";
  EXPECT_EQ(values.size(), seen);
  values.machinery().check();
}

TEST(Engine, TheTableHasItsLastSizeOnceTheCacheIsAQuarterFull) {
  constexpr int capacity = 200'000;
  engine<int, int, std::equal_to<>> values(options(eviction_policy::fifo, capacity));
  std::vector<int> steps;  // how many entries there are when it grows by more than a small table
  for (int i = 0; i != capacity; ++i) {
    const std::size_t before = values.machinery().bytes();
    values.put(i, hash_of(i, hashing::good), i, {}, time_point{});
    if (values.machinery().bytes() > before + (200U << 10)) steps.push_back(i);
  }
  ASSERT_EQ(steps.size(), 2u) << "to a quarter, and to all";
  EXPECT_LT(steps.back(), capacity / 4);
  EXPECT_GT(steps.back(), capacity / 6);
}

TEST(Engine, EntriesMayGoBetweenThePiecesOfAWalk) {
  engine<int, counted, std::equal_to<>> values(options(eviction_policy::fifo, 10'000));
  for (int i = 0; i != 5'000; ++i) values.put(i, hash_of(i, hashing::good), i, {}, time_point{});
  std::set<int> seen;
  std::size_t pieces = 0;
  values.for_each_in_pieces(
      [&](const auto& entry) { EXPECT_TRUE(seen.insert(entry.key()).second); },
      [&] {
        ++pieces;
        for (const int key : seen) {
          values.erase(key, hash_of(key, hashing::good), time_point{}, removal_cause::invalidated);
        }
        values.tidy_all();
      });
  EXPECT_EQ(seen.size(), 5'000u);
  EXPECT_GT(pieces, 5u);
  EXPECT_EQ(values.size(), 0u);
}

TEST(Engine, ShardsShareTheCapacity) {
  for (const std::size_t capacity : {4, 30, 203}) {
    engine<int, int, std::equal_to<>> values(options(eviction_policy::lru, capacity, 4));
    for (int i = 0; i != 2'000; ++i) values.put(i, hash_of(i, hashing::good), i, {}, time_point{});
    EXPECT_EQ(values.size(), capacity);
  }
}

TEST(Engine, DestroysRemovedValuesWithoutBeingAsked) {
  engine<int, counted, std::equal_to<>> values(options(eviction_policy::lru, 1'000));
  for (int i = 0; i != 10'000; ++i) {
    values.put(i, hash_of(i, hashing::good), i, {}, time_point{});
    values.tidy();
    ASSERT_LE(counted::alive, 1'000 + 3 * 64);
  }
}

}  // namespace
}  // namespace seawall::local

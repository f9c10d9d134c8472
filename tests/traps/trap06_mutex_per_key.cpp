// Trap 6: a map of mutexes, one for each key, grows for ever.
#include "usual.hpp"

#include <gtest/gtest.h>

#include <compare>
#include <mutex>
#include <unordered_map>

namespace {

using namespace usual;

/// The usual snippet: one mutex a key, so that one caller loads.
struct usual_cache {
  scene& here;
  std::unordered_map<std::string, std::mutex> locks;

  std::string get(const std::string& key) {
    if (const auto cached = here.redis.get(key)) return *cached;
    const std::lock_guard lock{locks[key]};
    if (const auto cached = here.redis.get(key)) return *cached;
    std::string value = here.db.find(key).value_or("absent");
    here.redis.setex(key, 1s, value);
    return value;
  }
};

/// A key that counts its copies: whatever is kept for a key keeps the key.
struct counted_key {
  int id;
  static inline long alive = 0;

  explicit counted_key(int of) : id(of) { ++alive; }
  counted_key(const counted_key& other) : id(other.id) { ++alive; }
  counted_key& operator=(const counted_key&) = default;
  ~counted_key() { --alive; }
  friend bool operator==(const counted_key&, const counted_key&) = default;
  friend std::size_t hash_value(const counted_key& key) { return static_cast<std::size_t>(key.id); }
};

using counted_cache = seawall::cache<counted_key, std::string>;
constexpr int many = 5'000;

TEST(Trap06, TheUsualMapOfMutexesGrows) {
  scene here;
  usual_cache cache{here, {}};
  for (int i = 0; i != 10'000; ++i) cache.get("nonsense " + std::to_string(i));
  here.clock->advance(24h);
  EXPECT_EQ(cache.locks.size(), 10'000u);  // every entry has expired long ago
}

TEST(Trap06, NothingIsKeptForAKeyThatIsNotStored) {
  scene here;
  {
    counted_cache cache{here.options<counted_key, std::string>({.no_store = true})};
    const auto load = [&](const counted_key& key) { return here.db.find(std::to_string(key.id)); };
    const auto bulk = [](std::span<const counted_key> keys) { return std::vector<std::string>(keys.size(), "value"); };
    for (int i = 0; i != many; ++i) {
      EXPECT_TRUE(cache.get_or_load(counted_key{i}, load));
      cache.get(counted_key{i});
      cache.peek(counted_key{i});
      cache.invalidate(counted_key{i});
      cache.expire(counted_key{i});
    }
    cache.get_many(std::vector{counted_key{1}, counted_key{2}}, bulk);
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.stats().running_loads, 0u);
    EXPECT_EQ(counted_key::alive, 0);
    EXPECT_EQ(here.clock->next_timer(), seawall::never);
  }
  EXPECT_EQ(counted_key::alive, 0);
}

TEST(Trap06, NothingIsKeptForALoadThatWasGivenUp) {
  scene here;
  counted_cache cache{here.options<counted_key, std::string>({.load_deadline = 1s, .backoff = {.initial = 0s}})};
  const auto too_slow = [&](const counted_key&) {
    here.clock->advance(2s);
    return std::string{"late"};
  };
  const auto invalidated = [&](const counted_key& key) -> seawall::loaded<std::string> {
    cache.invalidate(key);
    return seawall::loaded<std::string>{"old"}.with({.no_store = true});
  };
  for (int i = 0; i != 1000; ++i) {
    cache.get_or_load(counted_key{i}, too_slow);
    cache.get_or_load(counted_key{i}, invalidated);
  }
  EXPECT_EQ(cache.stats().total.load_timeouts, 1000u);
  EXPECT_GE(cache.stats().total.superseded, 1000u);
  EXPECT_EQ(counted_key::alive, 0);
  EXPECT_EQ(cache.stats().running_loads, 0u);
  EXPECT_EQ(here.clock->next_timer(), seawall::never);
}

TEST(Trap06, WhatIsStoredAndWhatFailsIsBounded) {
  scene here;
  counted_cache cache{here.options<counted_key, std::string>({.capacity = 100})};
  const auto nothing = [](const counted_key&) { return seawall::not_found; };
  for (int i = 0; i != many; ++i) EXPECT_TRUE(cache.get_or_load(counted_key{i}, nothing));
  EXPECT_LE(cache.size(), 100u);
  EXPECT_LE(counted_key::alive, 100);

  cache.clear();
  EXPECT_EQ(counted_key::alive, 0);
  constexpr int failing_limit = 65'536;  // keys in back-off; see flight_table
  constexpr int failing = failing_limit + 2'000;
  const auto fails = [](const counted_key&) -> seawall::result<std::string> {
    return seawall::fail(seawall::errc::loader_failed);
  };
  for (int i = 0; i != failing; ++i) EXPECT_FALSE(cache.get_or_load(counted_key{i}, fails));
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_GT(cache.stats().failing_keys, 0u);
  EXPECT_LE(cache.stats().failing_keys, std::uint64_t{failing_limit});
  EXPECT_LE(counted_key::alive, failing_limit);

  // What has recovered is forgotten.
  here.clock->advance(10s);
  EXPECT_EQ(cache.stats().failing_keys, 0u);
  const long remembered = counted_key::alive;
  for (int i = 0; i != many; ++i) EXPECT_TRUE(cache.get_or_load(counted_key{i}, nothing, {.no_store = true}));
  EXPECT_EQ(counted_key::alive, remembered - many);
}

}  // namespace

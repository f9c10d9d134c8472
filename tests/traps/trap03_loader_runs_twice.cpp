// Trap 3: one try/catch around the cache and the loader runs a loader twice: when the loader fails, and when only the
// cache does.
#include "usual.hpp"

#include <gtest/gtest.h>

namespace {

using namespace usual;

template <class Load>
std::string usual_get(redis& store, const std::string& key, Load&& load) {
  try {
    if (const auto cached = store.get(key)) return *cached;
    std::string value = load(key);
    store.setex(key, 60s, value);
    return value;
  } catch (const std::exception&) {
    return load(key);  // "Redis is down, fall back to the database"
  }
}

TEST(Trap03, AFailingLoaderRunsOnce) {
  scene here;
  int loads = 0;
  const auto fails = [&](const std::string&) -> std::string {
    ++loads;
    throw std::runtime_error("database is overloaded");
  };

  EXPECT_THROW(usual_get(here.redis, "key", fails), std::runtime_error);
  EXPECT_EQ(std::exchange(loads, 0), 2);  // an overloaded database gets twice the load

  texts cache{here.options<std::string, std::string>({.backoff = {.initial = 50ms}})};
  const auto answer = cache.get_or_load("key", fails);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), seawall::errc::loader_failed);
  EXPECT_NE(answer.error().message().find("database is overloaded"), std::string::npos);
  EXPECT_EQ(loads, 1);

  // Nor does the next caller try at once; after the back-off one attempt is made again.
  EXPECT_FALSE(cache.get_or_load("key", fails));
  EXPECT_EQ(loads, 1);
  here.clock->advance(50ms);
  EXPECT_FALSE(cache.get_or_load("key", fails));
  EXPECT_EQ(loads, 2);

  // The same for a loader that answers with an error, and for each key of a bulk loader.
  loads = 0;
  const auto answers_error = [&](const std::string&) -> seawall::result<std::string> {
    ++loads;
    return seawall::fail(seawall::errc::timed_out, "the database's own time-out");
  };
  EXPECT_EQ(word(cache.get_or_load("other", answers_error)), "error: the database's own time-out");
  EXPECT_EQ(std::exchange(loads, 0), 1);
  const std::vector<std::string> keys{"a", "b", "c"};
  const auto bulk_fails = [&](std::span<const std::string>) -> std::vector<std::string> {
    ++loads;
    throw std::runtime_error("down");
  };
  for (const auto& one : cache.get_many(keys, bulk_fails)) EXPECT_FALSE(one);
  EXPECT_EQ(loads, 1);
}

/// A key that cannot be copied at times: a machine without memory.
struct fragile_key {
  int id;
  static inline int copies_left = -1;  // the copy after these fails; negative: none does

  explicit fragile_key(int of) : id(of) {}
  fragile_key(const fragile_key& other) : id(other.id) {
    if (copies_left >= 0 && copies_left-- == 0) throw std::bad_alloc{};
  }
  fragile_key& operator=(const fragile_key&) = default;
  friend bool operator==(const fragile_key&, const fragile_key&) = default;
  friend std::size_t hash_value(const fragile_key& key) { return static_cast<std::size_t>(key.id); }
};

TEST(Trap03, AFailingCacheRunsTheLoaderOnce) {
  scene here;
  int loads = 0;
  const auto load = [&](const auto&) -> std::string {
    ++loads;
    return "value";
  };

  here.redis.lose_writes();
  EXPECT_EQ(usual_get(here.redis, "key", load), "value");
  EXPECT_EQ(std::exchange(loads, 0), 2);

  // Whichever copy of the key fails on the way to the store.
  for (int copies = 0; copies != 4; ++copies) {
    seawall::cache<fragile_key, std::string> cache{here.options<fragile_key, std::string>({})};
    const auto load_short_of_memory = [&](const fragile_key& key) {
      fragile_key::copies_left = copies;
      return load(key);
    };
    EXPECT_EQ(word(cache.get_or_load(fragile_key{1}, load_short_of_memory)), "value");
    fragile_key::copies_left = -1;
    EXPECT_EQ(std::exchange(loads, 0), 1);
    EXPECT_EQ(cache.stats().running_loads, 0u);
    EXPECT_EQ(cache.contains(fragile_key{1}), cache.stats().total.store_failures == 0);
  }

  // And when the application's own weigher fails.
  texts weighed{here.options<std::string, std::string>(
      {.weigher = [](const std::string&, const std::string&) -> std::size_t { throw std::runtime_error("weigher"); }})};
  EXPECT_EQ(word(weighed.get_or_load("key", load)), "value");
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(weighed.stats().running_loads, 0u);
}

}  // namespace

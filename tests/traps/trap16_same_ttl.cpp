// Trap 16: with the same TTL everywhere everything expires together; jitter that only adds breaks the bound.
#include "usual.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace {

using namespace usual;

constexpr int keys = 1000;
constexpr auto ttl = 300s;

/// Fills all keys now and then reads each until well past the TTL, once a second from 260 s on: the most loads in one
/// round, and the oldest value that any reader got.
struct outcome {
  int most_loads = 0;
  seawall::duration oldest{};
};

/// `get(key, loads)` answers when the value it gives was loaded.
template <class Get>
outcome watch(const scene& here, Get&& get) {
  outcome seen;
  int loads = 0;
  for (int key = 0; key != keys; ++key) get(key, loads);
  for (auto passed = 0s; passed < 340s;) {
    const auto round = passed < 260s ? 10s : 1s;
    here.clock->advance(round);
    passed += round;
    loads = 0;
    for (int key = 0; key != keys; ++key) {
      const seawall::time_point loaded = get(key, loads);
      seen.oldest = std::max(seen.oldest, here.clock->now() - loaded);
    }
    seen.most_loads = std::max(seen.most_loads, loads);
  }
  return seen;
}

/// The usual snippets: SETEX with the TTL that `next_ttl` gives.
template <class NextTtl>
outcome watch_usual(NextTtl&& next_ttl) {
  scene here;
  return watch(here, [&](int key, int& loads) {
    const std::string name = std::to_string(key);
    auto cached = here.redis.get(name);
    if (!cached) {
      ++loads;
      cached = std::to_string(here.clock->now().time_since_epoch().count());
      here.redis.setex(name, next_ttl(), *cached);
    }
    return seawall::time_point{seawall::duration{std::stoll(*cached)}};
  });
}

outcome watch_seawall(double jitter) {
  scene here;
  seawall::cache<int, seawall::time_point> cache{
      here.options<int, seawall::time_point>({.ttl = ttl, .jitter = jitter})};
  return watch(here, [&](int key, int& loads) {
    const auto answer = cache.get_or_load(key, [&](int) {
      ++loads;
      return here.clock->now();
    });
    return **answer;
  });
}

TEST(Trap16, TheSameTtlEverywhereExpiresTogether) {
  const outcome same = watch_usual([] { return ttl; });
  EXPECT_EQ(same.most_loads, keys);

  // 30 seconds of jitter: 33 loads a second on average.
  const outcome spread = watch_seawall(0.1);
  EXPECT_LT(spread.most_loads, 70);
  EXPECT_GT(spread.most_loads, 33);
}

TEST(Trap16, JitterThatAddsBreaksTheBound) {
  std::mt19937 random{1};
  std::uniform_int_distribution<int> extra{0, 30};
  const outcome added = watch_usual([&] { return ttl + std::chrono::seconds{extra(random)}; });
  EXPECT_LT(added.most_loads, 70);
  EXPECT_GT(added.oldest, ttl);  // "never older than five minutes" was promised

  EXPECT_LT(watch_seawall(0.1).oldest, ttl);
  EXPECT_LT(watch_seawall(1).oldest, ttl);
  EXPECT_EQ(watch_seawall(0).oldest, ttl - 1s);
}

/// The lives that entries got, without the TTL's own share, in tenths of the jitter.
template <class Cache>
std::array<int, 10> tenths(const Cache& cache, seawall::duration life, double jitter) {
  std::array<int, 10> count{};
  for (int key = 0; key != keys; ++key) {
    const auto entry = cache.peek(key);
    EXPECT_TRUE(entry);
    const double taken = static_cast<double>((life - entry->fresh_for).count()) / static_cast<double>(life.count());
    EXPECT_GE(taken, 0);
    EXPECT_LE(taken, jitter);
    ++count[std::min<std::size_t>(9, static_cast<std::size_t>(std::max(0.0, taken) / jitter * 10))];
  }
  return count;
}

/// Evenly spread for loaded and put values, for absences, and with the options of a call or of a loader.
TEST(Trap16, EveryWayToStoreIsSpreadEvenly) {
  using numbers = seawall::cache<int, int>;
  using seawall::entry_options;
  scene here;
  numbers cache{here.options<int, int>({.ttl = ttl, .jitter = 0.1, .negative_ttl = 60s})};
  const auto own = [](int key) { return key; };
  const auto decides = [](int key, seawall::load_context<int>& context) {
    context.entry = {.ttl = 10s, .jitter = 0.5};
    return key;
  };
  struct way {
    std::function<void(int)> store;
    seawall::duration life;
    double jitter;
  };
  const way ways[] = {
      {[&](int key) { EXPECT_TRUE(cache.get_or_load(key, own)); }, ttl, 0.1},
      {[&](int key) { EXPECT_TRUE(cache.get_or_load(key, own, {.ttl = 1h, .jitter = 1})); }, 1h, 1},
      {[&](int key) { EXPECT_TRUE(cache.get_or_load(key, decides)); }, 10s, 0.5},
      {[&](int key) { cache.put(key, key); }, ttl, 0.1},
      {[&](int key) { cache.put_absent(key); }, 60s, 0.1},
  };
  for (const auto& [store, life, jitter] : ways) {
    cache.clear();
    for (int key = 0; key != keys; ++key) store(key);
    for (const int count : tenths(cache, life, jitter)) {
      EXPECT_GT(count, keys / 10 - 50);  // 100, and more than 5 standard deviations to either side
      EXPECT_LT(count, keys / 10 + 50);
    }
  }
}

}  // namespace

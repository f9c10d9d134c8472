#include "seawall/local/engine.hpp"

#include "seawall/base/random.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall::local {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point{} + 1h;

template <class V>
entry<V> entry_of(V value, time_point until = never) {
  entry_times times;
  times.written = start;
  times.fresh_until = times.fresh_cap = until;
  return {std::make_shared<const V>(std::move(value)), times};
}

// The engine for callers that hold no lock: what is removed dies with the call.
template <class K, class V>
struct plain_engine : engine<K, V, std::equal_to<>> {
  using base = engine<K, V, std::equal_to<>>;
  using base::base;

  bool read(const auto& key, std::size_t hash, time_point now, auto&& visit) {
    typename base::removed dead;
    return base::read(key, hash, now, dead, visit);
  }
  void put(auto&& key, std::size_t hash, entry<V> item, std::size_t weight, time_point now) {
    typename base::removed dead;
    base::put(key, hash, std::move(item), weight, now, dead);
  }
  bool erase(const auto& key, std::size_t hash) {
    typename base::removed dead;
    return base::erase(key, hash, removal_cause::invalidated, dead);
  }
  void clear() {
    typename base::removed dead;
    base::clear(dead);
  }
};

template <class Engine>
cache_stats stats_of(const Engine& engine) {
  cache_stats stats;
  engine.fill(stats);
  return stats;
}

template <class Engine>
std::uint64_t removals_of(const Engine& engine) {
  const auto stats = stats_of(engine);
  return std::accumulate(stats.evictions.begin(), stats.evictions.end(), std::uint64_t{0});
}

// ---- against a model: one shard, one thread ----

struct model {
  struct item {
    int key, value;
    std::size_t weight;
    time_point until;
  };
  std::size_t capacity;
  std::size_t max_bytes;
  std::list<item> items{};  // the newest use first
  std::array<std::uint64_t, removal_cause_table.size()> removals{};

  auto find(int key) { return std::ranges::find(items, key, &item::key); }
  void remove(std::list<item>::iterator which, removal_cause cause) {
    items.erase(which);
    ++removals[static_cast<std::size_t>(cause)];
  }
  std::size_t bytes() const {
    return std::accumulate(items.begin(), items.end(), std::size_t{0},
                           [](std::size_t sum, const item& one) { return sum + one.weight; });
  }
  bool full() const { return items.size() > capacity || (max_bytes != 0 && bytes() > max_bytes); }

  void put(item given, time_point now) {
    if (const auto old = find(given.key); old != items.end()) remove(old, removal_cause::replaced);
    items.push_front(given);
    if (max_bytes != 0 && given.weight > max_bytes) return remove(items.begin(), removal_cause::capacity);
    for (int taken_back = 0; !items.empty();) {
      const auto last = std::prev(items.end());
      const bool expired = now >= last->until;
      if (!full() && !(expired && taken_back++ < 2)) return;
      remove(last, expired ? removal_cause::expired : removal_cause::capacity);
    }
  }
  std::optional<int> read(int key, time_point now, bool counts) {
    const auto there = find(key);
    if (there == items.end()) return std::nullopt;
    if (now >= there->until) {
      remove(there, removal_cause::expired);
      return std::nullopt;
    }
    if (counts) items.splice(items.begin(), items, there);
    return there->value;
  }
  bool erase(int key) {
    const auto there = find(key);
    if (there != items.end()) return remove(there, removal_cause::invalidated), true;
    return false;
  }
  void clear() {
    removals[static_cast<std::size_t>(removal_cause::cleared)] += items.size();
    items.clear();
  }
};

RC_GTEST_PROP(EngineProperty, ActsLikeAListAndCountsWhatLeaves, ()) {
  const auto below = [](int limit) { return *rc::gen::inRange(0, limit); };
  model expected{.capacity = 1 + std::size_t(below(6)), .max_bytes = below(2) ? 10 + std::size_t(below(30)) : 0};
  plain_engine<int, int> tested{{expected.capacity, expected.max_bytes}};
  time_point now = start;
  std::uint64_t puts = 0;
  for (const int action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100))) {
    const int key = below(8);
    const std::size_t hash = std::size_t(key) % 3;  // keys collide
    if (action < 40) {
      const auto until = below(2) ? now + below(5) * 1s : never;
      const std::size_t weight = std::size_t(below(12));
      const int value = int(++puts);
      tested.put(key, hash, entry_of(value, until), weight, now);
      expected.put({key, value, weight, until}, now);
    } else if (action < 75) {
      std::optional<int> seen;
      const bool counts = below(3) != 0;
      const bool there = tested.read(key, hash, now, [&](entry<int>& found) {
        seen = *found.value;
        return counts;
      });
      RC_ASSERT(seen == expected.read(key, now, counts));
      RC_ASSERT(there == seen.has_value());
    } else if (action < 85) {
      RC_ASSERT(tested.erase(key, hash) == expected.erase(key));
    } else if (action < 97) {
      now += below(4) * 1s;
    } else {
      tested.clear();
      expected.clear();
    }
    const auto stats = stats_of(tested);
    RC_ASSERT(tested.size() == expected.items.size());
    RC_ASSERT(stats.entries == expected.items.size() && stats.bytes == expected.bytes());
    RC_ASSERT(stats.evictions == expected.removals);
    RC_ASSERT(puts == stats.entries + removals_of(tested));
  }
}

using numbers = plain_engine<int, int>;

std::size_t spread(int key) { return mix64(std::uint64_t(key) + 1); }

TEST(Engine, HoldsItsWholeCapacityHoweverManyShards) {
  for (const std::size_t capacity : {1u, 511u, 512u, 1'025u, 20'011u}) {
    numbers tested{{.capacity = capacity}};
    for (int key = 0; key != 5 * int(capacity) + 5'000; ++key) tested.put(key, spread(key), entry_of(key), 1, start);
    EXPECT_EQ(tested.size(), capacity);
    EXPECT_EQ(stats_of(tested).bytes, capacity);
  }
}

TEST(Engine, HoldsItsBytesHoweverManyShards) {
  constexpr std::size_t limit = 100u << 20;
  numbers tested{{.capacity = 100'000, .max_bytes = limit}};
  for (int key = 0; key != 2'000; ++key) tested.put(key, spread(key), entry_of(key), 1u << 20, start);
  const auto stats = stats_of(tested);
  EXPECT_LE(stats.bytes, limit);
  EXPECT_GE(stats.bytes, limit - 8 * (1u << 20)) << "each shard is short of its share by less than one entry";
  EXPECT_EQ(stats.bytes, stats.entries << 20);
}

TEST(Engine, AnEntryTooHeavyReplacesTheOldOneAndPushesOutNoOther) {
  numbers tested{{.capacity = 10, .max_bytes = 100}};
  for (int key = 0; key != 5; ++key) tested.put(key, spread(key), entry_of(key), 10, start);
  tested.put(0, spread(0), entry_of(7), 101, start);
  tested.put(9, spread(9), entry_of(9), 101, start);
  EXPECT_EQ(tested.size(), 4u);
  EXPECT_EQ(stats_of(tested).bytes, 40u);
}

TEST(Engine, ReadsWithWhateverComparesWithItsKeys) {
  plain_engine<std::string, int> tested{{.capacity = 10}};
  const auto value = [&](const auto& key) {
    int seen = 0;
    tested.read(key, 7, start, [&](auto& found) { return seen = *found.value, true; });
    return seen;
  };
  tested.put(std::string_view("ada"), 7, entry_of(36), 1, start);
  tested.put("alan", 7, entry_of(41), 1, start);
  EXPECT_EQ(value(std::string("ada")), 36);
  EXPECT_EQ(value(std::string_view("alan")), 41);
  EXPECT_TRUE(tested.erase("ada", 7));
  EXPECT_EQ(value("ada"), 0);
}

// ---- what is removed dies with the caller's `removed`, not before ----

using hooked = std::shared_ptr<void>;  // its deleter is the hook

struct hooked_key {
  int id;
  hooked guard = nullptr;
  friend bool operator==(const hooked_key& a, const hooked_key& b) { return a.id == b.id; }
};

TEST(Engine, KeysAndValuesDieOutsideItsLocks) {
  using guarded = engine<hooked_key, hooked, std::equal_to<>>;
  guarded tested{{.capacity = 2, .max_bytes = 100}};
  int deaths = 0;
  const auto put = [&](guarded::removed& dead, int id, hooked guard, std::size_t weight = 1, time_point now = start) {
    tested.put(hooked_key{id, guard}, 1, entry_of(guard, now + 1h), weight, now, dead);
  };
  const auto nobody = [](auto&) { return true; };
  const struct {
    const char* what;
    std::function<void(guarded::removed&)> act;
    int deaths;
  } cases[] = {
      {"replaced", [&](auto& dead) { put(dead, 1, nullptr); }, 0},  // the key stays, and its guard with it
      {"erased", [&](auto& dead) { tested.erase(hooked_key{1}, 1, removal_cause::invalidated, dead); }, 1},
      {"cleared", [&](auto& dead) { tested.clear(dead); }, 1},
      {"evicted", [&](auto& dead) { put(dead, 2, nullptr), put(dead, 3, nullptr); }, 1},
      {"replaced by one too heavy", [&](auto& dead) { put(dead, 1, nullptr, 101); }, 1},
      {"expired, found by a reader", [&](auto& dead) { tested.read(hooked_key{1}, 1, start + 1h, dead, nobody); }, 1},
      {"expired, found by a writer", [&](auto& dead) { put(dead, 2, nullptr, 1, start + 1h); }, 1},
  };
  for (const auto& one : cases) {
    {
      guarded::removed dead;
      // Key and value share a guard, which asks the engine when it dies: a deadlock under the shard's lock.
      put(dead, 1, hooked(&deaths, [&](void*) { deaths += tested.size() < 99 ? 1 : 0; }));
      one.act(dead);
      EXPECT_EQ(deaths, 0) << one.what;
    }
    EXPECT_EQ(deaths, one.deaths) << one.what;
    tested.clear(*std::make_unique<guarded::removed>());
    deaths = 0;
  }
}

// ---- threads ----

TEST(Engine, ThreadsShareIt) {
  constexpr int threads = 4;
  constexpr int each = 20'000;
  numbers tested{{.capacity = 2'000}};
  std::atomic<std::uint64_t> puts{0};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t != threads; ++t) {
      workers.emplace_back([&, t] {
        random_source random{std::uint64_t(t)};
        for (int i = 0; i != each; ++i) {
          const int key = int(random.next() % 3'000);
          const auto action = random.next() % 100;
          if (action < 30) {
            tested.put(key, spread(key), entry_of(2 * key, action < 5 ? start : never), action, start);
            puts.fetch_add(1);
          } else if (action < 95) {
            tested.read(key, spread(key), start, [&](auto& found) {
              if (*found.value != 2 * key) wrong.fetch_add(1);
              return true;
            });
          } else {
            i % 5'000 != 0 ? void(tested.erase(key, spread(key))) : tested.clear();
          }
        }
      });
    }
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_LE(tested.size(), 2'000u);
  EXPECT_EQ(puts.load(), tested.size() + removals_of(tested));
}

}  // namespace
}  // namespace seawall::local

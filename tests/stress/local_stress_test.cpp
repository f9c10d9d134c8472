// Threads against the engine without a scheduler: what only a real machine makes, and what ThreadSanitizer looks at.
// Each value carries its key, so that a wrong or dead one shows. SEAWALL_SEED repeats the choices, SEAWALL_STRESS_OPS
// makes a run longer.
#include "seawall/local_cache.hpp"

#include "seawall/base/random.hpp"
#include "seawall/testing/manual_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  return std::getenv(name) ? std::strtoull(std::getenv(name), nullptr, 10) : otherwise;
}

// Wrong when it was destroyed, or belongs to another key. The text is memory of its own, for AddressSanitizer.
struct bound_value {
  int key;
  std::uint32_t number;
  std::string text;

  bound_value(int of, std::uint32_t which) : key(of), number(which), text("a value that is long enough for the heap") {
    ++alive;
  }
  bound_value(const bound_value& other) : key(other.key), number(other.number), text(other.text) { ++alive; }
  bound_value(bound_value&& other) noexcept : key(other.key), number(other.number), text(std::move(other.text)) {
    ++alive;
  }
  bound_value& operator=(const bound_value&) = default;
  ~bound_value() {
    key = -1;
    --alive;
  }
  bool belongs_to(int other) const { return key == other && text.size() == 40; }
  friend bool operator==(const bound_value& a, const bound_value& b) { return a.number == b.number && a.key == b.key; }

  inline static std::atomic<int> alive{0};
};

using cache_type = local_cache<int, bound_value>;

struct crowd {
  int threads = 4;
  int operations = 15'000;
};

// Runs `act(random)` so often on so many threads.
void run(const crowd& how, const std::function<void(random_source&)>& act) {
  const std::uint64_t seed = setting("SEAWALL_SEED", 1);
  const int operations = static_cast<int>(setting("SEAWALL_STRESS_OPS", static_cast<std::uint64_t>(how.operations)));
  std::vector<std::thread> threads;
  for (int i = 0; i != how.threads; ++i) {
    threads.emplace_back([&, i] {
      random_source random(seed * 100 + static_cast<std::uint64_t>(i));
      for (int step = 0; step != operations; ++step) act(random);
    });
  }
  for (auto& one : threads) one.join();
}

void do_anything(cache_type& cache, int keys, random_source& random) {
  const int key = static_cast<int>(random.next() % static_cast<std::uint64_t>(keys));
  const auto number = static_cast<std::uint32_t>(random.next());
  const bound_value fresh{key, number};
  put_options how;
  if (number % 5 == 0) how.ttl = 1ms * (1 + number % 20);
  if (number % 31 == 0) how.pinned = true;
  if (number % 17 == 0) how.idle = 5ms;
  switch (random.next() % 16) {
    case 0:
    case 1:
    case 2: cache.put(key, fresh, how); break;
    case 3: cache.put_if_absent(key, fresh, how); break;
    case 4: cache.replace(key, fresh, how); break;
    case 5:
      if (const auto seen = cache.get(key)) cache.replace_if_equal(key, *seen, fresh, how);
      break;
    case 6: cache.remove(key); break;
    case 7: cache.remove_if(key, [&](const bound_value& value) {
        EXPECT_TRUE(value.belongs_to(key));
        return value.number % 2 == 0;
      });
      break;
    case 8: cache.compute(key, [&](const bound_value* now) -> std::optional<bound_value> {
        if (now != nullptr) {
          EXPECT_TRUE(now->belongs_to(key));
        }
        if (number % 4 == 0) return std::nullopt;
        return bound_value{key, now != nullptr ? now->number + 1 : 0};
      }, how);
      break;
    case 9:
      if (const auto found = cache.find(key)) {
        EXPECT_TRUE(found->value.belongs_to(key));
      }
      break;
    case 10: cache.contains(key); break;
    default:
      cache.visit(key, [&](const bound_value& value) {
        EXPECT_TRUE(value.belongs_to(key));
        if (number % 64 == 0) std::this_thread::yield();
        EXPECT_TRUE(value.belongs_to(key)) << "freed while it was read";
      });
  }
}

// What is wrong with the cache; nothing when all is well.
std::string complaint(cache_type& cache) {
  cache.tidy();
  try {
    cache.machinery().check();
  } catch (const std::logic_error& broken) {
    return broken.what();
  }
  cache.tidy();
  const int alive = bound_value::alive;
  const std::size_t size = cache.size();
  if (static_cast<std::size_t>(alive) == size) return {};
  return "of " + std::to_string(size) + " values in the cache " + std::to_string(alive) + " are alive";
}

// The invariants hold at rest, and the clock's thread may sweep at any moment: so the answer that counts is the one
// without a complaint, and nothing is looked at again after it.
void settle(cache_type& cache) {
  const auto patience = std::chrono::steady_clock::now() + 30s;
  std::string wrong = complaint(cache);
  while (!wrong.empty() && std::chrono::steady_clock::now() < patience) {
    std::this_thread::yield();
    wrong = complaint(cache);
  }
  EXPECT_EQ(wrong, "");
  cache.for_each([](int key, const bound_value& value) { EXPECT_TRUE(value.belongs_to(key)); });
}

class LocalStress : public ::testing::TestWithParam<eviction_policy> {
 protected:
  void TearDown() override { EXPECT_EQ(bound_value::alive, 0); }
};

TEST_P(LocalStress, EverythingOnFewKeys) {
  cache_type cache{{.capacity = 20, .policy = GetParam()}};
  run({}, [&](random_source& random) { do_anything(cache, 12, random); });
  settle(cache);
}

TEST_P(LocalStress, EverythingOnManyKeys) {
  cache_type cache{{.capacity = 3'000, .policy = GetParam()}};
  run({}, [&](random_source& random) { do_anything(cache, 8'000, random); });
  settle(cache);
}

INSTANTIATE_TEST_SUITE_P(Policies, LocalStress,
                         ::testing::Values(eviction_policy::adaptive, eviction_policy::lru, eviction_policy::sieve,
                                           eviction_policy::volatile_ttl, eviction_policy::noeviction));

TEST(LocalStressGrowth, NoReaderMissesWhatIsThereAllTheWhile) {
  cache_type cache{{.capacity = 100'000}};
  constexpr int kept = 200;
  for (int key = 0; key != kept; ++key) cache.put(key, bound_value{key, 1}, {.pinned = true});
  std::atomic<int> next{kept};
  run({.threads = 4, .operations = 16'000}, [&](random_source& random) {
    const int key = static_cast<int>(random.next() % kept);
    if (random.next() % 2 == 0) {
      const int fresh = next++;
      cache.put(fresh, bound_value{fresh, 2});
    } else if (random.next() % 512 == 0) {
      int seen = 0;
      cache.for_each([&](int which, const bound_value& value) {
        EXPECT_TRUE(value.belongs_to(which));
        seen += which < kept ? 1 : 0;
      });
      EXPECT_EQ(seen, kept);
    } else {
      EXPECT_TRUE(cache.visit(key, [&](const bound_value& value) { EXPECT_TRUE(value.belongs_to(key)); }));
    }
  });
  settle(cache);
}

TEST(LocalStressClear, ClearAndResizeUnderLoad) {
  cache_type cache{{.capacity = 2'000}};
  run({.threads = 4, .operations = 12'000}, [&](random_source& random) {
    const auto chance = random.next() % 1'000;
    if (chance < 2) cache.clear();
    else if (chance < 8) cache.resize(1 + random.next() % 5'000);
    else if (chance < 10) cache.coldest(10);
    else if (chance < 12) cache.stats();
    else do_anything(cache, 4'000, random);
  });
  cache.resize(100);
  EXPECT_LE(cache.stats().entries, 100u + 4'000u / 31 + 500u) << "the pinned are beside";
  settle(cache);
}

// Each value has a number; who changes a key takes one after it has seen what is there.
struct listening {
  static constexpr int keys = 64;
  std::array<std::atomic<std::uint32_t>, keys> last{};
  std::array<std::atomic<int>, keys> busy{};
  std::vector<std::atomic<bool>> heard = std::vector<std::atomic<bool>>(200'000);
  std::atomic<std::uint32_t> number{0};
  bool in_order = false;
  std::unique_ptr<cache_type> cache;

  explicit listening(std::size_t capacity) {
    cache = std::make_unique<cache_type>(cache_type::options{
        .capacity = capacity,
        .policy = eviction_policy::lru,
        .on_removal = [this](int key, const bound_value& value, removal_cause) { hear(key, value); }});
  }
  void hear(int key, const bound_value& value) {
    EXPECT_EQ(busy[key].fetch_add(1), 0) << "two heard of one key at once";
    EXPECT_TRUE(value.belongs_to(key));
    EXPECT_FALSE(heard[value.number].exchange(true)) << "it left twice";
    const std::uint32_t before = last[key].exchange(value.number);
    EXPECT_TRUE(!in_order || before < value.number) << "out of order";
    if (value.number % 8 == 0) cache->contains(key);
    if (value.number % 64 == 0) cache->tidy();
    --busy[key];
  }
  void put(int key) {
    cache->compute(key, [&](const bound_value*) { return std::optional(bound_value{key, ++number}); });
  }
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(heard, [](const auto& one) { return one.load(); }));
  }
};

TEST(LocalStressListener, HearsOfEachValueOnce) {
  listening ears(40);
  std::atomic<std::size_t> stored{0};
  run({.threads = 4, .operations = 12'000}, [&](random_source& random) {
    const int key = static_cast<int>(random.next() % listening::keys);
    if (random.next() % 4 == 0) {
      ears.cache->remove(key);
    } else {
      ears.put(key);
      ++stored;
    }
  });
  ears.cache->clear();
  ears.cache->tidy();
  EXPECT_EQ(ears.cache->size(), 0u);
  EXPECT_EQ(ears.count(), stored);
  settle(*ears.cache);
}

TEST(LocalStressListener, HearsOfAKeyInOrder) {
  listening ears(100'000);
  ears.in_order = true;  // nothing is evicted or removed, so numbers only grow
  run({.threads = 4, .operations = 12'000},
      [&](random_source& random) { ears.put(static_cast<int>(random.next() % 8)); });
  settle(*ears.cache);
  EXPECT_EQ(ears.cache->size(), 8u);
}

TEST(LocalStressSweep, ExpiredMemoryIsGivenBackUnderLoad) {
  const auto time = std::make_shared<manual_clock>();
  cache_type cache{{.capacity = 5'000, .ttl = 50ms, .clock = time}};
  run({.threads = 4, .operations = 12'000}, [&](random_source& random) {
    if (random.next() % 64 == 0) time->advance(5ms);
    else do_anything(cache, 3'000, random);
  });
  time->advance(10min);
  EXPECT_EQ(cache.size(), 0u);
  settle(cache);
  EXPECT_EQ(bound_value::alive, 0);
}

TEST(LocalStressThreads, MoreThreadsThanHaveALineOfTheirOwn) {
  cache_type cache{{.capacity = 100}};
  run({.threads = 80, .operations = 150}, [&](random_source& random) { do_anything(cache, 300, random); });
  settle(cache);
}

// Those that note their changes in one stripe must not take one free slot.
TEST(LocalStressThreads, MoreThreadsThanStripesStore) {
  cache_type cache{{.capacity = 200'000}};
  run({.threads = 80, .operations = 1'000}, [&](random_source& random) {
    const int key = static_cast<int>(random.next() % 100'000);
    cache.put(key, bound_value(key, 1));
    cache.visit(key, [&](const bound_value& value) { EXPECT_TRUE(value.belongs_to(key)); });
  });
  settle(cache);
}

}  // namespace
}  // namespace seawall

// Hot keys are loaded anew before their entries end, until nobody uses them any more.
#include "seawall/cache.hpp"
#include "seawall/testing.hpp"
#include "test_shared.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace seawall {
namespace {

using namespace std::chrono_literals;

struct Kept : ::testing::Test {
  using options = cache_options<int, int>;

  void make(keep_fresh_options keep, options how = {}) {
    how.jitter = 0;
    how.keep_fresh = keep;
    how.loader = [this](int, load_context<int>& context) -> loaded<int> {
      ++loads;
      if (fails) return error{errc::loader_failed, "no"};
      context.entry.no_store = stores_nothing;
      return loads;
    };
    how.clock = clock;
    how.executor = executor;
    how.seed = 3;
    kept.emplace(std::move(how));
  }

  void use(int key) { ASSERT_TRUE(kept->get_or_load(key)); }
  void start(int key) {
    kept->get_or_load(key);
    executor->run_all();
    use(key);
  }
  // Second by second.
  void pass(duration time, bool in_use) {
    for (const time_point end = clock->now() + time; clock->now() < end;) {
      clock->advance(1s);
      executor->run_all();
      if (in_use) use(1);
    }
  }
  class_stats counted() const { return kept->stats().total; }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  int loads = 0;
  bool fails = false;
  bool stores_nothing = false;
  std::optional<cache<int, int>> kept;
};

TEST_F(Kept, AKeyInUseIsNeverMissedAgain) {
  make({.stop_after = 10min}, {.ttl = 100s});
  kept->put(1, 0);
  use(1);
  pass(1000s, true);
  EXPECT_EQ(counted().misses, 0U);
  EXPECT_GE(loads, 1000 / 80);
  EXPECT_LE(loads, 1000 / 70);
  EXPECT_EQ(counted().kept_refreshes, std::uint64_t(loads));
  EXPECT_EQ(counted().refreshes, std::uint64_t(loads));
  EXPECT_EQ(kept->stats().kept_keys, 1U);
}

TEST_F(Kept, OneThatIsUsedOnceIsNot) {
  make({.stop_after = 10min}, {.ttl = 100s});
  kept->put(1, 0);
  clock->advance(1000s);
  EXPECT_EQ(executor->run_all(), 0U);
  EXPECT_FALSE(kept->contains(1));
}

TEST_F(Kept, NorWithoutTheOption) {
  make({}, {.ttl = 100s});
  kept->put(1, 0);
  use(1);
  clock->advance(1000s);
  EXPECT_EQ(executor->run_all(), 0U);
  EXPECT_EQ(kept->stats().kept_keys, 0U);
}

TEST_F(Kept, ItStopsWhenNobodyUsesIt) {
  make({.stop_after = 250s}, {.ttl = 100s});
  kept->put(1, 0);
  use(1);
  pass(250s, false);
  EXPECT_GE(loads, 3);
  pass(160s, false);  // a use is noticed up to one interval later, as is its age
  const int before = loads;
  EXPECT_EQ(counted().kept_stops, 1U);
  EXPECT_EQ(kept->stats().kept_keys, 0U);
  pass(1000s, false);
  EXPECT_EQ(loads, before);
  EXPECT_FALSE(kept->contains(1));
}

TEST_F(Kept, AUseBeginsItsTimeAnew) {
  make({.stop_after = 250s}, {.ttl = 100s});
  kept->put(1, 0);
  use(1);
  for (int i = 0; i != 10; ++i) {
    pass(200s, false);
    EXPECT_TRUE(kept->get(1));
  }
  EXPECT_EQ(counted().misses + counted().kept_stops, 0U);
}

TEST_F(Kept, ALookThatIsNoUseDoesNot) {
  make({.stop_after = 250s}, {.ttl = 100s});
  kept->put(1, 0);
  use(1);
  for (int i = 0; i != 10; ++i) {
    pass(100s, false);
    kept->peek(1);
  }
  EXPECT_EQ(counted().kept_stops, 1U);
}

TEST_F(Kept, AnIntervalIsNoLongerThanItSays) {
  make({.stop_after = 1h, .every = 30s}, {.ttl = forever});
  kept->put(1, 0);
  use(1);
  pass(600s, true);
  EXPECT_GE(loads, 600 / 30);
  EXPECT_LE(loads, 600 / 27 + 1);
}

TEST_F(Kept, WhatNeverEndsIsNotKeptWithoutOne) {
  make({.stop_after = 1h}, {.ttl = forever});
  kept->put(1, 0);
  use(1);
  EXPECT_EQ(kept->stats().kept_keys, 0U);
}

TEST_F(Kept, AFailureKeepsTheOldValueAndIsTriedAgainEverLater) {
  make({.stop_after = 1h}, {.ttl = 100s});
  kept->put(1, 5);
  use(1);
  fails = true;
  pass(95s, true);
  EXPECT_EQ(*kept->get(1), 5);
  EXPECT_GE(loads, 3);
  EXPECT_LE(loads, 8);
  EXPECT_EQ(counted().kept_failures, std::uint64_t(loads));
  fails = false;
  pass(5s, true);
  EXPECT_GT(*kept->get(1), 5);
  EXPECT_EQ(counted().misses, 0U);
}

TEST_F(Kept, WhatIsRemovedWhileInUseIsLoadedAtOnceWithItsTags) {
  make({.stop_after = 1h}, {.ttl = 100s});
  kept->put(1, 5, {.tags = {"t"}});
  use(1);
  kept->invalidate(1);
  EXPECT_EQ(loads, 0);
  pass(1s, false);
  EXPECT_EQ(loads, 1);
  EXPECT_TRUE(kept->contains(1));
  kept->invalidate_tag("t");
  EXPECT_FALSE(kept->contains(1));
}

TEST_F(Kept, AndWhatIsExpired) {
  make({.stop_after = 1h}, {.ttl = 100s, .stale_for = 1h});
  kept->put(1, 5);
  use(1);
  kept->expire(1);
  pass(1s, false);
  EXPECT_TRUE(kept->contains(1));
}

TEST_F(Kept, OtherwiseAtItsNextMoment) {
  make({.stop_after = 1h}, {.ttl = 100s});
  kept->put(1, 5);
  use(1);
  kept->clear();
  pass(60s, false);
  EXPECT_EQ(loads, 0);
  pass(30s, false);
  EXPECT_TRUE(kept->contains(1));
}

TEST_F(Kept, WhatIsNotToBeStoredIsKeptNoLonger) {
  make({.stop_after = 1h}, {.ttl = 100s});
  kept->put(1, 5);
  use(1);
  stores_nothing = true;
  pass(1000s, false);
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(kept->stats().kept_keys, 0U);
}

TEST_F(Kept, SoManyAreLoadedAtATimeAndTheOthersWait) {
  make({.stop_after = 1h, .concurrent = 2}, {.ttl = 100s});
  for (int key = 0; key != 5; ++key) {
    kept->put(key, 0);
    use(key);
  }
  clock->advance(90s);
  EXPECT_EQ(executor->pending(), 2U);
  while (executor->run_one()) clock->advance(1ms);
  EXPECT_EQ(loads, 5);
}

TEST_F(Kept, SoManyAreKept) {
  make({.stop_after = 1h, .most_keys = 3}, {.ttl = 100s});
  for (int key = 0; key != 5; ++key) {
    kept->put(key, 0);
    use(key);
  }
  EXPECT_EQ(kept->stats().kept_keys, 3U);
}

TEST_F(Kept, TheEndOfTheCacheIsTheEndOfIt) {
  make({.stop_after = 1h}, {.ttl = 100s});
  kept->put(1, 0);
  use(1);
  kept.reset();
  clock->advance(1h);
  EXPECT_EQ(executor->run_all(), 0U);
}

// ---- several processes ----

struct SharedKept : shared_test::Shared {
  void SetUp() override {
    configure({.ttl = 100s, .loader = [this](int) { return std::to_string(++loads); }, .keep_fresh = keep});
    store(here, 1, loaded<std::string>("old"));
    ask(there, 1);
    held_by(here, 1);
    held_by(there, 1);
  }

  void pass(duration time) {
    for (const time_point end = clock->now() + time; clock->now() < end;) {
      clock->advance(1s);
      while (executor->run_all() != 0) clock->advance(20ms);  // who was told of the other's load looks at it
      missed += held_by(here, 1) == "nothing";
      missed += held_by(there, 1) == "nothing";
    }
  }

  keep_fresh_options keep{.stop_after = 1h};
  int loads = 0;
  int missed = 0;
};

TEST_F(SharedKept, OneOfThemLoadsAndNoneMisses) {
  pass(1000s);
  EXPECT_GE(loads, 1000 / 80);
  EXPECT_LE(loads, 1000 / 70);
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(held_by(here, 1), std::to_string(loads));
  EXPECT_EQ(held_by(there, 1), std::to_string(loads));
}

TEST_F(SharedKept, WhoComesWhileAnotherLoadsDoesNot) {
  clock->advance(90s);  // the first has the right, and its loader has not begun
  executor->run_all();
  EXPECT_EQ(loads, 1);
}

TEST_F(SharedKept, WhatAnotherHasLoadedIsTakenOverThoughNobodyTold) {
  tier->tells = false;
  clock->advance(81s);
  while (loads == 0 && executor->run_one()) {
  }
  EXPECT_EQ(loads, 1);
  pass(10s);
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(held_by(here, 1), "1");
  EXPECT_EQ(held_by(there, 1), "1");
}

TEST_F(SharedKept, WithoutTheTierNothingIsLoaded) {
  tier->dead = true;
  pass(90s);
  EXPECT_EQ(loads, 0);
  tier->dead = false;
  pass(10s);
  EXPECT_EQ(loads, 1);
}

TEST_F(SharedKept, WhatIsRemovedElsewhereIsLoadedOnce) {
  there->invalidate(1, there->hash_of(1));
  pass(2s);
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(held_by(here, 1), "1");
  EXPECT_EQ(held_by(there, 1), "1");
}

}  // namespace
}  // namespace seawall

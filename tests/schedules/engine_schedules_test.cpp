// The engine under thousands of interleavings: what a key's readers and writers see.
#include "engine_under_test.hpp"

#include <memory>

namespace seawall::schedules {
namespace {

using threads = std::vector<std::function<void()>>;

TEST(Schedules, AKeyThatIsReplacedIsAlwaysThereAndNeverOld) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t) {
    subject cache(options(100));
    cache.put(1, 1);
    by.run(threads{
        [&] {
          int last = 0;
          for (int i = 0; i != 5; ++i) {
            const int seen = cache.get(1);
            EXPECT_NE(seen, 0) << "it was there all the while";
            EXPECT_GE(seen, last) << "an old value came back";
            last = seen;
          }
        },
        [&] { for (int id = 2; id != 6; ++id) cache.put(1, id); },
        [&] { for (int i = 0; i != 3; ++i) cache.tidy(); },
    });
    EXPECT_EQ(cache.get(1), 5);
    cache.finish(5);
  });
}

TEST(Schedules, WhatWasRemovedDoesNotComeBack) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(100, seed % 3 == 0 ? 8 : 1));
    // Others around it, so that slots are reused and entries stand away from their homes.
    for (int key = 10; key != 17; ++key) cache.put(key, key);
    cache.put(1, 100);
    by.run(threads{
        [&] {
          int last = 0;
          bool removed = false;
          for (int i = 0; i != 6; ++i) {
            const int seen = cache.get(1);
            if (seen == 0) removed = true;
            EXPECT_TRUE(seen == 0 || seen >= last) << "an old value came back";
            EXPECT_TRUE(!removed || seen == 0 || seen > last || last == 0);
            if (seen != 0) {
              last = seen;
              removed = false;
            }
          }
        },
        [&] {
          for (int id = 101; id != 104; ++id) {
            EXPECT_TRUE(cache.erase(1));
            cache.erase(10 + id % 7);
            cache.put(1, id);
          }
        },
        [&] {
          cache.put(20, 20);
          cache.erase(12);
          cache.tidy();
        },
    });
    EXPECT_EQ(cache.get(1), 103);
    cache.finish(7 + 4 + 1);
  });
}

TEST(Schedules, GrowthHidesNoKeyFromReaders) {
  for_seeds(600, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(1'000, seed % 2 == 0 ? 1 : 8));
    for (int key = 0; key != 7; ++key) cache.put(key, key + 1);
    const auto reader = [&](int from) {
      return [&cache, from] {
        for (int round = 0; round != 4; ++round) {
          for (int key = from; key < 7; key += 2) EXPECT_EQ(cache.get(key, 0), key + 1) << "it was there all the while";
        }
      };
    };
    by.run(threads{reader(0), reader(1), [&] { for (int key = 10; key != 45; ++key) cache.put(key, key + 1); }});
    cache.finish(7 + 35);
  });
}

// Two writers move pages at once, and a third one looks at everything.
TEST(Schedules, GrowthHidesNoKeyFromWritersAndLookersAround) {
  for_seeds(500, [](scheduler& by, std::uint64_t seed) {
    const int before = seed % 2 == 0 ? 7 : 440;  // the second: a table of one page of 64 buckets grows to two
    subject cache(options(2'000));
    for (int key = 0; key != before; ++key) cache.put(key, key + 1);
    const auto writer = [&](int from) {
      return [&cache, from] {
        for (int key = from; key != from + 20; ++key) cache.put(key, key + 1);
        EXPECT_FALSE(cache.put_if_absent(from % 7, -from)) << "it was there all the while";
      };
    };
    by.run(threads{writer(1'000), writer(2'001), [&] {
      std::set<int> seen;
      cache.engine().for_each([&](const auto& entry) { EXPECT_TRUE(seen.insert(entry.key()).second); });
      for (int key = 0; key != before; ++key) EXPECT_TRUE(seen.contains(key)) << key << " was there all the while";
    }});
    cache.finish(before + 40);
  });
}

TEST(Schedules, AShrinkingTableHidesNoKey) {
  for_seeds(300, [](scheduler& by, std::uint64_t) {
    subject cache(options(300));
    for (int key = 0; key != 6; ++key) cache.put(key, key + 1, {.weight = 0});  // pinned: they stay
    for (int key = 10; key != 90; ++key) cache.put(key, key + 1);
    by.run(threads{
        [&] {
          for (int round = 0; round != 4; ++round) {
            for (int key = 0; key != 6; ++key) EXPECT_EQ(cache.get(key, 0), key + 1) << "it was there all the while";
          }
        },
        [&] { cache.engine().resize(10, 0, now); },
        [&] {
          for (int key = 100; key != 106; ++key) cache.put(key, key + 1);
          cache.engine().resize(12, 0, now);
        },
    });
    cache.finish(6 + 80 + 6);
    EXPECT_LE(cache.engine().size(), 6u + 12u);
  });
}

TEST(Schedules, OneOfTwoWritersIsFirst) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t) {
    subject cache(options(100, 8));
    bool first = false;
    bool second = false;
    by.run(threads{[&] { first = cache.put_if_absent(1, 1); }, [&] { second = cache.put_if_absent(1, 2); },
                   [&] { cache.tidy(); }});
    EXPECT_NE(first, second);
    EXPECT_EQ(cache.get(1), first ? 1 : 2);
    cache.finish(1);
  });
}

// In each thread's lane lies another part of an entry's life, and they are drained in any order.
TEST(Schedules, ChangesOfOneKeyMayBeDrainedInAnyOrder) {
  for_seeds(1'200, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(100, 8, seed % 3 == 0 ? eviction_policy::lru : eviction_policy::fifo), seed % 5 != 0);
    cache.put(1, 1);
    by.run(threads{
        [&] {
          cache.put(1, 2);
          cache.erase(1);
          cache.put(1, 3, {.weight = seed % 2});
        },
        [&] {
          cache.put(1, 4);
          cache.erase(1);
        },
        [&] {
          cache.engine().machinery().drain(now);
          cache.put(1, 5);
          cache.tidy();
        },
    });
    cache.finish(seed % 5 != 0 ? 5 : -1);
    EXPECT_LE(cache.engine().size(), 1u);
  });
}

TEST(Schedules, AnEntryIsEvictedAndReplacedOrRemovedAtOnce) {
  for_seeds(1'200, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(2, 1, seed % 3 == 0 ? eviction_policy::lru : eviction_policy::fifo));
    cache.put(1, 1);
    cache.put(2, 2);
    by.run(threads{
        [&] { for (int key = 10; key != 13; ++key) cache.put(key, key); },
        [&] {
          cache.put(1, 3);
          cache.erase(1);
          cache.put(2, 4);
        },
        [&] {
          cache.get(1);
          cache.erase(2);
        },
    });
    EXPECT_LE(cache.engine().size(), 2u);
    cache.finish(7);
  });
}

TEST(Schedules, ClearTakesWhatWasThereAndNoMore) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(1'000, seed % 2 == 0 ? 1 : 8));
    for (int key = 0; key != 7; ++key) cache.put(key, key + 1);
    by.run(threads{
        [&] {
          cache.engine().clear(removal_cause::cleared);
          for (int key = 0; key != 7; ++key) EXPECT_TRUE(cache.get(key) == 0 || cache.get(key) >= 100);
          cache.put(50, 50);
        },
        [&] {
          cache.put(1, 101);
          cache.put(8, 102);
          cache.put(9, 103);  // the table grows
          cache.put(10, 104);
        },
    });
    EXPECT_EQ(cache.get(50), 50);
    cache.finish(7 + 5);
  });
}

TEST(Schedules, TheSweepTakesWhatExpiredAndLeavesItsSuccessor) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t) {
    subject cache(options(100, 8));
    const std::int64_t gone = now.time_since_epoch().count();
    for (int key = 1; key != 4; ++key) cache.put(key, key, {.deadline = gone});
    by.run(threads{
        [&] {
          EXPECT_EQ(cache.put(1, 10), put_result::inserted);
          EXPECT_FALSE(cache.erase(2));
          EXPECT_TRUE(cache.put_if_absent(2, 20));
        },
        [&] { cache.engine().sweep(now, 100); },
        [&] { cache.engine().sweep(now, 100); },
    });
    EXPECT_EQ(cache.get(1), 10);
    EXPECT_EQ(cache.get(2), 20);
    EXPECT_EQ(cache.get(3), 0);
    cache.finish(5);
  });
}

TEST(Schedules, WhatAReaderHoldsIsNotDestroyed) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(100), seed % 2 == 0);
    cache.put(1, 1);
    cache.put(2, 2);
    by.run(threads{
        [&] {
          cache.get(1, 20);
          cache.get(2, 20);
          cache.get(1, 20);
        },
        [&] {
          cache.put(1, 3);
          cache.erase(2);
          cache.tidy();
          cache.put(1, 4);
          cache.tidy();
        },
        [&] { for (int i = 0; i != 3; ++i) cache.tidy(); },
    });
    cache.finish();
  });
}

TEST(Schedules, TheListenerHearsInTheOrderOfTheChanges) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t seed) {
    subject cache(options(100, seed % 2 == 0 ? 1 : 8));
    cache.put(1, 1);
    const auto writer = [&](int from) {
      return [&cache, from] { for (int id = from; id != from + 3; ++id) cache.put(1, id); };
    };
    by.run(threads{writer(10), writer(20), [&] { cache.tidy(); }});
    cache.finish(7);
    EXPECT_EQ(cache.heard(1), cache.replaced(1));
  });
}

TEST(Schedules, RoomIsPromisedOnce) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t seed) {
    const auto policy = seed % 2 == 0 ? eviction_policy::noeviction : eviction_policy::volatile_lru;
    subject cache(options(3, 1, policy));
    cache.put(1, 1);
    int refused = 0;
    const auto writer = [&](int from) {
      return [&, from] {
        for (int key = 1; key != 4; ++key) {
          refused += cache.put(key == 3 ? from : key, from + key) == put_result::refused ? 1 : 0;
          EXPECT_LE(cache.engine().size(), 3u);
        }
        cache.put_if_absent(2, from);
        cache.erase(from);
      };
    };
    by.run(threads{writer(10), writer(20), writer(30)});
    cache.finish();
    EXPECT_LE(cache.engine().size(), 3u);
    for (int key = 50; key != 60; ++key) refused += cache.put(key, key) == put_result::refused ? 1 : 0;
    EXPECT_EQ(cache.engine().size(), 3u) << "no room was lost";
    cache.finish();
  });
}

TEST(Schedules, AReplacementThatNeedsMoreRoomAsksForIt) {
  for_seeds(1'000, [](scheduler& by, std::uint64_t) {
    store_options how = options(100, 1, eviction_policy::noeviction);
    how.max_weight = 10;
    subject cache(how);
    cache.put(1, 1, {.weight = 5});
    by.run(threads{
        [&] { cache.put(1, 2, {.weight = 5}); },
        [&] {
          cache.put(1, 3, {.weight = 1});
          cache.put(2, 4, {.weight = 9});
        },
        [&] {
          cache.erase(1);
          cache.put(3, 5, {.weight = 8});
        },
    });
    cache_stats stats;
    cache.engine().fill(stats);
    EXPECT_LE(stats.bytes, 10u);
    cache.finish();
  });
}

}  // namespace
}  // namespace seawall::schedules

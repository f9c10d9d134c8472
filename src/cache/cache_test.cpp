// The cache as its users call it.
#include "seawall/cache.hpp"

#include "seawall/cache/memoize.hpp"
#include "seawall/cache/pending_invalidations.hpp"
#include "seawall/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Cache : public ::testing::Test {
 protected:
  using names = cache<int, std::string>;

  names::options with_clock(names::options how = {}) {
    how.clock = clock;
    how.executor = executor;
    how.jitter = 0;
    return how;
  }

  // A loader that answers with "<key>#<how often it was called>".
  auto counted() {
    return [this](int key) { return std::to_string(key) + "#" + std::to_string(++loads); };
  }

  static std::string text(const names::answer& answer) {
    if (!answer) return "error: " + answer.error().message();
    return *answer ? **answer : "absent";
  }

  int loads = 0;
  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
};

TEST_F(Cache, LoadsOnceAndExpiresAtItsTtl) {
  names users{with_clock({.ttl = 1min})};
  EXPECT_EQ(text(users.get_or_load(1, counted())), "1#1");
  EXPECT_EQ(text(users.get_or_load(1, counted())), "1#1");
  clock->advance(1min - 1ns);
  EXPECT_TRUE(users.contains(1));
  clock->advance(1ns);
  EXPECT_FALSE(users.contains(1));
  EXPECT_EQ(users.get(1), nullptr);
  EXPECT_EQ(text(users.get_or_load(1, counted())), "1#2");
}

TEST_F(Cache, JitterShortensTheTtlAndNeverLengthensIt) {
  cache<int, int> numbers{{.ttl = 1min, .jitter = 0.5, .clock = clock, .seed = 1}};
  for (int key = 0; key != 100; ++key) numbers.put(key, key);
  clock->advance(45s);
  int left = 0;
  for (int key = 0; key != 100; ++key) left += numbers.contains(key) ? 1 : 0;
  EXPECT_THAT(left, ::testing::AllOf(::testing::Gt(20), ::testing::Lt(80)));
  clock->advance(15s);
  for (int key = 0; key != 100; ++key) EXPECT_FALSE(numbers.contains(key));
}

TEST_F(Cache, EveryValueIsAHit) {
  cache<int, bool> flags{{.clock = clock}};
  cache<int, std::optional<int>> maybes{{.clock = clock}};
  names texts{with_clock()};
  flags.put(1, false);
  texts.put(1, "");
  maybes.put(1, std::optional<int>{});
  ASSERT_NE(flags.get(1), nullptr);
  EXPECT_FALSE(*flags.get(1));
  EXPECT_EQ(*texts.get(1), "");
  EXPECT_EQ(*maybes.get(1), std::nullopt);
}

TEST_F(Cache, AbsenceIsCachedForItsOwnTtlAndAnInsertShowsAtOnce) {
  names users{with_clock({.ttl = 1h, .negative_ttl = 1s})};
  const auto nobody = [this](int) -> std::optional<std::string> {
    ++loads;
    return std::nullopt;
  };
  for (int i = 0; i != 100; ++i) EXPECT_EQ(text(users.get_or_load(7, nobody)), "absent");
  EXPECT_EQ(loads, 1);
  EXPECT_TRUE(users.contains(7));
  EXPECT_EQ(users.get(7), nullptr);
  users.put(7, "inserted");
  EXPECT_EQ(text(users.get_or_load(7, nobody)), "inserted");
  users.put_absent(7);
  clock->advance(1s);
  EXPECT_EQ(text(users.get_or_load(7, nobody)), "absent");
  EXPECT_EQ(loads, 2);
}

TEST_F(Cache, SlidingEntriesLiveWhileTheyAreUsedUpToTheirCap) {
  names sessions{with_clock({.ttl = 10min, .sliding = 3min})};
  sessions.put(1, "s");
  for (int i = 0; i != 4; ++i) {
    clock->advance(2min);
    EXPECT_NE(sessions.get(1), nullptr) << i;
  }
  clock->advance(2min);
  EXPECT_EQ(sessions.get(1), nullptr) << "ten minutes after the write it is over";
  sessions.put(2, "t");
  clock->advance(3min);
  EXPECT_EQ(sessions.get(2), nullptr);
}

TEST_F(Cache, StaleIsServedWhileOneBackgroundRefreshRuns) {
  auto how = with_clock({.ttl = 1min, .stale_for = 1h});
  how.loader = counted();
  names users{how};
  users.put(1, "old");
  clock->advance(1min);
  EXPECT_EQ(text(users.get_or_load(1)), "old");
  EXPECT_EQ(text(users.get_or_load(1)), "old");
  EXPECT_EQ(users.get(1), nullptr) << "get is for fresh values";
  EXPECT_EQ(executor->run_all(), 1u);
  EXPECT_EQ(*users.get(1), "1#1");
  EXPECT_EQ(users.stats().total.stale_served, 2u);
}

TEST_F(Cache, StaleIfErrorUpToItsAge) {
  names users{with_clock({.ttl = 1min, .stale_if_error = 1min, .backoff = {.initial = 0s}})};
  const auto broken = [](int) -> result<std::string> { return fail(errc::loader_failed, "db down"); };
  users.put(1, "old");
  clock->advance(1min);
  EXPECT_EQ(text(users.get_or_load(1, broken)), "old");
  clock->advance(1min);
  EXPECT_EQ(text(users.get_or_load(1, broken)), "error: db down");
}

TEST_F(Cache, AnInvalidatedValueIsNotServedEvenOnError) {
  names users{with_clock({.ttl = 1min, .stale_for = 1h, .stale_if_error = 1h})};
  users.put(1, "old");
  clock->advance(1min);
  users.invalidate(1);
  EXPECT_EQ(text(users.get_or_load(1, [](int) -> result<std::string> { return fail(errc::loader_failed, "down"); })),
            "error: down");
}

TEST_F(Cache, ExpiredByHandIsStaleNotGone) {
  names users{with_clock({.stale_for = 1min})};
  users.put(1, "old");
  EXPECT_TRUE(users.expire(1));
  EXPECT_FALSE(users.expire(2));
  EXPECT_EQ(users.get(1), nullptr);
  EXPECT_FALSE(users.peek(1)->fresh);
  EXPECT_EQ(text(users.get_or_load(1, counted())), "1#1") << "this caller refreshes it";
}

TEST_F(Cache, RefreshAheadInTheLastShareOfTheTtl) {
  auto how = with_clock({.ttl = 100s, .refresh_ahead = 0.2});
  how.loader = counted();
  names users{how};
  users.put(1, "old");
  clock->advance(79s);
  users.get(1);
  EXPECT_EQ(executor->pending(), 0u);
  clock->advance(1s);
  EXPECT_EQ(*users.get(1), "old");
  EXPECT_EQ(executor->run_all(), 1u);
  EXPECT_EQ(*users.get(1), "1#1");
}

TEST_F(Cache, PeekShowsWithoutUsing) {
  names users{with_clock({.capacity = 2, .ttl = 10s})};
  users.put(1, "a");
  clock->advance(4s);
  users.put(2, "b");
  const auto seen = users.peek(1);
  ASSERT_TRUE(seen);
  EXPECT_EQ(*seen->value, "a");
  EXPECT_EQ(seen->age, 4s);
  EXPECT_EQ(seen->fresh_for, 6s);
  users.put(3, "c");
  EXPECT_FALSE(users.peek(1)) << "peek does not keep it from eviction";
  EXPECT_EQ(users.stats().evicted(removal_cause::capacity), 1u);
}

TEST_F(Cache, ManyKeysTakeOneBulkLoad) {
  names users{with_clock()};
  users.put(1, "one");
  int calls = 0;
  const auto bulk = [&](std::span<const int> keys) {
    ++calls;
    EXPECT_THAT(keys, ElementsAre(2, 3, 4));
    std::vector<result<std::optional<std::string>>> rows{"two", std::optional<std::string>{},
                                                         fail(errc::loader_failed, "shard down")};
    return rows;
  };
  const auto answers = users.get_many(std::vector{2, 1, 3, 4, 2}, bulk);
  std::vector<std::string> texts;
  for (const auto& answer : answers) texts.push_back(text(answer));
  EXPECT_THAT(texts, ElementsAre("two", "one", "absent", "error: shard down", "two"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(*users.get(2), "two");
}

TEST_F(Cache, BulkLoaderMayAnswerWithAMapOrFailAsAWhole) {
  names users{with_clock({.backoff = {.initial = 0s}})};
  const std::vector keys{1, 2};
  const auto map = [](std::span<const int>) { return std::unordered_map<int, std::string>{{2, "b"}}; };
  EXPECT_EQ(text(users.get_many(keys, map)[0]), "absent");
  EXPECT_EQ(text(users.get_many(keys, map)[1]), "b");
  users.clear();
  const auto short_answer = [](std::span<const int>) { return std::vector<std::string>{"x"}; };
  EXPECT_THAT(text(users.get_many(keys, short_answer)[1]), HasSubstr("asked for 2 keys and answered 1"));
  const auto throws = [](std::span<const int>) -> std::vector<std::string> { throw std::runtime_error("no"); };
  EXPECT_THAT(text(users.get_many(keys, throws)[0]), HasSubstr("no"));
}

TEST_F(Cache, KeysAreLookedUpWithoutAConversion) {
  cache<std::string, int> ages{{.clock = clock}};
  ages.put("ada", 36);
  EXPECT_EQ(*ages.get(std::string_view("ada")), 36);
  EXPECT_EQ(*ages.get("ada"), 36);
  EXPECT_TRUE(ages.invalidate(std::string_view("ada")));
  cache<std::uint64_t, int> numbers{{.clock = clock}};
  numbers.put(5, 1);
  EXPECT_EQ(*numbers.get(5), 1) << "an int finds the uint64_t";
}

TEST_F(Cache, ExceptionsOfLoadersBecomeErrors) {
  names users{with_clock({.backoff = {.initial = 0s}})};
  const auto answer = users.get_or_load(1, [](int) -> std::string { throw std::out_of_range("row 9"); });
  EXPECT_EQ(text(answer), "error: the loader threw: row 9");
  EXPECT_THROW(std::rethrow_exception(answer.error().cause()), std::out_of_range);
}

TEST_F(Cache, WithoutAnyLoaderItSaysSo) {
  names users{with_clock()};
  EXPECT_THAT(text(users.get_or_load(1)), HasSubstr("without a loader"));
}

TEST_F(Cache, BadOptionsNameTheField) {
  const auto message = [](names::options how) {
    const auto made = names::create(std::move(how));
    return made ? "fine" : made.error().message();
  };
  EXPECT_EQ(message({.name = "users", .capacity = 0}), "cache 'users': capacity must be 1 to 2^32 entries");
  EXPECT_THAT(message({.ttl = 0s}), HasSubstr("ttl must be positive"));
  EXPECT_THAT(message({.ttl = 1s, .sliding = 2s}), HasSubstr("sliding must be no longer than ttl"));
  EXPECT_THAT(message({.jitter = 1.5}), HasSubstr("jitter must be between 0 and 1"));
  EXPECT_EQ(message({}), "fine");
  EXPECT_THROW(names({.max_concurrent_loads = 0}), std::invalid_argument);
}

TEST_F(Cache, KeyClassesSplitTheCounters) {
  auto how = with_clock();
  how.key_classes = {.names = {"even", "odd"}, .of = [](int key) { return std::size_t(key % 2); }};
  names users{how};
  users.get_or_load(2, counted());
  users.get_or_load(3, counted());
  users.get_or_load(3, counted());
  const auto stats = users.stats();
  EXPECT_EQ(stats.classes.at(0).misses, 1u);
  EXPECT_EQ(stats.classes.at(1).hits, 1u);
  EXPECT_EQ(stats.total.misses, 2u);
  EXPECT_EQ(stats.load_time.count, 2u);
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_GT(stats.bytes, 0u);
}

TEST_F(Cache, ThreadsThatMeetOnAKeyLoadItOnce) {
  names users{{.name = "users"}};
  constexpr int callers = 64;
  std::latch all_there{callers};
  std::atomic<int> calls{0};
  std::vector<std::thread> threads;
  for (int i = 0; i != callers; ++i) {
    threads.emplace_back([&] {
      all_there.arrive_and_wait();
      for (int key = 0; key != 200; ++key) {
        const auto answer = users.get_or_load(key, [&](int id) {
          calls.fetch_add(1);
          return std::to_string(id);
        });
        ASSERT_EQ(text(answer), std::to_string(key));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(calls.load(), 200);
}

TEST_F(Cache, ADetachedLoaderLetsItsCallerGoAtTheDeadline) {
  std::latch release{1};
  names users{{.name = "users"}};  // its destructor waits for the load, which refers to the latch
  auto hangs = [&release](int) {
    release.wait();
    return std::string("late");
  };
  const auto answer = users.get_or_load(1, detached(hangs), {.deadline = 1ms});
  EXPECT_EQ(answer.error(), errc::timed_out);
  release.count_down();
}

TEST_F(Cache, LoadersMayLoadOtherKeysOfTheirCache) {
  names::options how{.name = "tree", .max_concurrent_loads = 2};
  names* self = nullptr;
  how.loader = [&self](int key) -> result<std::string> {
    if (key == 0) return "root";
    const auto parent = self->get_or_load(key - 1);
    if (!parent) return std::unexpected(parent.error());
    return **parent + "/" + std::to_string(key);
  };
  names tree{how};
  self = &tree;
  EXPECT_EQ(text(tree.get_or_load(1)), "root/1");
  EXPECT_EQ(tree.get_or_load(5).error(), errc::overloaded) << "each level holds a place; the bulkhead ends the descent";
}

TEST_F(Cache, AnInvalidationDuringTheLoadIsNotTakenForARecursion) {
  names users{with_clock()};
  const auto changes_meanwhile = [&](int key) {
    if (++loads == 1) users.invalidate(key);
    return "v" + std::to_string(loads);
  };
  EXPECT_EQ(text(users.get_or_load(1, changes_meanwhile)), "v2");
  const auto bulk = [&](std::span<const int> keys) {
    if (++loads == 3) users.invalidate(keys[1]);
    return std::vector<std::string>(keys.size(), "b" + std::to_string(loads));
  };
  const auto answers = users.get_many(std::vector{5, 6}, bulk);
  EXPECT_EQ(text(answers[0]), "b3");
  EXPECT_EQ(text(answers[1]), "b4");
}

TEST_F(Cache, MemoizeKeysByTheArguments) {
  cache<std::string, int> results{{.clock = clock}};
  auto sum = memoize(results, "sum", [this](int a, int b) {
    ++loads;
    return a + b;
  });
  EXPECT_EQ(**sum(1, 2), 3);
  EXPECT_EQ(**sum(1, 2), 3);
  EXPECT_EQ(**sum(2, 1), 3);
  EXPECT_EQ(loads, 2);
  EXPECT_TRUE(sum.invalidate(1, 2));
  sum(1, 2);
  EXPECT_EQ(loads, 3);
}

TEST_F(Cache, PendingInvalidationsWaitForTheCommit) {
  names users{with_clock()};
  names lists{with_clock()};
  users.put(1, "u");
  lists.put(9, "l");
  {
    pending_invalidations rolled_back;
    rolled_back.add(users, 1);
  }
  pending_invalidations stale;
  stale.add(users, 1);
  stale.add_all(lists);
  EXPECT_TRUE(users.contains(1));
  stale.apply();
  EXPECT_FALSE(users.contains(1));
  EXPECT_FALSE(lists.contains(9));
  EXPECT_EQ(stale.size(), 0u);
}

}  // namespace
}  // namespace seawall

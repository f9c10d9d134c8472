#include "seawall/cache/flight_table.hpp"

#include "seawall/base/random.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace seawall {
namespace {

using namespace std::chrono_literals;

struct silent_waiter final : waiter {
  void wake() noexcept override {}
};

class FlightTable : public ::testing::Test {
 protected:
  using table_type = flight_table<std::string, int, std::equal_to<>>;

  static std::size_t hash_of(std::string_view key) { return mix64(std::hash<std::string_view>{}(key)); }
  table_type::shard& shard_of(std::string_view key) { return table.shard_of(hash_of(key)); }

  // Failures. The tests are single-threaded: they call what wants the lock without one.
  void fails(const std::string& key, duration initial = 10ms, duration max = 100ms, const char* why = "down") {
    shard_of(key).record_failure_locked(key, hash_of(key), error{errc::loader_failed, why}, now, initial, max);
  }
  const failure_record* failure_of(std::string_view key) {
    return shard_of(key).find_failure_locked(key, hash_of(key), now);
  }
  void forget(std::string_view key) { shard_of(key).forget_failure_locked(key, hash_of(key)); }
  // How long from now the key's callers get its error.
  duration blocked(std::string_view key) {
    const auto* failed = failure_of(key);
    return failed ? failed->retry_at - now : 0ns;
  }
  std::size_t remembered() const {
    std::size_t sum = 0;
    for (const auto& shard : table.shards()) sum += shard.failures.size();
    return sum;
  }

  // Flights.
  table_type::flight_ptr open(const std::string& key, int waiters = 0) {
    auto opened = std::make_shared<flight<std::string, int>>(key, hash_of(key), now, never, false, false, nullptr);
    for (int i = 0; i != waiters; ++i) opened->waiters.insert(std::make_shared<silent_waiter>());
    shard_of(key).flights.try_emplace({key, hash_of(key)}, opened);
    return opened;
  }
  table_type::flight_ptr find(std::string_view key) { return shard_of(key).find_locked(key, hash_of(key)); }

  table_type table{std::equal_to<>{}};
  time_point now = time_point{} + 1h;
};

// ---- back-off ----

TEST_F(FlightTable, TheBackOffDoublesUpToItsCap) {
  for (const duration expected : {10ms, 20ms, 40ms, 80ms, 100ms, 100ms}) {
    fails("k");
    EXPECT_EQ(blocked("k"), expected);
    now += 1s;
    EXPECT_EQ(blocked("k"), 0ns) << "its time is over, its count is not forgotten";
  }
}

TEST_F(FlightTable, ItsEndIsExact) {
  fails("k");
  now += 10ms - 1ns;
  EXPECT_NE(failure_of("k"), nullptr);
  now += 1ns;
  EXPECT_EQ(failure_of("k"), nullptr);
}

TEST_F(FlightTable, TheLastErrorIsTheOneToldAndKeysAreSeparate) {
  fails("k", 10ms, 1s, "first");
  fails("k", 10ms, 1s, "second");
  fails("other", 10ms, 1s, "another");
  EXPECT_EQ(failure_of("k")->last.message(), "second");
  EXPECT_EQ(failure_of("k")->failures, 2u);
  EXPECT_EQ(failure_of("other")->last.message(), "another");
  EXPECT_EQ(failure_of("third"), nullptr);
}

TEST_F(FlightTable, ForgettingStartsAnew) {
  fails("k");
  fails("k");
  forget("k");
  forget("unknown");
  EXPECT_EQ(failure_of("k"), nullptr);
  fails("k");
  EXPECT_EQ(blocked("k"), 10ms);
}

TEST_F(FlightTable, AnInitialOfZeroIsNoBackOff) {
  fails("k", 0ms);
  EXPECT_EQ(failure_of("k"), nullptr);
  EXPECT_EQ(remembered(), 0u);
}

TEST_F(FlightTable, TheBackOffNeverOverflows) {
  for (int i = 0; i != 200; ++i) fails("k", 1ns, forever);
  EXPECT_EQ(failure_of("k")->retry_at, never);
  for (int i = 0; i != 200; ++i) fails("flat", 5s, 5s);
  EXPECT_EQ(blocked("flat"), 5s);
}

TEST_F(FlightTable, RemembersABoundedNumberOfKeys) {
  for (int i = 0; i != 70'000; ++i) fails("k" + std::to_string(i));
  EXPECT_LE(remembered(), table_type::max_failures);
  EXPECT_GT(remembered(), table_type::max_failures * 9 / 10);
}

TEST_F(FlightTable, KeysWhoseTimeIsOverMakeRoomForOthers) {
  for (int i = 0; i != 70'000; ++i) fails("old" + std::to_string(i));
  now += 10ms;
  for (int i = 0; i != 1'000; ++i) fails("new" + std::to_string(i));
  for (int i = 0; i != 1'000; ++i) ASSERT_NE(failure_of("new" + std::to_string(i)), nullptr) << i;
}

TEST_F(FlightTable, AKeyThatIsRememberedCountsOnWhenTheTableIsFull) {
  fails("k");
  for (int i = 0; i != 70'000; ++i) fails("k" + std::to_string(i));
  fails("k");
  EXPECT_EQ(blocked("k"), 20ms);
}

RC_GTEST_PROP(FlightTableProperty, BackOffIsInitialTimesAPowerOfTwoWithinMax, ()) {
  flight_table<int, int, std::equal_to<>> table{std::equal_to<>{}};
  auto& shard = table.shard_of(1);
  const duration initial{*rc::gen::inRange<std::int64_t>(1, 1'000'000)};
  const duration max = initial + duration{*rc::gen::inRange<std::int64_t>(0, 100'000'000)};
  duration expected = initial;
  for (int i = 0, count = *rc::gen::inRange(1, 80); i != count; ++i) {
    shard.record_failure_locked(1, 1, error{errc::loader_failed}, time_point{}, initial, max);
    RC_ASSERT(shard.find_failure_locked(1, 1, time_point{})->retry_at - time_point{} == expected);
    expected = std::min(2 * expected, max);
  }
}

// ---- flights ----

TEST_F(FlightTable, FindsAFlightByAnyTypeThatComparesWithItsKey) {
  const auto opened = open("k");
  EXPECT_EQ(find("k"), opened);
  EXPECT_EQ(find(std::string("k")), opened);
  EXPECT_EQ(find("other"), nullptr);
}

TEST_F(FlightTable, ReleasesTheKeyOfThisFlightOnly) {
  const auto first = open("k");
  shard_of("k").release_key_locked(*first);
  EXPECT_EQ(find("k"), nullptr);
  const auto second = open("k");
  shard_of("k").release_key_locked(*first);
  EXPECT_EQ(find("k"), second) << "the first flight does not own the key any more";
}

TEST_F(FlightTable, SupersedingFreesTheKeyForgetsItsFailuresAndHandsOverItsWaiters) {
  const auto cut_off = open("k", 2);
  const auto stays = open("other", 1);
  fails("k");
  fails("other");
  waiter_set woken;
  shard_of("k").supersede_locked(std::string_view("k"), hash_of("k"), woken);
  EXPECT_EQ(cut_off->phase, flight_phase::superseded);
  EXPECT_TRUE(cut_off->waiters.empty());
  EXPECT_EQ(woken.size(), 2u);
  EXPECT_EQ(find("k"), nullptr);
  EXPECT_EQ(failure_of("k"), nullptr);
  EXPECT_EQ(find("other"), stays);
  EXPECT_EQ(stays->phase, flight_phase::loading);
  EXPECT_NE(failure_of("other"), nullptr);
}

TEST_F(FlightTable, SupersedingAKeyWithoutAFlightForgetsItsFailures) {
  fails("k");
  waiter_set woken;
  shard_of("k").supersede_locked(std::string_view("k"), hash_of("k"), woken);
  EXPECT_TRUE(woken.empty());
  EXPECT_EQ(failure_of("k"), nullptr);
}

TEST_F(FlightTable, SupersedingAllLeavesNothing) {
  const auto one = open("a", 1);
  const auto two = open("b", 2);
  fails("c");
  waiter_set woken;
  for (auto& shard : table.shards()) {
    waiter_set of_one;
    while (shard.supersede_one_locked(of_one)) woken.merge(of_one);
  }
  EXPECT_EQ(one->phase, flight_phase::superseded);
  EXPECT_EQ(two->phase, flight_phase::superseded);
  EXPECT_EQ(woken.size(), 3u);
  EXPECT_EQ(find("a"), nullptr);
  EXPECT_EQ(find("b"), nullptr);
  EXPECT_EQ(remembered(), 0u);
}

TEST_F(FlightTable, SpreadsItsKeysOverItsShards) {
  std::set<const void*> used;
  for (int i = 0; i != 1'000; ++i) used.insert(&shard_of(std::to_string(i)));
  EXPECT_EQ(used.size(), table_type::shard_count);
}

}  // namespace
}  // namespace seawall

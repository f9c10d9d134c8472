// What two processes that share a tier see of each other.
#include "test_shared.hpp"

#include "seawall/async.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

namespace seawall::shared_test {
namespace {

TEST_F(Shared, OneProcessLoadsAndTheOtherFindsIt) {
  caller first = ask(here, 1);
  load(first, "a");
  EXPECT_EQ(text(first), "a");
  EXPECT_TRUE(tier->holds_entry("users:1"));

  caller second = ask(there, 1);
  EXPECT_EQ(text(second), "a");
  EXPECT_EQ(held_by(here, 1), "a");
  EXPECT_EQ(held_by(there, 1), "a");
  EXPECT_EQ(there->stats().total.loads, 0U);
  EXPECT_EQ(there->stats().total.hits, 1U);
}

TEST_F(Shared, AnAbsenceIsSharedToo) {
  caller first = ask(here, 1);
  load(first, not_found);
  caller second = ask(there, 1);
  EXPECT_EQ(text(second), "absent");
}

TEST_F(Shared, WhileOneProcessLoadsTheOtherWaitsForItsFill) {
  caller first = ask(here, 1);
  caller second = ask(there, 1);
  ASSERT_EQ(second.at, step::wait);
  load(first, "a");
  ASSERT_GT(second.self->wakes, 0);
  wake(second);
  EXPECT_EQ(text(second), "a");
  EXPECT_EQ(there->stats().total.loads, 0U);
}

TEST_F(Shared, WhereNothingIsToldAWaiterLooksAgainByItself) {
  tier->tells = false;
  caller first = ask(here, 1);
  caller second = ask(there, 1);
  load(first, "a");
  EXPECT_EQ(second.self->wakes, 0);
  clock->advance(5ms);
  ASSERT_GT(second.self->wakes, 0);
  wake(second);
  EXPECT_EQ(text(second), "a");
}

TEST_F(Shared, AFailedLoadGivesTheLeaseBack) {
  caller first = ask(here, 1);
  ASSERT_TRUE(tier->holds_lease("users:1"));
  load(first, error{errc::loader_failed});
  EXPECT_FALSE(tier->holds_lease("users:1"));
  caller second = ask(there, 1);
  EXPECT_EQ(second.at, step::run_loader);
}

TEST_F(Shared, ALeaderThatLeavesGivesTheLeaseBack) {
  {
    caller first = ask(here, 1);
    ASSERT_TRUE(tier->holds_lease("users:1"));
  }
  EXPECT_FALSE(tier->holds_lease("users:1"));
}

TEST_F(Shared, ALeaseThatComesAfterItsAskerLeftIsGivenBack) {
  tier->automatic = false;
  { caller first = ask(here, 1); }
  tier->run_all();
  EXPECT_FALSE(tier->holds_lease("users:1"));
  caller second = ask(here, 1);
  tier->run_all();
  settle(second);
  EXPECT_EQ(second.at, step::run_loader);
}

TEST_F(Shared, AnInvalidationElsewhereDuringTheLoadKeepsItsValueOut) {
  caller first = ask(here, 1);
  there->invalidate(1, there->hash_of(1));
  load(first, "old");
  EXPECT_EQ(text(first), "old");  // its own load began before; nobody else gets it
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, ThoseWhoJoinedARefusedLoadLookAgain) {
  caller first = ask(here, 1);
  caller joined = ask(here, 1);
  ASSERT_EQ(joined.at, step::wait);
  there->invalidate(1, there->hash_of(1));
  load(first, "old");
  wake(joined);
  load(joined, "new");
  EXPECT_EQ(text(joined), "new");
  EXPECT_EQ(held_by(here, 1), "new");
}

TEST_F(Shared, AnInvalidationElsewhereTakesTheEntryAway) {
  store(here, 1, "a");
  there->invalidate(1, there->hash_of(1));
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, AnEarlyRefreshLoadsThoughTheTiersEntryIsFresh) {
  configure({.ttl = 10s, .refresh_ahead = 0.5});
  store(here, 1, "old");
  clock->advance(6s);
  caller refreshes = ask(here, 1);
  load(refreshes, "new");
  caller other = ask(there, 1);
  EXPECT_EQ(text(other), "new");
}

TEST_F(Shared, AChangeBetweenTheReadAndTheStoreKeepsTheValueOut) {
  store(there, 1, "a");
  tier->automatic = false;
  caller one = ask(here, 1);
  tier->run_all();               // the answer has come, and is not yet taken
  tier->drop("users:1");
  settle(one);
  EXPECT_EQ(text(one), "a");     // it was right when it was read
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, WithoutProofNothingIsServed) {
  store(here, 1, "a");
  tier->proof.end();
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, OwnInvalidationHoldsFromItsReturn) {
  store(here, 1, "a");
  here->invalidate(1, here->hash_of(1));
  EXPECT_EQ(held_by(here, 1), "nothing");
  EXPECT_FALSE(tier->holds_entry("users:1"));
}

TEST_F(Shared, AReadBetweenTheTwoHalvesOfAnInvalidationIsNotKept) {
  store(here, 1, "a");
  tier->automatic = false;
  tier->tells = false;  // the server's message is on its way
  caller between;
  const auto reader = std::make_shared<counting_waiter>();
  // The first half has run when the tier gets the invalidation; a reader comes in before the tier does it.
  here->drop(1, here->hash_of(1));
  between = ask(here, 1);
  tier->run_all();
  settle(between);
  ASSERT_EQ(text(between), "a");
  ASSERT_EQ(held_by(here, 1), "a");
  here->invalidate(1, here->hash_of(1));
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, ADeadTierIsASlowerAnswer) {
  tier->dead = true;
  caller one = ask(here, 1);
  load(one, "a");
  EXPECT_EQ(text(one), "a");
  EXPECT_EQ(held_by(here, 1), "a");
  clock->advance(999ms);
  EXPECT_EQ(held_by(here, 1), "a");
  clock->advance(1ms);
  EXPECT_EQ(held_by(here, 1), "nothing");  // it cannot hear of changes, so it keeps nothing longer than the bound
}

TEST_F(Shared, AFillThatFailsIsForThisProcessWhileItsLeaseLasts) {
  caller one = ask(here, 1);
  tier->dead = true;
  load(one, "a");
  EXPECT_EQ(text(one), "a");
  EXPECT_EQ(held_by(here, 1), "a");
  ASSERT_TRUE(tier->holds_lease("users:1"));
  tier->drop("users:1");  // the lease was read, so its end is told
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, AnEntryThatCannotBeReadIsReplaced) {
  cache<int, int>::options how{.name = "numbers", .shared = std::shared_ptr<shared_tier>(tier),
                               .clock = clock, .executor = executor};
  cache<int, int> numbers{how};
  EXPECT_EQ(**numbers.get_or_load(1, [](int) { return 7; }), 7);
  tier->damage("numbers:1", "seven");
  tier->proof.end();
  EXPECT_EQ(**numbers.get_or_load(1, [](int) { return 8; }), 8);
  EXPECT_TRUE(tier->holds_entry("numbers:1"));
}

TEST_F(Shared, AStaleEntryIsServedWhileOneProcessRefreshesIt) {
  configure({.ttl = 10s, .stale_for = 60s});
  store(here, 1, "old");
  clock->advance(11s);
  caller refreshes = ask(there, 1);
  ASSERT_EQ(refreshes.at, step::run_loader);
  caller other = ask(here, 1);
  EXPECT_EQ(text(other), "old");
  load(refreshes, "new");
  EXPECT_EQ(text(refreshes), "new");
  EXPECT_EQ(held_by(here, 1), "nothing");
  caller after = ask(here, 1);
  EXPECT_EQ(text(after), "new");
}

TEST_F(Shared, ARefreshNeverReplacesWhatIsNewer) {
  configure({.ttl = 10s, .stale_for = 60s});
  store(here, 1, "old");
  clock->advance(11s);
  caller refreshes = ask(there, 1);
  here->invalidate(1, here->hash_of(1));
  store(here, 1, "new");
  load(refreshes, "old again");
  caller after = ask(here, 1);
  EXPECT_EQ(text(after), "new");
}

TEST_F(Shared, AFreshReadDoesNotTrustTheProcess) {
  store(here, 1, "a");
  tier->tells = false;  // this process does not hear of it
  there->invalidate(1, there->hash_of(1));
  ASSERT_EQ(held_by(here, 1), "a");
  caller one = ask(here, 1, {.fresh = true});
  load(one, "b");
  wake(one);
  EXPECT_EQ(text(one), "b");
}

TEST_F(Shared, AFreshReadWaitsForItsFill) {
  tier->automatic = false;
  caller one = ask(here, 1, {.fresh = true});
  tier->run_all();
  settle(one);
  load(one, "old");
  EXPECT_EQ(one.at, step::wait);
  tier->drop("users:1");
  tier->run_all();  // refused: somebody may have been told of a newer value
  wake(one);
  tier->run_all();
  settle(one);
  load(one, "new");
  tier->run_all();
  wake(one);
  EXPECT_EQ(text(one), "new");
}

TEST_F(Shared, OtherReadersAreAnsweredBeforeTheirFill) {
  tier->automatic = false;
  caller one = ask(here, 1);
  tier->run_all();
  settle(one);
  load(one, "a");
  EXPECT_EQ(text(one), "a");
  EXPECT_FALSE(tier->holds_entry("users:1"));
  tier->run_all();
  EXPECT_TRUE(tier->holds_entry("users:1"));
}

TEST_F(Shared, ALoaderOfTheCacheRunsOnTheExecutorUnderTheLease) {
  const bound_loader<int, std::string> loader{[](int) { return std::string("a"); }};
  caller one = ask(here, 1, {.loader = &loader});
  ASSERT_EQ(one.at, step::wait);
  caller other = ask(there, 1, {.loader = &loader});
  ASSERT_EQ(other.at, step::wait);
  executor->run_all();
  wake(one);
  wake(other);
  EXPECT_EQ(text(one), "a");
  EXPECT_EQ(text(other), "a");
  EXPECT_EQ(here->stats().total.loads + there->stats().total.loads, 1U);
}

TEST_F(Shared, WhoWaitsTooLongForAnotherProcessLoadsByItself) {
  caller dead = ask(there, 1);
  caller one = ask(here, 1);
  for (int i = 0; i < 1000 && one.at == step::wait; ++i) {
    clock->advance(100ms);
    wake(one);
  }
  load(one, "mine");
  EXPECT_EQ(text(one), "mine");
  EXPECT_TRUE(tier->holds_lease("users:1"));
}

TEST_F(Shared, GetAsksTheTierAndLoadsNothing) {
  cache<int, std::string> users{{.name = "users", .shared = std::shared_ptr<shared_tier>(tier),
                                 .clock = clock, .executor = executor}};
  EXPECT_EQ(users.get(1), nullptr);
  EXPECT_FALSE(tier->holds_lease("users:1"));
  store(there, 1, "a");
  EXPECT_EQ(*users.get(1), "a");
  EXPECT_EQ(users.stats().total.shared_hits, 1U);
  EXPECT_EQ(users.stats().total.misses, 1U);
  EXPECT_EQ(users.stats().total.abandoned, 0U);
  caller loads = ask(there, 2);
  EXPECT_EQ(users.get(2), nullptr);  // it does not wait for somebody else's load
  tier->dead = true;
  EXPECT_EQ(users.get(3), nullptr);
}

TEST_F(Shared, AnAsynchronousInvalidationEndsWhenTheTierHasDoneIt) {
  cache<int, std::string> users{{.name = "users", .shared = std::shared_ptr<shared_tier>(tier),
                                 .clock = clock, .executor = executor}};
  (void)users.get_or_load(1, [](int) { return std::string("a"); });
  tier->automatic = false;
  boost::asio::io_context io;
  std::optional<bool> there;
  users.async_invalidate(1, boost::asio::bind_executor(io, [&](bool was) { there = was; }));
  io.poll();
  EXPECT_FALSE(there);
  tier->run_all();
  io.restart();
  io.poll();
  EXPECT_EQ(there, true);
  EXPECT_FALSE(tier->holds_entry("users:1"));
}

TEST_F(Shared, TheVerbsReadFreshToo) {
  cache<int, std::string> users{{.name = "users", .shared = std::shared_ptr<shared_tier>(tier),
                                 .clock = clock, .executor = executor}};
  (void)users.get_or_load(1, [](int) { return std::string("old"); });
  tier->tells = false;
  tier->drop("users:1");
  const auto load = [](int) { return std::string("new"); };
  EXPECT_EQ(**users.get_or_load(1, load), "old");
  EXPECT_EQ(**users.get_or_load(1, load, {.consistency = consistency::fresh}), "new");
}

TEST_F(Shared, AStaleEntryOfTheTierIsServedWhenTheLoadFails) {
  configure({.ttl = 10s, .stale_if_error = 60s});
  store(there, 1, "old");
  clock->advance(11s);
  caller one = ask(here, 1);
  load(one, error{errc::loader_failed});
  EXPECT_EQ(text(one), "old");
}

TEST_F(Shared, AStaleEntryThatWasInvalidatedDuringTheLoadIsNot) {
  configure({.ttl = 10s, .stale_if_error = 60s});
  store(there, 1, "old");
  clock->advance(11s);
  caller one = ask(here, 1);
  here->invalidate(1, here->hash_of(1));
  load(one, error{errc::loader_failed});
  EXPECT_EQ(text(one), "error: " + error{errc::loader_failed}.code().message());
}

TEST_F(Shared, WhoJoinsALongLoadOfADeadTierLoadsAnew) {
  tier->dead = true;
  caller first = ask(here, 1);
  clock->advance(2s);  // longer than the bound: the value may be older than this caller may get
  caller second = ask(here, 1);
  load(first, "old");
  wake(second);
  load(second, "new");
  EXPECT_EQ(text(second), "new");
}

TEST_F(Shared, GetIsNeverStale) {
  configure({.ttl = 10s, .stale_for = 60s});
  store(there, 1, "old");
  clock->advance(11s);
  cache<int, std::string> users{{.name = "users", .stale_for = 60s, .shared = std::shared_ptr<shared_tier>(tier),
                                 .clock = clock, .executor = executor}};
  EXPECT_EQ(users.get(1), nullptr);
}

TEST_F(Shared, ManyKeysAreAskedForTogetherAndLoadedTogether) {
  store(there, 2, "two");
  cache<int, std::string> users{{.name = "users", .shared = std::shared_ptr<shared_tier>(tier),
                                 .clock = clock, .executor = executor}};
  std::vector<std::size_t> sizes;
  const std::vector<int> keys{1, 2, 3};
  const auto answers = users.get_many(std::span<const int>{keys}, [&](std::span<const int> missing) {
    sizes.push_back(missing.size());
    return std::vector<std::string>(missing.size(), "loaded");
  });
  EXPECT_EQ(sizes, std::vector<std::size_t>{2});
  EXPECT_EQ(**answers[1], "two");
  EXPECT_EQ(**answers[2], "loaded");
}

}  // namespace
}  // namespace seawall::shared_test

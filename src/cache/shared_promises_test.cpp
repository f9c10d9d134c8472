// What the simulation of several processes found, as small as it gets.
#include "test_shared.hpp"

namespace seawall::shared_test {
namespace {

TEST_F(Shared, AFreshReadWhoseLoadFailsIsNotAnsweredFromItsProcess) {
  store(here, 1, "old");
  tier->tells = false;
  there->invalidate(1, there->hash_of(1));
  ASSERT_EQ(held_by(here, 1), "old");
  caller one = ask(here, 1, {.fresh = true});
  load(one, error{errc::loader_failed});
  ASSERT_EQ(one.at, step::done);
  const auto answer = one->take();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), errc::loader_failed);
}

TEST_F(Shared, AnInvalidationDuringTheQuestionLeavesNobodyWaiting) {
  const bound_loader<int, std::string> loader{[](int) { return std::string("a"); }};
  tier->automatic = false;
  caller one = ask(here, 1, {.loader = &loader});
  ASSERT_EQ(one.at, step::ask);
  here->drop(1, here->hash_of(1));
  settle(one);  // woken, and the tier has not answered yet
  for (int i = 0; i < 10 && one.at != step::done; ++i) {
    tier->run_all();
    executor->run_all();
    if (std::exchange(one.self->wakes, 0) > 0) wake(one);
  }
  EXPECT_EQ(text(one), "a");
}

TEST_F(Shared, AFreshReadThatTheTierDoesNotKnowOfIsCounted) {
  tier->dead = true;
  caller without = ask(here, 1, {.fresh = true});
  load(without, "a");
  EXPECT_EQ(text(without), "a");
  EXPECT_EQ(here->stats().total.unlinearized_reads, 1U);

  tier->dead = false;
  caller unsure = ask(here, 1, {.fresh = true});
  tier->dead = true;
  load(unsure, "b");  // nobody knows whether it was stored
  wake(unsure);
  EXPECT_EQ(text(unsure), "b");
  EXPECT_EQ(here->stats().total.unlinearized_reads, 2U);
}

TEST_F(Shared, OnceTheNewValueIsOutTheOldOneIsNotServed) {
  configure({.ttl = 10s, .refresh_ahead = 0.5});
  store(here, 1, "old");
  clock->advance(6s);
  tier->automatic = false;
  caller refreshes = ask(here, 1);
  tier->run_all();
  settle(refreshes);
  load(refreshes, "new");
  ASSERT_EQ(text(refreshes), "new");
  EXPECT_EQ(held_by(here, 1), "nothing");  // the fill is still on its way
  tier->run_all();
  EXPECT_EQ(held_by(here, 1), "new");
}

// ---- what the tier cannot have ----

TEST_F(Shared, AValueThatIsTooLargeForTheTierLivesInItsProcessForTheBound) {
  tier->most_bytes = 3;
  store(here, 1, "too large");
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_FALSE(tier->holds_lease("users:1"));
  clock->advance(999ms);
  EXPECT_EQ(held_by(here, 1), "too large");
  EXPECT_EQ(here->stats().total.store_failures, 1U);
  clock->advance(1ms);
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, OwnInvalidationsTakeItAway) {
  tier->most_bytes = 3;
  store(here, 1, "too large");
  here->invalidate(1, here->hash_of(1));
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, WhoJoinsALongLoadDoesNotGetItsValueThatIsTooLarge) {
  tier->most_bytes = 3;
  caller first = ask(here, 1);
  clock->advance(2s);
  caller second = ask(here, 1);
  load(first, "too large");
  wake(second);
  EXPECT_EQ(second.at, step::run_loader);
}

}  // namespace
}  // namespace seawall::shared_test

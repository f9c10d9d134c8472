// Guards over a shared tier of which the simulation meets the need too seldom.
#include "test_shared.hpp"

namespace seawall::shared_test {
namespace {

// A load whose fill cannot be delivered, and somebody who joins it long after its value was surely right.
class LateJoiner : public Shared {
 protected:
  void expect_loads_anew(auto&& event) {
    caller first = ask(here, 1);
    event();
    clock->advance(2 * tier->most);
    caller second = ask(here, 1);
    ASSERT_EQ(second.at, step::wait) << "it joins";
    tier->dead = true;
    load(first, "old");
    wake(second);
    EXPECT_EQ(second.at, step::run_loader);
  }
};

TEST_F(LateJoiner, OfAKeyThatChangedDuringTheLoadLoadsAnew) {
  expect_loads_anew([&] { here->on_changed("1"); });
}

TEST_F(LateJoiner, OfALoadWhoseProofHasEndedLoadsAnew) {
  expect_loads_anew([&] { tier->proof.end(); });
}

TEST_F(Shared, ALoadWithoutTagsIsNotKeptIfTheCacheWasClearedElsewhere) {
  caller one = ask(here, 1);
  there->clear();
  load(one, "old");
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, ALoadWithTagsIsNotKeptIfTheirNewsWereLost) {
  caller one = ask(here, 1, {.tags = {"t"}});
  here->on_tags_lost();
  load(one, "old");
  EXPECT_EQ(held_by(here, 1), "nothing");
}

// --- what is read between the two halves of an invalidation ---------------------------------------------------------

// The tier answers one operation at a time, and tells nothing before its own answers.
class BetweenHalves : public Shared {
 protected:
  void SetUp() override {
    Shared::SetUp();
    caller one = ask(here, 1, {.tags = {"t"}});
    load(one, "old");
    tier->automatic = false;
    tier->tells = false;
  }

  // A reader whose question the tier does before the invalidation that was begun after it.
  void expect_gone_after(auto&& begin_invalidation) {
    here->drop(1, here->hash_of(1));
    caller between = ask(here, 1, {.tags = {"t"}});
    bool ended = false;
    begin_invalidation(ended);
    EXPECT_FALSE(ended);
    tier->run_one();
    settle(between);
    tier->run_all();
    settle(between);
    EXPECT_TRUE(ended);
    EXPECT_EQ(held_by(here, 1), "nothing");
  }
};

TEST_F(BetweenHalves, OfAKeyIsNotKept) {
  expect_gone_after([&](bool& ended) { here->begin_invalidate(1, here->hash_of(1), [&](bool) { ended = true; }); });
}

TEST_F(BetweenHalves, OfATagIsNotKept) {
  expect_gone_after([&](bool& ended) {
    here->begin_invalidate_tag(tag_list::hash_of("t"), [&] { ended = true; });
  });
}

TEST_F(Shared, FromTheBeginningOfATagsInvalidationItsEntriesAreNotServedHere) {
  caller one = ask(here, 1, {.tags = {"t"}});
  load(one, "old");
  tier->automatic = false;
  here->begin_invalidate_tag(tag_list::hash_of("t"), [] {});
  EXPECT_EQ(held_by(here, 1), "nothing");
}

}  // namespace
}  // namespace seawall::shared_test

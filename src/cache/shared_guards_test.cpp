// Guards over a shared tier of which the simulation meets the need too seldom.
#include "test_shared.hpp"

#include <stdexcept>

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

TEST_F(Shared, ALossOfTheFeedDuringALoadLoadsAgain) {
  tier->dead = true;
  int key = 0;
  for (const auto lose : {&test_core::on_tags_lost, &test_core::on_all_changed}) {
    caller one = ask(here, ++key, {.tags = {"t"}});
    (here.get()->*lose)();
    load(one, "old");
    EXPECT_EQ(one.at, step::run_loader);
    load(one, "value");
    EXPECT_EQ(one.at, step::done);
  }
}

TEST_F(Shared, AClearTheFeedTellsOfDuringALoadLoadsAgain) {
  tier->dead = true;
  caller one = ask(here, 1);
  here->on_tag_changed(0);
  load(one, "old");
  EXPECT_EQ(one.at, step::run_loader);
}

// --- what is read between the two halves of an invalidation ---------------------------------------------------------

// Another thread of the process reads when the entry has gone from it and the tier has not been told yet.
class BetweenHalves : public Shared {
 protected:
  void expect_nothing_kept(auto&& invalidate) {
    const tag_list tags{"t"};
    caller one = ask(here, 1, {.tags = tags});
    load(one, "old");
    tier->tells = false;  // the server's message is on its way
    bool has_read = false;
    tier->before_write = [&] {
      EXPECT_EQ(held_by(here, 1), "nothing") << "the first half";
      caller between = ask(here, 1, {.tags = tags});
      has_read = text(between) == "old" && held_by(here, 1) == "old";
    };
    invalidate();
    EXPECT_TRUE(has_read);
    EXPECT_EQ(held_by(here, 1), "nothing") << "the second half";
  }
};

TEST_F(BetweenHalves, OfAKey) {
  expect_nothing_kept([&] { here->invalidate(1, here->hash_of(1)); });
}

TEST_F(BetweenHalves, OfAKeyWithoutWaiting) {
  expect_nothing_kept([&] { here->begin_invalidate(1, here->hash_of(1), [](bool) {}); });
}

TEST_F(BetweenHalves, OfManyKeys) {
  expect_nothing_kept([&] { here->invalidate_many(std::vector{1, 2}); });
}

TEST_F(BetweenHalves, OfATag) {
  expect_nothing_kept([&] { here->invalidate_tag(tag_list::hash_of("t")); });
}

TEST_F(BetweenHalves, OfATagWithoutWaiting) {
  expect_nothing_kept([&] { here->begin_invalidate_tag(tag_list::hash_of("t"), [] {}); });
}

TEST_F(BetweenHalves, OfTheWholeCache) {
  expect_nothing_kept([&] { here->clear(); });
}

TEST_F(BetweenHalves, OfAPrefix) {
  expect_nothing_kept([&] { prefix_invalidation{*here, "1", {}}.run().value(); });
}

TEST_F(BetweenHalves, OfAPrefixWithoutWaiting) {
  expect_nothing_kept([&] {
    prefix_invalidation<test_core>::begin(here, "1", {}, [](const auto& came) { EXPECT_TRUE(came); });
    executor->run_all();
  });
}

// The tier knows nothing of such a load: only the second half can take its value away.
TEST_F(BetweenHalves, OfAPrefixALoadWithoutALeaseBegins) {
  caller between;
  tier->before_write = [&] {
    tier->dead = true;
    between = ask(here, 12);
    tier->dead = false;
  };
  EXPECT_TRUE(prefix_invalidation(*here, "1", {}).run());
  ASSERT_EQ(between.at, step::run_loader);
  load(between, "old");
  EXPECT_EQ(held_by(here, 12), "nothing");
  EXPECT_FALSE(tier->holds_entry("users:12"));
}

TEST_F(BetweenHalves, OfAPrefixWhoseProgressThrows) {
  const prefix_options how{.on_progress = [](const auto&) { throw std::runtime_error("the user's"); }};
  expect_nothing_kept([&] { EXPECT_THROW((void)prefix_invalidation(*here, "1", how).run(), std::runtime_error); });
}

}  // namespace
}  // namespace seawall::shared_test

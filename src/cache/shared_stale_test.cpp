// Stale values of the tier for those who come while they are refreshed.
#include "test_shared.hpp"

namespace seawall::shared_test {
namespace {

struct SharedStale : Shared {
  void SetUp() override {
    configure({.ttl = 10s, .stale_for = 60s});
    store(there, 1, loaded<std::string>("old").with({.version = 5}));
    clock->advance(11s);
  }

  // A load in the background that does not get on.
  caller refreshes() { return ask(here, 1, {.loader = &loader}); }

  const bound_loader<int, std::string> loader{[](int) { return std::string("new"); }};
};

TEST_F(SharedStale, WhoJoinsTheRefreshIsServedAtOnce) {
  caller first = refreshes();
  EXPECT_EQ(text(first), "old");
  caller second = refreshes();
  EXPECT_EQ(text(second), "old");
  EXPECT_EQ(here->stats().total.stale_served, 2U);
  executor->run_all();
  EXPECT_EQ(held_by(here, 1), "new");
}

TEST_F(SharedStale, AlsoWhileACallersOwnLoaderRuns) {
  caller first = ask(here, 1);
  ASSERT_EQ(first.at, step::run_loader);
  caller second = ask(here, 1);
  EXPECT_EQ(text(second), "old");
}

TEST_F(SharedStale, NotWhoAsksForMore) {
  caller first = refreshes();
  caller newer = ask(here, 1, {.loader = &loader, .at_least = 6});
  EXPECT_EQ(newer.at, step::wait);
  caller same = ask(here, 1, {.loader = &loader, .at_least = 5});
  EXPECT_EQ(text(same), "old");
}

TEST_F(SharedStale, NotBeyondItsTime) {
  caller first = refreshes();
  clock->advance(58s);
  caller in_time = refreshes();
  EXPECT_EQ(text(in_time), "old");
  clock->advance(1s);
  caller late = refreshes();
  EXPECT_EQ(late.at, step::wait);
}

TEST_F(SharedStale, NotOnceItWasInvalidatedElsewhere) {
  caller first = refreshes();
  there->invalidate(1, there->hash_of(1));
  caller second = refreshes();
  EXPECT_EQ(second.at, step::wait);
}

TEST_F(SharedStale, NotWithoutProof) {
  caller first = refreshes();
  tier->proof.end();
  caller second = refreshes();
  EXPECT_EQ(second.at, step::wait);
}

TEST_F(SharedStale, NotOnceATagHasChanged) {
  for (const bool all : {false, true}) {
    caller first = refreshes();
    if (all) there->clear();
    else there->invalidate_tag(tag_list::hash_of("t"));
    caller second = refreshes();
    EXPECT_EQ(second.at, step::wait);
    executor->run_all();
    clock->advance(11s);
  }
}

TEST_F(SharedStale, NotIfAnotherEntryTookItsPlaceBeforeTheRefreshBegan) {
  tier->automatic = false;
  caller first = refreshes();
  tier->run_one();
  tier->drop("users:1");
  first.self->wakes = 0;
  first.at = first->woken();  // asks for the right to refresh, and gets a lease
  tier->run_all();
  settle(first);
  EXPECT_EQ(text(first), "old");
  caller second = refreshes();
  EXPECT_EQ(second.at, step::wait);
}

// Another machine has stored it, before this one started.
TEST_F(SharedStale, NotAfterItsTimeWhereItWentStaleBeforeTheClockBegan) {
  clock = std::make_shared<manual_clock>(time_point{} + 1s);
  tier = std::make_shared<test_tier>(clock);
  configure({.ttl = 1h, .stale_for = 11min, .load_deadline = 1h});
  const auto right = std::make_shared<awaited<tier_read>>();
  right->key = "users:1";
  tier->read(right);
  const auto entry = std::make_shared<awaited<tier_fill>>();
  entry->key = "users:1";
  entry->lease = right->nonce;
  entry->entry = {.schema = here->tier().schema(), .fresh_for = -10min, .payload = "old"};
  tier->fill(entry);
  ASSERT_TRUE(entry->accepted);

  caller leads = refreshes();
  ASSERT_EQ(text(leads), "old");
  caller joins = ask(here, 1);
  EXPECT_EQ(text(joins), "old");
  clock->advance(2min);
  caller late = ask(here, 1);
  EXPECT_EQ(late.at, step::wait);
}

TEST_F(SharedStale, NotWhereBareValuesAreShared) {
  configure({.ttl = 10s, .shared_format = shared_format::plain});
  store(here, 2, loaded<std::string>("v").with({.stale_for = 60s, .stale_if_error = 60s}));
  EXPECT_EQ(held_by(here, 2), "v");
  clock->advance(11s);
  EXPECT_EQ(held_by(here, 2), "nothing");
}

// That a plain key held nothing was true when it was read; nobody tells that it was removed again. So only the tier's
// word makes what was loaded more than a value of the last D.
TEST_F(Shared, APlainValueThatTheTierHasNotConfirmedIsNotProved) {
  configure({.ttl = 10s, .shared_format = shared_format::plain});
  caller one = ask(here, 1);
  tier->dead = true;
  load(one, loaded<std::string>("old"));
  tier->dead = false;
  EXPECT_EQ(held_by(here, 1), "old");
  clock->advance(tier->most);
  EXPECT_EQ(held_by(here, 1), "nothing");
}

TEST_F(Shared, APlainValueThatTheTierHasIsKeptForItsTime) {
  configure({.ttl = 10s, .shared_format = shared_format::plain});
  store(here, 1, loaded<std::string>("value"));
  clock->advance(9s);
  EXPECT_EQ(held_by(here, 1), "value");
}

}  // namespace
}  // namespace seawall::shared_test

// Tags over a shared tier.
#include "test_shared.hpp"

namespace seawall::shared_test {
namespace {

TEST_F(Shared, ATagTakesItsEntriesAwayEverywhere) {
  const tag_list tags{"tenant 5"};
  caller first = ask(here, 1, {.tags = tags});
  load(first, "a");
  caller second = ask(there, 1);
  ASSERT_EQ(text(second), "a");
  store(here, 2, "untagged");

  there->invalidate_tag(tag_list::hash_of("tenant 5"));
  EXPECT_EQ(held_by(here, 1), "nothing");
  EXPECT_EQ(held_by(there, 1), "nothing");
  EXPECT_EQ(held_by(here, 2), "untagged");
  caller again = ask(here, 1, {.tags = tags});
  EXPECT_EQ(again.at, step::run_loader);
}

TEST_F(Shared, ATagInvalidatedDuringALoadElsewhereKeepsItsValueOut) {
  caller first = ask(here, 1, {.tags = {"t"}});
  there->invalidate_tag(tag_list::hash_of("t"));
  load(first, "old");
  EXPECT_EQ(held_by(here, 1), "nothing");
  caller second = ask(there, 1);
  EXPECT_EQ(second.at, step::run_loader);
}

// ---- tags that the loader names ----

loaded<std::string> tagged(std::string value, tag_list tags) {
  return loaded<std::string>(std::move(value)).with({.tags = tags});
}

TEST_F(Shared, TagsThatOnlyTheLoaderNamesKeepItsFirstValueOutOfTheTier) {
  caller one = ask(here, 1);
  load(one, tagged("a", {"t"}));
  EXPECT_EQ(text(one), "a");
  EXPECT_FALSE(tier->holds_entry("users:1"));
  EXPECT_EQ(held_by(here, 1), "a");  // for as long as it cannot be too old
  EXPECT_EQ(here->stats().total.store_failures, 1U);
  clock->advance(1s);
  EXPECT_EQ(held_by(here, 1), "nothing");
  caller two = ask(here, 2, {.tags = {"t", "u"}});
  load(two, tagged("b", {"t"}));
  EXPECT_TRUE(tier->holds_entry("users:2"));
}

TEST_F(Shared, TheNextLoadAsksForTheTagsThatItsLoaderNamed) {
  store(here, 1, tagged("a", {"t"}));
  clock->advance(1s);
  store(here, 1, tagged("a", {"t"}));
  EXPECT_TRUE(tier->holds_entry("users:1"));
  there->invalidate_tag(tag_list::hash_of("t"));
  EXPECT_EQ(held_by(here, 1), "nothing");
  caller other = ask(there, 1);
  EXPECT_EQ(other.at, step::run_loader);
}

TEST_F(Shared, ATagThatChangesDuringTheSecondLoadKeepsItsValueOut) {
  store(here, 1, tagged("a", {"t"}));
  clock->advance(1s);
  caller second = ask(here, 1);
  there->invalidate_tag(tag_list::hash_of("t"));
  load(second, tagged("old", {"t"}));
  EXPECT_EQ(held_by(here, 1), "nothing");
  caller other = ask(there, 1);
  EXPECT_EQ(other.at, step::run_loader);
}

TEST_F(Shared, TagsThatTheLoaderNoLongerNamesAreNotTheEntrys) {
  store(here, 1, tagged("a", {"t", "u"}));
  clock->advance(1s);
  store(here, 1, tagged("a", {"u"}));
  there->invalidate_tag(tag_list::hash_of("t"));
  caller other = ask(there, 1);
  EXPECT_EQ(text(other), "a");
}

TEST_F(Shared, TheTagsOfAStaleEntryAreAskedForWhoeverLoadsItAgain) {
  configure({.ttl = 10s, .stale_for = 60s});
  caller first = ask(here, 1, {.tags = {"t"}});
  load(first, "a");
  clock->advance(11s);
  caller refreshes = ask(there, 1);
  load(refreshes, tagged("b", {"t"}));
  EXPECT_EQ(tier->entry("users:1").payload, "b");
}

TEST_F(Shared, ClearIsForAllProcesses) {
  store(here, 1, "a");
  caller other = ask(there, 1);
  there->clear();
  EXPECT_EQ(held_by(here, 1), "nothing");
  caller again = ask(here, 1);
  EXPECT_EQ(again.at, step::run_loader);
}

}  // namespace
}  // namespace seawall::shared_test

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

TEST_F(Shared, TagsThatOnlyTheLoaderNamesKeepTheEntryOutOfTheTier) {
  caller one = ask(here, 1);
  load(one, loaded<std::string>("a").with({.tags = {"t"}}));
  EXPECT_EQ(text(one), "a");
  EXPECT_FALSE(tier->holds_entry("users:1"));
  caller two = ask(here, 2, {.tags = {"t", "u"}});
  load(two, loaded<std::string>("b").with({.tags = {"t"}}));
  EXPECT_TRUE(tier->holds_entry("users:2"));
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

// Tags in a cache of one process.
#include "seawall/cache.hpp"
#include "seawall/testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seawall {
namespace {

using users = cache<int, std::string>;

std::string text(const users::answer& answer) {
  if (!answer) return "error";
  return *answer ? **answer : "absent";
}

class Tags : public ::testing::Test {
 protected:
  // What is there, or what would be loaded.
  std::string get(int key, const entry_options& how = {}, std::string value = "loaded") {
    return text(all.get_or_load(key, [&](int) { return value; }, how));
  }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  users all{{.name = "users", .clock = clock, .executor = std::make_shared<manual_executor>()}};
};

TEST_F(Tags, OneInvalidationTakesAllEntriesOfATag) {
  get(1, {.tags = {"a"}}, "one");
  get(2, {.tags = {"a", "b"}}, "two");
  get(3, {.tags = {"b"}}, "three");
  get(4, {}, "four");
  all.invalidate_tag("a");
  EXPECT_FALSE(all.contains(1));
  EXPECT_FALSE(all.contains(2));
  EXPECT_EQ(get(3), "three");
  EXPECT_EQ(get(4), "four");
  EXPECT_EQ(get(1), "loaded");
}

TEST_F(Tags, WhatIsStoredAfterAnInvalidationStays) {
  get(1, {.tags = {"a"}}, "old");
  all.invalidate_tag("a");
  get(1, {.tags = {"a"}}, "new");
  EXPECT_EQ(get(1), "new");
  all.invalidate_tag("b");
  EXPECT_EQ(get(1), "new");
}

TEST_F(Tags, ALoadThatBeganBeforeTheInvalidationIsNotStored) {
  const auto answer = all.get_or_load(1, [&](int) {
    all.invalidate_tag("a");
    return std::string("old");
  }, {.tags = {"a"}});
  EXPECT_FALSE(all.contains(1));
  EXPECT_TRUE(answer.has_value());
}

TEST_F(Tags, ALoaderMayNameThem) {
  (void)all.get_or_load(1, [](int) { return loaded<std::string>("x").with({.tags = {"a"}}); });
  EXPECT_TRUE(all.contains(1));
  all.invalidate_tag("a");
  EXPECT_FALSE(all.contains(1));
}

TEST_F(Tags, ATagThatALoaderNamesCountsFromBeforeItsLoad) {
  (void)all.get_or_load(1, [&](int) {
    all.invalidate_tag("a");
    return loaded<std::string>("x").with({.tags = {"a"}});
  });
  EXPECT_FALSE(all.contains(1));
}

TEST_F(Tags, AnEntryWithMoreTagsThanItCanHoldIsNotStored) {
  const tag_list eight{"1", "2", "3", "4", "5", "6", "7", "8"};
  (void)all.get_or_load(1, [](int) { return loaded<std::string>("x").with({.tags = {"9"}}); }, {.tags = eight});
  EXPECT_FALSE(all.contains(1));
  (void)all.get_or_load(1, [](int) { return loaded<std::string>("x").with({.tags = {"8"}}); }, {.tags = eight});
  EXPECT_TRUE(all.contains(1));
}

TEST_F(Tags, TheContextOfALoaderTakesThem) {
  (void)all.get_or_load(1, [](int, load_context<std::string>& context) {
    context.entry.tags = {"a"};
    return std::string("x");
  });
  all.invalidate_tag("a");
  EXPECT_FALSE(all.contains(1));
}

TEST_F(Tags, ARefreshKeepsThem) {
  const auto executor = std::make_shared<manual_executor>();
  users refreshed{{.name = "users", .stale_for = std::chrono::hours{1}, .loader = [](int) { return std::string("x"); },
                   .clock = clock, .executor = executor}};
  refreshed.put(1, "old", {.tags = {"a"}});
  clock->advance(std::chrono::minutes{6});
  (void)refreshed.get_or_load(1);
  executor->run_all();
  ASSERT_EQ(*refreshed.get(1), "x");
  refreshed.invalidate_tag("a");
  EXPECT_EQ(refreshed.get(1), nullptr);
}

TEST_F(Tags, PutTakesThem) {
  all.put(1, "x", {.tags = {"a"}});
  EXPECT_TRUE(all.contains(1));
  all.invalidate_tag("a");
  EXPECT_FALSE(all.contains(1));
}

TEST(TagTable, WhatItForgetsIsInvalid) {
  local::tag_table table;
  local::entry_tags old{std::vector<std::uint64_t>{1}, table.now()};
  for (std::uint64_t tag = 2; tag < 2 + local::tag_table::max_tags; ++tag) table.invalidate(tag);
  EXPECT_TRUE(old.valid(table));
  table.invalidate(1);
  local::entry_tags recent{std::vector<std::uint64_t>{2}, table.now()};
  EXPECT_FALSE(old.valid(table));
  EXPECT_TRUE(recent.valid(table));
  table.invalidate_all();
  EXPECT_FALSE(recent.valid(table));
}

TEST(TagList, HoldsEightAndEachOnce) {
  tag_list list{"a", "a"};
  EXPECT_EQ(list.hashes().size(), 1U);
  for (char name = 'b'; name <= 'h'; ++name) EXPECT_TRUE(list.add(std::string_view{&name, 1}));
  EXPECT_FALSE(list.add("i"));
  EXPECT_TRUE(list.add("a"));
}

}  // namespace
}  // namespace seawall

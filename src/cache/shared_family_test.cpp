// Families of entries, in one process and over a shared tier.
#include "seawall/cache/shared_family.hpp"
#include "test_shared.hpp"

namespace seawall {
namespace {

using namespace std::chrono_literals;

class SharedFamily : public ::testing::Test {
 protected:
  using rows = cache<int, std::string>;

  rows::options options(const char* name, bool shared = true) {
    rows::options how{.name = name, .clock = clock, .executor = std::make_shared<manual_executor>()};
    if (shared) how.shared = std::shared_ptr<shared_tier>(tier);
    return how;
  }

  // What the cache answers, or loads: the present edition.
  std::string get(rows& from, int key, const entry_options& how) {
    const auto answer = from.get_or_load(key, [&](int) {
      ++loads;
      return edition;
    }, how);
    return answer && *answer ? **answer : "nothing";
  }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<test_tier> tier = std::make_shared<test_tier>(clock);
  std::string edition = "old";
  int loads = 0;
};

TEST_F(SharedFamily, RetiresItsEntriesOfAllItsCachesAndNoOthers) {
  rows products{options("products", false)};
  rows lists{options("lists", false)};
  rows users{options("users", false)};
  const shared_family catalog{"catalog", products, lists};
  for (rows* of : {&products, &lists, &users}) ASSERT_EQ(get(*of, 1, {.tags = {catalog}}), "old");
  ASSERT_EQ(get(products, 2, {.tags = {"another"}}), "old");
  edition = "new";
  EXPECT_EQ(get(products, 1, {.tags = {catalog}}), "old");
  catalog.retire();
  EXPECT_EQ(get(products, 1, {.tags = {catalog}}), "new");
  EXPECT_EQ(get(lists, 1, {.tags = {catalog}}), "new");
  EXPECT_EQ(get(users, 1, {.tags = {catalog}}), "old");
  EXPECT_EQ(get(products, 2, {.tags = {"another"}}), "old");
}

TEST_F(SharedFamily, IsOneForAllProcessesOfATier) {
  rows here{options("products")};
  rows there{options("products")};
  const shared_family catalog{"catalog", here};
  const shared_family same{"catalog", there};
  ASSERT_EQ(get(here, 1, {.tags = {catalog}}), "old");
  ASSERT_EQ(get(there, 1, {.tags = {same}}), "old");
  ASSERT_EQ(loads, 1);
  edition = "new";
  catalog.retire();
  EXPECT_EQ(get(there, 1, {.tags = {same}}), "new");
  EXPECT_EQ(get(here, 1, {.tags = {catalog}}), "new");
  EXPECT_EQ(loads, 2);
}

TEST_F(SharedFamily, AFreshReadSeesItBeforeTheNewsHaveCome) {
  rows here{options("products")};
  rows there{options("products")};
  const shared_family catalog{"catalog", here};
  const shared_family same{"catalog", there};
  ASSERT_EQ(get(there, 1, {.tags = {same}}), "old");
  tier->tells = false;
  edition = "new";
  catalog.retire();
  EXPECT_EQ(get(there, 1, {.tags = {same}}), "old");  // for D at most
  EXPECT_EQ(get(there, 1, {.consistency = consistency::fresh, .tags = {same}}), "new");
}

TEST_F(SharedFamily, WhatIsBeingLoadedIsRetiredToo) {
  rows here{options("products")};
  rows there{options("products")};
  const shared_family catalog{"catalog", here};
  const shared_family same{"catalog", there};
  (void)there.get_or_load(1, [&](int) {
    const std::string read = edition;
    edition = "new";
    catalog.retire();
    return read;
  }, {.tags = {same}});
  EXPECT_EQ(get(there, 1, {.tags = {same}}), "new");
  EXPECT_EQ(get(here, 1, {.tags = {catalog}}), "new");
}

}  // namespace
}  // namespace seawall

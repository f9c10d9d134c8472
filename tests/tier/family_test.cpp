// Families over a real server: two caches of one name, as two processes would have them.
#include "seawall/cache.hpp"
#include "seawall/cache/shared_family.hpp"
#include "tier_support.hpp"

#include <fmt/format.h>

#include <string>

namespace seawall {
namespace {

class family_over_redis : public shared_tier_test {
 protected:
  struct process {
    std::shared_ptr<remote_tier> tier;
    cache<int, std::string> products;
    shared_family catalog{"catalog", products};

    explicit process(std::uint16_t port)
        : tier(member{port, {.bound = 30s, .heartbeat = 100ms, .budget = 10s, .idle = 60s}}.tier),
          products({.name = "products", .shared = tier}) {}

    std::string get(const std::string& edition, seawall::consistency how = consistency::any) {
      const auto answer = products.get_or_load(7, [&](int) {
        ++loads;
        return edition;
      }, {.consistency = how, .tags = {catalog}});
      return answer && *answer ? **answer : "nothing";
    }
    int loads = 0;
  };

  void SetUp() override {
    shared_tier_test::SetUp();
    if (!server) return;
    here = std::make_unique<process>(server->port());
    there = std::make_unique<process>(server->port());
  }

  std::unique_ptr<process> here;
  std::unique_ptr<process> there;
};

TEST_F(family_over_redis, one_process_loads_and_each_retires_for_both) {
  ASSERT_EQ(here->get("first"), "first");
  ASSERT_EQ(there->get("?"), "first");
  ASSERT_EQ(there->loads, 0);
  here->catalog.retire();
  EXPECT_EQ(there->get("second", consistency::fresh), "second");
  servers::wait_until("the other process is told", [&] { return here->get("?") == "second"; });
  EXPECT_EQ(here->loads, 1);
}

TEST_F(family_over_redis, a_fresh_read_that_follows_never_gets_what_was_retired) {
  for (int i = 0; i != 200; ++i) {
    const std::string edition = std::to_string(i);
    ASSERT_EQ(there->get(edition, consistency::fresh), edition);
    ASSERT_EQ(here->get("?", consistency::fresh), edition);
    (i % 2 == 0 ? here : there)->catalog.retire();
  }
}

TEST_F(family_over_redis, what_is_being_loaded_is_not_put_under_the_new_version) {
  const auto answer = there->products.get_or_load(7, [&](int) {
    here->catalog.retire();
    return std::string("old");
  }, {.tags = {there->catalog}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(here->get("new"), "new");
  EXPECT_EQ(there->get("?", consistency::fresh), "new");
}

// Redis evicts the record, and the version comes back as another one.
TEST_F(family_over_redis, a_version_that_was_evicted_retires_the_family) {
  ASSERT_EQ(here->get("first"), "first");
  const std::string record = fmt::format("seawall:tag:products:{:016x}", tag_list::hash_of("catalog"));
  ASSERT_EQ(server->run({"DEL", record}).text, "1");
  EXPECT_EQ(there->get("second", consistency::fresh), "second");
  servers::wait_until("the other process is told", [&] { return here->get("?") == "second"; });
}

}  // namespace
}  // namespace seawall

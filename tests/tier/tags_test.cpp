// Tags and whole caches over a real server: two caches of one name, as two processes would have them.
#include "seawall/cache.hpp"
#include "tier_support.hpp"

#include <string>

namespace seawall {
namespace {

class shared_tags : public testing::Test {
 protected:
  using users = cache<int, std::string>;

  struct process {
    std::shared_ptr<remote_tier> tier;
    users all;

    explicit process(std::uint16_t port)
        : tier(member{port, {.bound = 30s, .heartbeat = 100ms, .budget = 10s, .idle = 60s}}.tier),
          all({.name = "users", .shared = tier}) {}

    std::string get(int key, const entry_options& how = {}) {
      const auto answer = all.get_or_load(key, [&](int) { return std::to_string(++loads); }, how);
      return answer && *answer ? **answer : "nothing";
    }
    int loads = 0;
  };

  std::unique_ptr<servers::redis_server> server = servers::redis_server::start();
  process here{server->port()};
  process there{server->port()};
};

TEST_F(shared_tags, a_tag_takes_its_entries_in_every_process) {
  ASSERT_EQ(here.get(1, {.tags = {"t", "u"}}), "1");
  ASSERT_EQ(here.get(2), "2");
  ASSERT_EQ(there.get(1), "1");
  ASSERT_EQ(there.get(2), "2");
  ASSERT_EQ(there.loads, 0);

  here.all.invalidate_tag("t");
  EXPECT_EQ(here.get(1, {.tags = {"t", "u"}}), "3");
  servers::wait_until("the other process is told", [&] { return there.get(1) == "3"; });
  EXPECT_EQ(there.get(2), "2");
  EXPECT_EQ(there.loads, 0);
}

TEST_F(shared_tags, clear_is_for_every_process_and_every_entry) {
  here.get(1);
  ASSERT_EQ(there.get(1), "1");
  ASSERT_EQ(there.loads, 0);
  there.all.clear();
  EXPECT_EQ(there.get(1), "1");  // its own first load
  servers::wait_until("the other process is told", [&] { return here.get(1) == "1" && here.loads == 1; });
  EXPECT_EQ(there.loads, 1);
}

TEST_F(shared_tags, a_tag_that_changes_during_a_load_keeps_the_value_out) {
  (void)here.all.get_or_load(1, [&](int) {
    there.all.invalidate_tag("t");
    return std::string("old");
  }, {.tags = {"t"}});
  EXPECT_EQ(there.get(1), "1");
  EXPECT_EQ(there.loads, 1);
}

TEST_F(shared_tags, a_forgotten_record_is_a_changed_tag) {
  here.get(1, {.tags = {"t"}});
  server->run({"FLUSHALL"});
  servers::wait_until("it is told", [&] { return here.tier->stats().totals.flushes > 0; });
  EXPECT_EQ(there.get(1), "1");
  EXPECT_EQ(there.loads, 1);
}

TEST_F(shared_tags, an_exporter_gets_the_tiers_numbers) {
  here.get(1);
  const auto set = here.tier->stats_handle()->counters();
  EXPECT_EQ(set.prefix, "seawall_tier_");
  EXPECT_EQ(set.label_value, "tier");
  EXPECT_EQ(set.counters.size(), tier_totals_table.size());
  const auto fills = std::ranges::find(set.counters, "fills", &counter_sample::name);
  ASSERT_NE(fills, set.counters.end());
  EXPECT_EQ(fills->value, here.tier->stats().totals.fills);
}

}  // namespace
}  // namespace seawall

// Feeds other than tracking, on real servers: who hears of changes, and how long values are kept.
#include "seawall/cache.hpp"
#include "tier_support.hpp"

#include <thread>

namespace seawall {
namespace {

using servers::wait_until;
using tier::feed_mode;

struct feed_case {
  const char* name;
  feed_mode feed;
};
void PrintTo(const feed_case& one, std::ostream* out) { *out << one.name; }

class feed_test : public shared_tier_test, public testing::WithParamInterface<feed_case> {
 protected:
  static tier_options told_by(feed_mode feed, duration bound = 1h) {
    return patient({.bound = bound, .heartbeat = 20ms, .idle = 1h, .feed = feed, .canary_interval = 100ms});
  }
};
class told_test : public feed_test {};

/// A process with a cache.
struct process {
  process(std::uint16_t port, tier_options how) : shared(port, std::move(how)) {}
  member shared;
  cache<std::string, std::string> users{{.name = "users", .ttl = 1h, .shared = shared.tier}};
  std::string ask(const std::string& key, const std::string& from, const entry_options& how = {}) {
    const auto answer = users.get_or_load(key, [&](const std::string&) { return from; }, how);
    return answer && *answer ? **answer : "none";
  }
};

TEST_P(told_test, other_processes_hear_of_changes) {
  process a{server->port(), told_by(GetParam().feed)}, b{server->port(), told_by(GetParam().feed)};
  wait_until("both are connected and hear", [&] {
    a.users.invalidate("k");
    b.users.invalidate("k");
    return a.shared.tier->stats().totals.canaries > 0 && b.shared.tier->stats().totals.canaries > 0;
  });
  a.users.invalidate("k");
  a.ask("k", "old");
  // News of the fill itself may come behind the answer, and end what is kept of it.
  wait_until("it is kept", [&] { return b.ask("k", "other") == "old" && b.users.contains("k"); });
  a.users.invalidate("k");
  wait_until("the news", [&] { return !b.users.contains("k"); });
  EXPECT_EQ(b.ask("k", "new"), "new");
  EXPECT_FALSE(b.shared.tier->stats().deaf);
}

TEST_P(told_test, tags_prefixes_and_fills_are_told) {
  process a{server->port(), told_by(GetParam().feed)}, b{server->port(), told_by(GetParam().feed)};
  wait_until("both hear", [&] {
    a.users.invalidate("k");
    b.users.invalidate("k");
    return a.shared.tier->stats().totals.canaries > 0 && b.shared.tier->stats().totals.canaries > 0;
  });
  const auto both_have = [&](const std::string& key) {
    a.ask(key, "old", {.tags = {"t"}});
    wait_until("it is kept", [&] { return b.ask(key, "other", {.tags = {"t"}}) == "old" && b.users.contains(key); });
  };
  both_have("k");
  a.users.invalidate_tag("t");
  wait_until("the tag", [&] { return b.ask("k", "new", {.tags = {"t"}}) == "new"; });
  both_have("p:1");
  ASSERT_TRUE(a.shared.tier->remove_prefix("users:p:"));
  wait_until("the prefix", [&] { return !b.users.contains("p:1"); });
}

TEST_P(feed_test, values_are_kept_for_the_bound_at_most) {
  process a{server->port(), told_by(GetParam().feed, 100ms)};
  a.ask("k", "old");
  wait_until("it is stored", [&] { return server->run({"STRLEN", "users:k"}) != "48" && a.ask("k", "new") == "old"; });
  server->run({"DEL", "users:k"});
  wait_until("the bound has passed", [&] { return a.ask("k", "new") == "new"; });
}

TEST_F(shared_tier_test, without_a_feed_values_are_kept_for_the_bound_whatever_happens) {
  process a{server->port(), patient({.bound = 1h, .idle = 1h, .feed = feed_mode::none})};
  a.ask("k", "old");
  wait_until("it is kept", [&] { return a.users.contains("k"); });
  server->run({"DEL", "users:k"});
  EXPECT_EQ(a.ask("k", "new"), "old");
  EXPECT_EQ(a.ask("k", "new", {.consistency = consistency::fresh}), "new");
  a.users.invalidate("k");
  EXPECT_EQ(a.ask("k", "newer"), "newer") << "its own invalidation counts";
}

TEST_P(feed_test, a_restart_is_survived) {
  process a{server->port(), told_by(GetParam().feed, 100ms)};
  EXPECT_EQ(a.ask("k", "old"), "old");
  server->restart();
  wait_until("it asks again", [&] { return a.ask("k", "new") == "new"; });
  wait_until("it stores again", [&] {
    return a.ask("k", "new") == "new" && server->run({"EXISTS", "users:k"}) == "1";
  });
}

constexpr auto name_of = [](const testing::TestParamInfo<feed_case>& one) { return std::string{one.param.name}; };
INSTANTIATE_TEST_SUITE_P(telling, told_test,
                         testing::Values(feed_case{"tracking", feed_mode::tracking},
                                         feed_case{"broadcast", feed_mode::broadcast},
                                         feed_case{"pub_sub", feed_mode::pub_sub}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(all, feed_test, testing::Values(feed_case{"tracking", feed_mode::tracking},
                                                         feed_case{"broadcast", feed_mode::broadcast},
                                                         feed_case{"pub_sub", feed_mode::pub_sub},
                                                         feed_case{"none", feed_mode::none}), name_of);

}  // namespace
}  // namespace seawall

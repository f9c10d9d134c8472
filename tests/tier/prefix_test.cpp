// Prefixes on real servers: what is removed, who hears of it, and what becomes of loads that are under way.
#include "servers/cluster.hpp"
#include "tier_support.hpp"

#include <stop_token>

namespace seawall {
namespace {

class prefix_test : public shared_tier_test {
 protected:
  std::uint64_t number(const servers::arguments& command) { return std::stoull(server->run(command).text); }
};

TEST_F(prefix_test, removes_what_begins_with_it_and_nothing_else) {
  member a{server->port(), patient()};
  for (int i = 0; i < 3000; ++i) server->run({"SET", "c:users:" + std::to_string(i), "v"});
  const std::vector<std::string> others{"c:user", "c:usersX", "d:users:1", "xc:users:1"};
  for (const std::string& key : others) server->run({"SET", key, "v"});
  std::uint64_t steps = 0;
  const auto gone = a.tier->remove_prefix("c:users:", {.on_progress = [&](const auto&) { ++steps; }});
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_TRUE(gone->done);
  EXPECT_EQ(gone->removed, 3000);
  EXPECT_EQ(gone->total, 3000 + others.size() + number({"EXISTS", "seawall:reign"}));
  EXPECT_GE(steps, 4);
  for (const std::string& key : others) EXPECT_EQ(number({"EXISTS", key}), 1) << key;
}

TEST_F(prefix_test, signs_of_patterns_are_bytes) {
  member a{server->port(), patient()};
  for (const char* key : {"c:*x", "c:ax", "c:[a]x", "c:?x", "c:\\x", "c:\\*x"}) server->run({"SET", key, "v"});
  for (const char* prefix : {"c:*", "c:[a]", "c:?", "c:\\*"}) {
    EXPECT_EQ(a.tier->remove_prefix(prefix)->removed, 1) << prefix;
  }
  EXPECT_EQ(number({"EXISTS", "c:ax", "c:\\x"}), 2);
}

TEST_F(prefix_test, all_processes_hear_of_it) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  ASSERT_TRUE(a.load("c:u:1", value_of("old"))->accepted);
  ASSERT_TRUE(a.load("c:v:1", value_of("old"))->accepted);
  EXPECT_EQ(b.text("c:u:1"), "old");
  EXPECT_EQ(b.text("c:v:1"), "old");
  a.cache->take();
  ASSERT_EQ(a.tier->remove_prefix("c:u:")->removed, 1);
  EXPECT_TRUE(a.cache->has("u:1")) << "this process at once";
  servers::wait_until("the news", [&] { return b.cache->has("u:1"); });
  EXPECT_FALSE(a.cache->has("v:1"));
  EXPECT_FALSE(b.cache->has("v:1"));
  EXPECT_EQ(b.text("c:u:1"), "leased");
}

TEST_F(prefix_test, a_load_that_began_before_is_not_stored) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  const auto leased = a.read("c:u:1");
  ASSERT_EQ(leased->is, outcome::leased);
  ASSERT_EQ(b.tier->remove_prefix("c:u:")->removed, 1) << "the lease";
  EXPECT_FALSE(a.fill("c:u:1", leased->nonce, value_of("old"))->accepted);
  EXPECT_EQ(b.text("c:u:1"), "leased");
}

TEST_F(prefix_test, a_server_that_is_restarted_meanwhile_is_walked_over_anew) {
  member a{server->port(), patient()};
  for (int i = 0; i < 2000; ++i) server->run({"SET", "c:" + std::to_string(i), "v"});
  bool once = false;
  const auto gone = a.tier->remove_prefix("c:", {.count = 100, .on_progress = [&](const auto&) {
    if (std::exchange(once, true)) return;
    server->restart();
    for (int i = 0; i < 2000; ++i) server->run({"SET", "c:" + std::to_string(i), "v"});
  }});
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_EQ(number({"DBSIZE"}), number({"EXISTS", "seawall:reign"}));
}

TEST_F(prefix_test, a_user_needs_two_rights) {
  server->run({"ACL", "SETUSER", "shop", "on", ">secret", "~*", "nocommands", "+unlink", "+scan", "+client|tracking"});
  redis::options login;
  login.user = "shop";
  login.password = "secret";
  member a{server->port(), patient(), login};
  server->run({"SET", "c:1", "v"});
  const auto gone = a.tier->remove_prefix("c:");
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_EQ(gone->removed, 1);
  EXPECT_EQ(gone->total, 0);
  server->run({"ACL", "SETUSER", "shop", "-scan"});
  const auto refused = a.tier->remove_prefix("c:");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), cmd::make_error_code(cmd::errc::no_permission));
}

TEST(prefix_cluster_test, all_primaries_are_walked_over) {
  SEAWALL_NEEDS_SERVER();
  const auto nodes = servers::cluster::start({.primaries = 3, .replicas = 0});
  auto redis = redis::client::connect({.url = "redis+cluster://127.0.0.1:" + std::to_string(nodes->port(0))});
  ASSERT_TRUE(redis);
  for (int i = 0; i < 300; ++i) redis->run(cmd::raw("SET", "c:" + std::to_string(i), "v"));
  redis->run(cmd::raw("SET", "d:1", "v"));
  const auto tier = remote_tier::over(redis->target());
  ASSERT_TRUE(tier);
  const auto gone = (*tier)->remove_prefix("c:", {.count = 20});
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_EQ(gone->removed, 300);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(std::stoi(nodes->node(i).run({"DBSIZE"}).text), 1);
  EXPECT_TRUE(redis->run(cmd::raw("EXISTS", "d:1").as<bool>()).value_or(false));
}

}  // namespace
}  // namespace seawall

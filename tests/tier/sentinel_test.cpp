// The shared tier behind Sentinel: the primary changes, and the promises are kept.
#include "servers/sentinel_group.hpp"
#include "tier_support.hpp"

#include <string>

namespace seawall {
namespace {

using servers::sentinel_group;
using servers::wait_until;

class sentinel_tier : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    group = sentinel_group::start({.replicas = 1});
  }

  member join() {
    std::string hosts;
    for (const auto port : group->sentinel_ports()) {
      hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
    }
    return member{"redis+sentinel://" + hosts + "/" + group->name(), patient({.heartbeat = 20ms})};
  }

  std::unique_ptr<sentinel_group> group;
};

TEST_F(sentinel_tier, two_processes_share_and_tell_each_other) {
  member a = join(), b = join();
  a.load("c:k", value_of("v"));
  const auto hit = b.read("c:k");
  EXPECT_EQ(member::text_of(*hit), "v");
  EXPECT_TRUE(covers(hit->proof));
  a.invalidate({"c:k"});
  wait_until("it is told", [&] { return b.cache->has("k"); });
  EXPECT_EQ(b.text("c:k"), "leased");
}

TEST_F(sentinel_tier, a_failover_makes_all_entries_suspect_and_none_comes_back) {
  member a = join(), b = join();
  const auto old = group->primary();
  const auto next = 1 - old;
  a.load("c:gone", value_of("invalidated"));
  a.load("c:kept", value_of("v"));
  const auto hit = b.read("c:kept");
  ASSERT_TRUE(covers(hit->proof));
  wait_until("the replica has it", [&] { return group->server(next).run({"EXISTS", "c:kept"}).text == "1"; });
  // It hears nothing from here on.
  group->server(next).pause();
  group->server(old).run({"CLIENT", "KILL", "TYPE", "replica"});
  ASSERT_FALSE(a.invalidate({"c:gone"})->failure);
  group->server(old).kill();
  group->server(next).resume();
  ASSERT_EQ(group->wait_primary_other_than(old), next);
  ASSERT_EQ(group->server(next).run({"EXISTS", "c:gone"}).text, "1") << "it is back";
  for (member* one : {&a, &b}) {
    wait_until("the new primary answers", [&] { return one->text("c:kept") != "failed"; });
    EXPECT_NE(one->text("c:gone"), "invalidated");
    EXPECT_NE(one->text("c:kept"), "v") << "nobody knows what was lost";
    EXPECT_EQ(one->tier->stats().totals.reign_changes, 1);
  }
  EXPECT_FALSE(covers(hit->proof));
}

TEST_F(sentinel_tier, a_failover_on_demand_ends_what_was_proved) {
  member a = join();
  a.load("c:k", value_of("v"));
  const auto hit = a.read("c:k");
  group->failover();
  wait_until("the proof ends", [&] { return !covers(hit->proof); });
  wait_until("the new primary answers", [&] { return a.text("c:k") != "failed"; });
  EXPECT_NE(a.text("c:k"), "v");
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 1);
}

}  // namespace
}  // namespace seawall

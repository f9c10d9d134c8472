#include "servers/cluster.hpp"
#include "servers/sentinel_group.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace seawall::servers {
namespace {

using ::testing::StartsWith;

class SentinelGroup : public ::testing::Test {
 protected:
  void SetUp() override { SEAWALL_NEEDS_SERVER(); }
};

TEST_F(SentinelGroup, FailsOverWhenThePrimaryIsKilled) {
  auto group = sentinel_group::start({.password = "secret"});
  EXPECT_EQ(group->primary(), 0U);
  EXPECT_EQ(group->sentinel_ports().size(), 3U);
  group->server(0).run({"SET", "k", "v"});
  group->server(0).run({"WAIT", "2", "0"});
  group->server(0).kill();
  const auto next = group->wait_primary_other_than(0);
  EXPECT_EQ(group->server(next).run({"GET", "k"}), "v");
  EXPECT_EQ(group->server(next).run({"SET", "k", "w"}), "OK");
  group->server(0).restart();
  group->wait_healthy();
  EXPECT_EQ(group->primary(), next);
  EXPECT_EQ(group->server(0).run({"GET", "k"}), "w");
}

TEST_F(SentinelGroup, FailsOverOnDemandAndDoesWithoutOneSentinel) {
  auto group = sentinel_group::start();
  const auto next = group->failover();
  EXPECT_NE(next, 0U);
  group->sentinel(2).kill();
  EXPECT_FALSE(group->primary_by(2));
  EXPECT_EQ(group->primary(), next);
  EXPECT_EQ(group->primary_by(1), next);
}

TEST_F(SentinelGroup, BehindProxiesAPrimaryIsPartitionedAway) {
  auto group = sentinel_group::start({.proxied = true});
  raw_client client{group->port(0)};
  EXPECT_EQ(client.run({"SET", "k", "v"}), "OK");
  EXPECT_EQ(client.run({"WAIT", "2", "0"}), "2");
  group->proxy(0).hold();
  const auto next = group->wait_primary_other_than(0);
  EXPECT_TRUE(group->server(0).alive());
  EXPECT_EQ(raw_client{group->port(next)}.run({"GET", "k"}), "v");
  group->proxy(0).release();
  group->wait_healthy();
  EXPECT_EQ(group->primary(), next);
}

class Cluster : public ::testing::Test {
 protected:
  void SetUp() override { SEAWALL_NEEDS_SERVER(); }
};

TEST(ClusterSlots, AreThoseOfTheSpecification) {
  EXPECT_EQ(slot_of("123456789"), 0x31C3);
  EXPECT_EQ(slot_of(""), 0);
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  for (const std::uint16_t slot : {0, 1, 9'000, 16'383}) EXPECT_EQ(slot_of(key_in(slot, "tail")), slot);
}

TEST_F(Cluster, ServesAllSlotsAndMovesOneStepByStep) {
  auto nodes = cluster::start({.password = "secret"});
  ASSERT_EQ(nodes->size(), 6U);
  EXPECT_EQ(nodes->owner(0), 0U);
  EXPECT_EQ(nodes->owner(16'383), 2U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(nodes->replica_of(i), i + 3);
  EXPECT_EQ(nodes->node_with_port(nodes->port(4)), 4U);

  const auto a = key_in(5, "a"), b = key_in(5, "b");
  nodes->node(0).run({"MSET", a, "1", b, "2"});
  auto move = nodes->move_slot(5, 1);
  EXPECT_EQ(move.from(), 0U);
  move.begin();
  EXPECT_EQ(nodes->node(0).run({"GET", a}), "1");
  EXPECT_EQ(move.keys(1), 1U);
  EXPECT_THAT(nodes->node(0).try_run({"MGET", a, b}).text, StartsWith("TRYAGAIN"));
  EXPECT_EQ(move.keys(), 1U);
  EXPECT_EQ(nodes->node(0).try_run({"GET", a}).text, "ASK 5 127.0.0.1:" + std::to_string(nodes->port(1)));
  move.finish();
  EXPECT_EQ(nodes->owner(5), 1U);
  EXPECT_EQ(nodes->node(1).run({"GET", b}), "2");
  for (const std::size_t other : {0, 2}) {
    EXPECT_EQ(nodes->node(other).try_run({"GET", a}).text, "MOVED 5 127.0.0.1:" + std::to_string(nodes->port(1)));
  }
}

TEST_F(Cluster, AnAbandonedMoveChangesNothing) {
  auto nodes = cluster::start({.replicas = 0});
  auto move = nodes->move_slot(5, 1);
  move.begin();
  EXPECT_THAT(nodes->node(0).try_run({"GET", key_in(5)}).text, StartsWith("ASK"));
  move.abandon();
  EXPECT_FALSE(nodes->node(0).try_run({"GET", key_in(5)}).is_error());
  EXPECT_THAT(nodes->node(1).try_run({"GET", key_in(5)}).text, StartsWith("MOVED"));
}

TEST_F(Cluster, FailsOverOnDemandAndWhenAPrimaryIsKilled) {
  auto nodes = cluster::start();
  const auto key = key_in(0);
  nodes->node(0).run({"SET", key, "v"});
  nodes->failover(3);
  EXPECT_EQ(nodes->owner(0), 3U);
  EXPECT_EQ(nodes->replica_of(3), 0U);
  EXPECT_EQ(nodes->node(3).run({"GET", key}), "v");

  nodes->node(3).kill();
  EXPECT_EQ(nodes->wait_owner_other_than(0, 3), 0U);
  EXPECT_EQ(nodes->node(0).run({"GET", key}), "v");
  nodes->node(3).restart();
  nodes->wait_ok();
  EXPECT_EQ(nodes->replica_of(0), 3U);
}

TEST_F(Cluster, BehindProxiesNodesAreKnownByTheirProxies) {
  auto nodes = cluster::start({.proxied = true});
  const auto moved = raw_client{nodes->port(0)}.run({"GET", key_in(16'383)}).text;
  EXPECT_EQ(moved, "MOVED 16383 127.0.0.1:" + std::to_string(nodes->proxy(2).port()));
  nodes->proxy(2).refuse();
  EXPECT_THROW(raw_client{nodes->port(2)}, std::runtime_error);
  EXPECT_EQ(nodes->owner(16'383), 2U);
}

}  // namespace
}  // namespace seawall::servers

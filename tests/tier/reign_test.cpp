// Servers that forget or go back in time, connections that end, and what is still proved then.
#include "tier_support.hpp"

namespace seawall {
namespace {

using servers::redis_server;
using servers::wait_until;

class reign_test : public shared_tier_test {
 protected:
  bool covers(const waited<tier_read>& what) const {
    return what.proof && what.proof->covers(make_steady_clock()->now());
  }
};

TEST_F(reign_test, what_was_read_is_proved_while_heartbeats_are_answered) {
  member a{server->port(), patient({.bound = 200ms, .heartbeat = 20ms})};
  a.load("c:k", value_of("v"));
  const auto hit = a.read("c:k");
  EXPECT_TRUE(covers(*hit));
  const auto beats = a.tier->stats().totals.heartbeats;
  wait_until("heartbeats come", [&] { return a.tier->stats().totals.heartbeats > beats + 15; });
  EXPECT_TRUE(covers(*hit)) << "longer than the bound after it was read";
  server->pause();
  wait_until("the proof lapses", [&] { return !covers(*hit); });
  server->resume();
  wait_until("the server answers again", [&] { return covers(*a.read("c:k")); });
}

TEST_F(reign_test, a_fill_is_proved_too) {
  member a{server->port(), patient()};
  const auto filled = a.load("c:k", value_of("v"));
  ASSERT_TRUE(filled->proof);
  EXPECT_TRUE(filled->proof->covers(make_steady_clock()->now()));
  a.cache->take();
  member b{server->port(), patient()};
  b.invalidate({"c:k"});
  wait_until("the change is told", [&] { return a.cache->has("k"); });
}

TEST_F(reign_test, reads_and_changes_are_told_in_order) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.load("c:k", value_of("v"));
  a.cache->take();
  a.read("c:k");
  b.invalidate({"c:k"});
  wait_until("the change is told", [&] { return a.cache->has("k"); });
  EXPECT_THAT(a.cache->take(), testing::ElementsAre("read c:k", "k"));
}

TEST_F(reign_test, keys_of_others_are_not_told) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.read("other:k");
  a.read("c:k");
  a.cache->take();
  b.invalidate({"other:k"});
  b.invalidate({"c:k"});
  wait_until("the change is told", [&] { return a.cache->has("k"); });
  EXPECT_THAT(a.cache->take(), testing::ElementsAre("k"));
}

TEST_F(reign_test, a_lost_connection_ends_the_proof) {
  member a{server->port(), patient()};
  a.load("c:k", value_of("v"));
  const auto hit = a.read("c:k");
  EXPECT_TRUE(covers(*hit));
  server->run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  wait_until("the proof ends", [&] { return !covers(*hit); });
  const auto again = a.read("c:k");
  EXPECT_EQ(member::text_of(*again), "v") << "the reign goes on";
  EXPECT_TRUE(covers(*again));
  EXPECT_FALSE(covers(*hit)) << "for good";
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 0);
}

TEST_F(reign_test, a_flush_ends_the_proof_and_the_reign) {
  member a{server->port(), patient()};
  a.load("c:k", value_of("v"));
  const auto hit = a.read("c:k");
  server->run({"FLUSHALL"});
  wait_until("it is told", [&] { return a.cache->has("everything"); });
  EXPECT_FALSE(covers(*hit));
  EXPECT_EQ(a.text("c:k"), "leased");
  EXPECT_EQ(a.tier->stats().totals.flushes, 1);
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 1);
}

TEST_F(reign_test, a_lost_record_makes_all_entries_suspect) {
  member a{server->port(), patient({.heartbeat = 10ms})};
  a.load("c:k", value_of("v"));
  const auto hit = a.read("c:k");
  server->run({"DEL", "seawall:reign"});
  wait_until("a heartbeat finds it", [&] { return a.tier->stats().totals.reign_changes == 1; });
  EXPECT_FALSE(covers(*hit));
  EXPECT_TRUE(a.cache->has("everything"));
  EXPECT_EQ(a.text("c:k"), "leased");
  EXPECT_EQ(a.tier->stats().totals.takeovers, 1);
}

TEST_F(reign_test, a_change_of_the_record_is_told) {
  member a{server->port(), patient({.bound = 1h, .heartbeat = 10min, .idle = 1h})};
  a.load("c:k", value_of("v"));
  EXPECT_EQ(a.text("c:k"), "v");
  server->run({"DEL", "seawall:reign"});
  EXPECT_EQ(a.text("c:k"), "leased") << "long before a heartbeat";
}

TEST_F(reign_test, all_processes_see_one_reign) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.load("c:k", value_of("v"));
  EXPECT_EQ(b.text("c:k"), "v");
  const auto record = server->run({"GET", "seawall:reign"}).text;
  member c{server->port(), patient()};
  EXPECT_EQ(c.text("c:k"), "v");
  EXPECT_EQ(server->run({"GET", "seawall:reign"}).text, record);
}

TEST_F(reign_test, what_a_restart_brings_back_is_not_served) {  // A32
  member a{server->port(), patient()};
  a.load("c:gone", value_of("invalidated"));
  const auto leased = a.read("c:lease");
  server->run({"SAVE"});
  a.invalidate({"c:gone", "c:lease"});
  server->restart();
  ASSERT_EQ(server->run({"EXISTS", "c:gone", "c:lease"}).text, "2") << "both are back";
  EXPECT_FALSE(a.fill("c:lease", leased->nonce, value_of("old"))->accepted);
  EXPECT_EQ(a.text("c:gone"), "leased");
  EXPECT_EQ(a.text("c:lease"), "leased");
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 1);
}

TEST_F(reign_test, what_a_failover_brings_back_is_not_served) {  // A31
  auto replica = redis_server::start({.replica_of = server->port()});
  member a{server->port(), patient()};
  a.load("c:k", value_of("invalidated"));
  wait_until("the replica has it", [&] { return replica->run({"EXISTS", "c:k"}).text == "1"; });
  replica->run({"REPLICAOF", "NO", "ONE"});
  a.invalidate({"c:k"});
  member b{replica->port(), patient()};
  EXPECT_EQ(b.text("c:k"), "leased");
}

TEST_F(reign_test, a_first_replica_changes_nothing) {
  member a{server->port(), patient({.heartbeat = 10ms})};
  a.load("c:k", value_of("v"));
  auto replica = redis_server::start({.replica_of = server->port()});
  wait_until("it is in step", [&] { return replica->info("master_link_status") == "up"; });
  const auto beats = a.tier->stats().totals.heartbeats;
  wait_until("heartbeats come", [&] { return a.tier->stats().totals.heartbeats > beats + 2; });
  EXPECT_EQ(a.text("c:k"), "v");
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 0);
}

TEST_F(reign_test, a_server_that_became_a_replica_is_not_believed) {  // A33
  auto other = redis_server::start();
  member a{server->port(), {.bound = 200ms, .heartbeat = 20ms, .budget = 100ms, .breaker = {.enabled = false}}};
  wait_until("it answers", [&] { return a.text("c:first") != "failed"; });
  const auto leased = a.read("c:k");
  ASSERT_TRUE(a.fill("c:k", leased->nonce, value_of("v"))->accepted);
  const auto hit = a.read("c:k");
  server->run({"REPLICAOF", "127.0.0.1", std::to_string(other->port())});
  wait_until("it is noticed", [&] { return a.text("c:k") == "failed"; });
  EXPECT_FALSE(covers(*hit));
  server->run({"REPLICAOF", "NO", "ONE"});
  wait_until("it is a primary again", [&] { return a.text("c:k") != "failed"; });
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 1);
}

}  // namespace
}  // namespace seawall

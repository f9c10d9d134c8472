// The shared tier on a cluster whose slots move and whose primaries change.
#include "cluster_support.hpp"

#include <string>
#include <utility>
#include <vector>

namespace seawall {
namespace {

using servers::cluster;
using servers::wait_until;

class changing_cluster : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    nodes = cluster::start({.config = {"cluster-require-full-coverage no"}});
  }

  // Signs of life come in the order of milliseconds, so that a test need not wait for them.
  member join(tier_options how = {.bound = 1s, .heartbeat = 20ms}) {
    return member{url_of(*nodes, 1), patient(std::move(how))};
  }
  std::string stored(std::size_t node, const std::string& key) {
    return nodes->node(node).run({"EXISTS", key}).text;
  }

  std::unique_ptr<cluster> nodes;
};

TEST_F(changing_cluster, keys_that_move_with_their_slot_are_told_and_never_old) {
  member a = join(), b = join();
  const std::string one = key_at(slot_a, "one"), two = key_at(slot_a, "two"), beside = key_at(slot_a + 1);
  for (const auto& key : {one, two, beside}) a.load(key, value_of("old"));
  a.cache->take();
  const auto hit = a.read(one);
  ASSERT_TRUE(covers(hit->proof));
  auto move = nodes->move_slot(slot_a, 1);
  move.begin();
  EXPECT_EQ(a.text(one), "old") << "nothing has moved yet";
  while (move.keys(1) != 0) {
    // Answered by either server, or by none; by both together, nothing is believed.
    for (const auto& key : {one, two}) EXPECT_THAT(a.text(key), testing::AnyOf("old", "leased", "held", "failed"));
    EXPECT_EQ(a.text(beside), "old");
  }
  wait_until("both are told", [&] {
    return a.cache->has(one.substr(2)) && a.cache->has(two.substr(2));
  });
  EXPECT_FALSE(b.invalidate({one})->failure);
  EXPECT_NE(a.text(one), "old");
  move.finish();
  EXPECT_FALSE(b.invalidate({one, two})->failure);
  EXPECT_EQ(a.text(one), "leased");
  EXPECT_EQ(b.text(one), "held");
  EXPECT_EQ(b.text(two), "leased") << "of the reign on the other server";
  EXPECT_EQ(a.text(beside), "old");
}

TEST_F(changing_cluster, what_is_changed_while_it_moves_is_not_stored) {
  member a = join(), b = join();
  const std::string key = key_at(slot_a);
  const auto leased = a.read(key);
  ASSERT_EQ(leased->is, outcome::leased);
  auto move = nodes->move_slot(slot_a, 1);
  move.begin();
  ASSERT_EQ(move.keys(), 2) << "the lease, and the record of the slot";
  EXPECT_FALSE(b.invalidate({key})->failure);
  EXPECT_FALSE(a.fill(key, leased->nonce, value_of("old"))->accepted);
  move.finish();
  EXPECT_NE(a.text(key), "old");
  EXPECT_NE(b.text(key), "old");
}

TEST_F(changing_cluster, a_slot_that_went_and_came_back_is_served) {
  member a = join();
  const std::string key = key_at(slot_a);
  a.load(key, value_of("v"));
  for (const std::size_t to : {1, 0}) {
    auto move = nodes->move_slot(slot_a, to);
    move.begin();
    move.keys();
    move.finish();
    wait_until("it is served", [&] { return a.text(key) != "failed"; });
  }
  a.invalidate({key});
  EXPECT_TRUE(a.load(key, value_of("again"))->accepted);
  EXPECT_TRUE(covers(a.read(key)->proof));
}

// The old owner drops its keys and tells nobody who has read them.
TEST_F(changing_cluster, a_slot_that_is_taken_without_its_keys_is_noticed_by_who_asks_for_nothing) {
  member a = join(), b = join();
  const std::string key = key_at(slot_a);
  a.load(key, value_of("old"));
  const auto hit = a.read(key);
  ASSERT_TRUE(covers(hit->proof));
  nodes->move_slot(slot_a, 1).begin();
  nodes->node(1).run({"CLUSTER", "SETSLOT", std::to_string(slot_a), "NODE", nodes->id(1)});
  nodes->wait_owner_other_than(slot_a, 0);
  wait_until("the proof ends", [&] { return !covers(hit->proof); }, 10s);
  EXPECT_EQ(b.text(key), "leased");
}

TEST_F(changing_cluster, what_a_failover_brings_back_is_not_served) {  // A31
  member a = join(), b = join();
  const std::uint64_t tag = tag_with(0);
  const std::string there = key_at(slot_a), tagged = key_at(slot_b), elsewhere = key_at(slot_c);
  a.load(there, value_of("invalidated"));
  a.load_tagged(tagged, {tag}, "invalidated");
  a.load(elsewhere, value_of("v"));
  wait_until("the replica has it", [&] { return nodes->node(3).info("master_repl_offset") ==
                                                nodes->node(0).info("master_repl_offset"); });
  // It hears nothing from here on.
  nodes->node(3).pause();
  nodes->node(0).run({"CLIENT", "KILL", "TYPE", "replica"});
  ASSERT_FALSE(a.invalidate({there})->failure);
  ASSERT_FALSE(a.change_tag(tag)->failure);
  nodes->node(0).kill();
  nodes->node(3).resume();
  ASSERT_EQ(nodes->wait_owner_other_than(slot_a, 0), 3);
  ASSERT_EQ(stored(3, there), "1") << "it is back";
  for (member* one : {&a, &b}) {
    wait_until("the new primary answers", [&] { return one->text(there) != "failed"; });
    EXPECT_NE(one->text(there), "invalidated");
    wait_until("the tag's answers", [&] { return one->read_tagged(tagged)->is != outcome::failed; });
    EXPECT_NE(member::text_of(*one->read_tagged(tagged)), "invalidated") << "its tag's record is another server's";
    EXPECT_EQ(one->text(elsewhere), "v");
  }
  EXPECT_GE(a.tier->stats().totals.reign_changes, 1);
}

TEST_F(changing_cluster, a_primary_that_hands_over_proves_nothing_any_more) {
  member a = join();
  const std::string there = key_at(slot_a), elsewhere = key_at(slot_c);
  a.load(there, value_of("old"));
  a.load(elsewhere, value_of("v"));
  const auto hit = a.read(there);
  nodes->failover(3);
  wait_until("the proof ends", [&] { return !covers(hit->proof); }, 10s);
  EXPECT_EQ(a.text(there), "leased") << "another reign";
  EXPECT_EQ(a.text(elsewhere), "v");
  nodes->failover(0);
  wait_until("it is served again", [&] { return a.text(there) != "failed"; });
  EXPECT_NE(a.text(there), "old");
}

}  // namespace
}  // namespace seawall

// The client on a real cluster of three primaries and three replicas: what it serves when nothing moves.
#include "cluster_support.hpp"
#include "seawall/cmd/scan.hpp"

#include <future>

namespace seawall::redis {
namespace {

using servers::cluster;
using servers::key_in;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// One cluster for all tests of the file: they leave it as they found it.
class redis_cluster : public testing::Test {
 protected:
  static void TearDownTestSuite() { nodes.reset(); }
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    if (!nodes) nodes = cluster::start();
    for (std::size_t i = 0; i < 3; ++i) nodes->node(i).run({"FLUSHALL"});
  }

  // A key of each primary.
  const std::string first = key_in(1, "first");
  const std::string second = key_in(8'000, "second");
  const std::string third = key_in(16'000, "third");

  static inline std::unique_ptr<cluster> nodes;
};

TEST_F(redis_cluster, serves_keys_of_all_nodes) {
  auto redis = client_of(*nodes);
  for (const auto& key : {first, second, third}) {
    EXPECT_EQ(redis.run(cmd::set(key, "value of " + key)), true);
    EXPECT_EQ(text_of(redis.run(cmd::get(key))), "value of " + key);
  }
  EXPECT_EQ(nodes->node(0).run({"GET", first}), "value of " + first);
  EXPECT_EQ(nodes->node(1).run({"GET", second}), "value of " + second);
  EXPECT_EQ(nodes->node(2).run({"GET", third}), "value of " + third);
  EXPECT_EQ(redis.stats().redirects, 0U);
  EXPECT_EQ(redis.stats().topology_refreshes, 1U);
}

TEST_F(redis_cluster, one_living_seed_is_enough) {
  servers::reserved_port nobody = servers::reserve_port();
  auto how = cluster_options_for(*nodes, {4});
  how.url += ",127.0.0.1:" + std::to_string(nobody.number());
  for (int i = 0; i < 5; ++i) {
    auto redis = client_with(how);
    EXPECT_EQ(redis.run(cmd::set(third, i)), true);
  }
}

TEST_F(redis_cluster, runs_raw_commands_and_pipelines_across_nodes) {
  auto redis = client_of(*nodes);
  std::vector<cmd::command<bool>> sets;
  for (int i = 0; i < 300; ++i) sets.push_back(cmd::set("key:" + std::to_string(i), i));
  for (const auto& one : redis.run(sets)) EXPECT_EQ(one, true);
  std::vector<cmd::command<std::optional<std::string>>> gets;
  for (int i = 0; i < 300; ++i) gets.push_back(cmd::get("key:" + std::to_string(i)));
  const auto values = redis.run(gets);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(text_of(values[static_cast<std::size_t>(i)]), std::to_string(i));
  const auto raw = redis.command({"STRLEN", "key:123"});
  ASSERT_TRUE(raw) << failure_of(raw);
  EXPECT_EQ((*raw)->integer(), 3);
  const auto script = redis.command({"EVAL", "return redis.call('GET', KEYS[1])", "1", "key:77"});
  ASSERT_TRUE(script) << failure_of(script);
  EXPECT_EQ((*script)->text(), "77");
}

TEST_F(redis_cluster, a_command_over_several_slots_is_split_and_its_replies_merged) {
  auto redis = client_of(*nodes);
  const auto set = redis.command({"MSET", first, "1", second, "2", third, "3", first + "b", "4"});
  ASSERT_TRUE(set) << failure_of(set);
  EXPECT_EQ((*set)->text(), "OK");
  const auto got = redis.command({"mget", third, first, "nothing", first + "b", second, first});
  ASSERT_TRUE(got) << failure_of(got);
  std::vector<std::string> values;
  for (const auto one : **got) values.emplace_back(one.is_null() ? "(nil)" : one.text());
  EXPECT_THAT(values, ElementsAre("3", "1", "(nil)", "4", "2", "1"));
  EXPECT_EQ((*redis.command({"EXISTS", first, second, "nothing", first}))->integer(), 3);
  EXPECT_EQ((*redis.command({"TOUCH", first, second}))->integer(), 2);
  EXPECT_EQ((*redis.command({"DEL", first, second, "nothing"}))->integer(), 2);
  EXPECT_EQ((*redis.command({"UNLINK", third, first + "b"}))->integer(), 2);
  EXPECT_EQ((*redis.command({"DBSIZE"}))->integer(), 0);
}

TEST_F(redis_cluster, splits_inside_a_pipeline) {
  auto redis = client_of(*nodes);
  const auto [set, mset, mget, del] =
      redis.run(cmd::set(first, "x"), cmd::raw("MSET", second, "y", third, "z"),
                cmd::raw("MGET", first, second, third), cmd::raw("DEL", first, second, third));
  EXPECT_EQ(set, true);
  ASSERT_TRUE(mset) << failure_of(mset);
  ASSERT_TRUE(mget) << failure_of(mget);
  EXPECT_EQ((*mget)->size(), 3U);
  ASSERT_TRUE(del) << failure_of(del);
}

TEST_F(redis_cluster, an_error_of_a_part_says_what_became_of_the_others) {
  auto redis = client_of(*nodes);
  nodes->node(1).run({"CONFIG", "SET", "maxmemory", "1"});
  const auto set = redis.command({"MSET", first, "1", second, "2", third, "3"});
  nodes->node(1).run({"CONFIG", "SET", "maxmemory", "0"});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code(), cmd::errc::out_of_memory);
  EXPECT_THAT(set.error().message(),
              AllOf(HasSubstr("applied to " + first + ", " + third), HasSubstr("not applied to " + second)));
}

TEST_F(redis_cluster, commands_without_keys_go_to_one_primary_or_to_all) {
  auto redis = client_of(*nodes);
  EXPECT_TRUE(redis.check());
  for (const auto& key : {first, second, third}) redis.run(cmd::set(key, 1));
  EXPECT_EQ((*redis.command({"DBSIZE"}))->integer(), 3);
  EXPECT_EQ((*redis.command({"KEYS", "*"}))->size(), 3U);
  const auto loaded = redis.command({"SCRIPT", "LOAD", "return KEYS[1]"});
  ASSERT_TRUE(loaded) << failure_of(loaded);
  const std::string digest{(*loaded)->text()};
  for (const auto& key : {first, second, third}) {
    const auto ran = redis.command({"EVALSHA", digest, "1", key});
    ASSERT_TRUE(ran) << failure_of(ran);
    EXPECT_EQ((*ran)->text(), key);
  }
  EXPECT_EQ((*redis.command({"FLUSHALL"}))->text(), "OK");
  EXPECT_EQ((*redis.command({"DBSIZE"}))->integer(), 0);
}

TEST_F(redis_cluster, a_scan_walks_over_all_primaries) {
  auto redis = client_of(*nodes);
  std::vector<cmd::command<bool>> sets;
  std::multiset<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    expected.insert("key:" + std::to_string(i));
    sets.push_back(cmd::set("key:" + std::to_string(i), i));
  }
  for (const auto& one : redis.run(sets)) ASSERT_EQ(one, true);
  std::multiset<std::string> found;
  std::uint64_t cursor = 0;
  do {
    const auto page = redis.run(cmd::scan_step(cursor, {.match = "key:*", .count = 50}));
    ASSERT_TRUE(page) << failure_of(page);
    found.insert(page->elements.begin(), page->elements.end());
    cursor = page->next;
  } while (cursor != 0);
  EXPECT_EQ(found, expected);
}

TEST_F(redis_cluster, a_transaction_lives_in_one_slot) {
  auto redis = client_of(*nodes);
  const auto done = redis.transaction(cmd::set(second, 1), cmd::incr(second), cmd::get(second));
  ASSERT_TRUE(done) << failure_of(done);
  EXPECT_EQ(text_of(std::get<2>(*done)), "2");
  const auto spread = redis.transaction(cmd::set(first, 1), cmd::set(second, 1));
  ASSERT_FALSE(spread);
  EXPECT_EQ(spread.error().code(), cmd::errc::cross_slot);
  EXPECT_THAT(spread.error().message(), AllOf(HasSubstr(" 1 "), HasSubstr("8000"), HasSubstr("hash tag")));
  EXPECT_EQ(text_of(redis.run(cmd::get(second))), "2");
}

TEST_F(redis_cluster, keys_of_one_command_in_several_slots_are_refused_with_their_names) {
  auto redis = client_of(*nodes);
  const auto renamed = redis.command({"RENAME", first, second});
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().code(), cmd::errc::cross_slot);
  EXPECT_THAT(renamed.error().message(), AllOf(HasSubstr(first), HasSubstr(second), HasSubstr("hash tag")));
}

TEST_F(redis_cluster, a_blocking_command_goes_to_its_node) {
  auto redis = client_of(*nodes);
  auto popped = std::async(std::launch::async, [&] { return redis.command({"BLPOP", third, "0"}); });
  servers::wait_until("somebody waits", [&] { return nodes->node(2).info("blocked_clients") == "1"; });
  ASSERT_TRUE(redis.command({"RPUSH", third, "x"}));
  const auto got = popped.get();
  ASSERT_TRUE(got) << failure_of(got);
  EXPECT_EQ((**got)[1].text(), "x");
}

TEST_F(redis_cluster, replicas_answer_reads_if_wanted) {
  auto how = cluster_options_for(*nodes);
  how.read_from = read_from::prefer_replica;
  auto redis = client_with(how);
  ASSERT_EQ(redis.run(cmd::set(second, "v")), true);
  ASSERT_EQ(nodes->node(1).run({"WAIT", "1", "0"}).is_error(), false);
  servers::wait_until("the replica has it", [&] {
    auto replica = nodes->node(4).connect();
    replica.run({"READONLY"});
    return replica.run({"GET", second}) == "v";
  });
  nodes->node(4).run({"CONFIG", "RESETSTAT"});
  EXPECT_EQ(text_of(redis.run(cmd::get(second))), "v");
  EXPECT_THAT(nodes->node(4).info("cmdstat_get"), HasSubstr("calls=1"));
  EXPECT_EQ(redis.stats().redirects, 0U);
}

TEST_F(redis_cluster, a_server_that_is_no_cluster_is_said_at_once) {
  auto lone = servers::redis_server::start();
  const std::string where = "127.0.0.1:" + std::to_string(lone->port());
  auto redis = client_with({.url = "redis+cluster://" + where, .command_timeout = 30s});
  const auto begun = std::chrono::steady_clock::now();
  const auto outcome = redis.run(cmd::get("k"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message(),
              AllOf(HasSubstr(where), HasSubstr("ERR This instance has cluster support disabled")));
  EXPECT_FALSE(redis.run(cmd::get("k"))) << "and later, too";
}

TEST_F(redis_cluster, a_wrong_password_is_said_at_once) {
  auto guarded = cluster::start({.primaries = 3, .replicas = 0, .password = "secret"});
  auto how = cluster_options_for(*guarded);
  how.command_timeout = 30s;
  how.password = "wrong";
  auto redis = client_with(how);
  const auto outcome = redis.run(cmd::get("k"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), cmd::errc::wrong_pass);
  how.password = "secret";
  auto right = client_with(how);
  EXPECT_EQ(text_of(right.run(cmd::get("k"))), "(nil)");
}

TEST_F(redis_cluster, unreachable_seeds_are_named_with_their_cause_at_the_deadline) {
  servers::reserved_port one = servers::reserve_port();
  servers::reserved_port two = servers::reserve_port();
  const std::string first_seed = "127.0.0.1:" + std::to_string(one.number());
  const std::string second_seed = "127.0.0.1:" + std::to_string(two.number());
  auto redis = client_with({.url = "redis+cluster://" + first_seed + "," + second_seed, .command_timeout = 500ms});
  const auto outcome = redis.run(cmd::get("k"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), cmd::errc::unreachable);
  EXPECT_THAT(outcome.error().message(), AllOf(HasSubstr(first_seed), HasSubstr(second_seed), HasSubstr("refused")));
}

}  // namespace
}  // namespace seawall::redis

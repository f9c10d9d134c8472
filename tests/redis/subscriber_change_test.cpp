// Subscriptions whose servers change: slots that move, nodes that die, a primary that fails over; and servers that say
// what no real one says.
#include "cluster_support.hpp"
#include "sentinel_support.hpp"
#include "seawall/cmd/pubsub.hpp"
#include "servers/sentinel_group.hpp"
#include "subscriber_support.hpp"

#include <fmt/format.h>

namespace seawall::redis {
namespace {

using servers::cluster;
using servers::fake_server;
using servers::key_in;
using servers::sentinel_group;
using testing::ElementsAre;
using testing::IsEmpty;
namespace answers = servers::answers;

class cluster_subscription : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    nodes = cluster::start();
  }

  subscription subscribe(client& redis, const topics& what) {
    auto made = redis.subscribe(what, log.handler(), log.options());
    if (!made) throw std::runtime_error(made.error().message());
    return *std::move(made);
  }
  void publish_until_heard(client& redis, const std::string& channel, const std::string& payload) {
    servers::wait_until("a sharded message", [&] { return redis.run(cmd::spublish(channel, payload)) == 1; });
    log.wait_for(channel + "=" + payload);
  }

  listener_log log;
  std::unique_ptr<cluster> nodes;
};

TEST_F(cluster_subscription, hears_all_nodes_and_the_owners_of_slots) {
  auto redis = client_of(*nodes);
  const std::vector<std::string> shards{key_in(1, "a"), key_in(6'000, "b"), key_in(12'000, "c"), key_in(2, "d")};
  const auto news = subscribe(redis, {.channels = {"news"}, .patterns = {"p*"}, .sharded = shards});
  for (const auto& one : shards) {
    EXPECT_EQ(redis.run(cmd::spublish(one, "x")), 1);
    log.wait_for(one + "=x");
  }
  for (std::size_t node = 0; node < 3; ++node) {
    nodes->node(node).run({"PUBLISH", "news", std::to_string(node)});
    nodes->node(node).run({"PUBLISH", "p", std::to_string(node)});
    log.wait_for("news=" + std::to_string(node));
    log.wait_for("p*:p=" + std::to_string(node));
  }
  EXPECT_EQ(log.lines().size(), 10U);
}

TEST_F(cluster_subscription, follows_a_slot_to_its_new_owner_and_tells_the_gap_of_that_slot_alone) {  // bugs 12, 24
  auto redis = client_of(*nodes);
  const std::string moving = key_in(100, "moving");
  const std::string staying = key_in(101, "staying");
  const auto news = subscribe(redis, {.channels = {"news"}, .sharded = {moving, staying}});
  for (const std::size_t to : {1U, 2U, 0U}) {
    auto move = nodes->move_slot(100, to);
    move.begin();
    move.keys();
    move.finish();
    publish_until_heard(redis, moving, "at " + std::to_string(to));
    EXPECT_EQ(redis.run(cmd::spublish(staying, std::to_string(to))), 1);
    log.wait_for(staying + "=" + std::to_string(to));
  }
  EXPECT_EQ(log.count("gap " + moving), 3U);
  EXPECT_EQ(log.count("gap " + staying), 0U);
  EXPECT_EQ(log.count("gap news"), 0U);
  EXPECT_TRUE(news.active());
}

TEST_F(cluster_subscription, a_dead_node_s_topics_are_heard_at_its_replica) {
  auto redis = client_of(*nodes);
  const std::string at_first = key_in(1, "a");
  const std::string at_second = key_in(6'000, "b");
  const auto news = subscribe(redis, {.channels = {"news"}, .sharded = {at_first, at_second}});
  nodes->node(0).kill();
  nodes->wait_owner_other_than(1, 0);
  publish_until_heard(redis, at_first, "again");
  publish_until_heard(redis, at_second, "still");
  servers::wait_until("all is heard", [&] { return news.active().has_value(); });
  nodes->node(1).run({"PUBLISH", "news", "still"});
  log.wait_for("news=still");
  EXPECT_EQ(log.count("gap " + at_first), 1U);
  EXPECT_EQ(log.count("gap " + at_second), 0U);
}

TEST_F(cluster_subscription, a_node_that_is_silent_is_left_for_the_owner_that_the_others_name) {
  auto how = cluster_options_for(*nodes);
  how.connect_timeout = 500ms;
  how.command_timeout = 500ms;
  how.health_interval = 10min;
  auto redis = client_with(how);
  const std::string topic = key_in(1, "a");
  const auto news = subscribe(redis, {.sharded = {topic}});
  nodes->node(0).pause();
  nodes->wait_owner_other_than(1, 0);
  publish_until_heard(redis, topic, "again");
  EXPECT_EQ(log.count("gap " + topic), 1U);
  nodes->node(0).resume();
}

class sentinel_subscription : public testing::Test {
 protected:
  void SetUp() override { SEAWALL_NEEDS_SERVER(); }
};

TEST_F(sentinel_subscription, follows_failovers_of_the_primary) {
  auto group = sentinel_group::start();
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports()), {.command_timeout = 30s});
  listener_log log;
  const auto news = redis.subscribe({.channels = {"news"}, .sharded = {"shard"}}, log.handler(), log.options(30s));
  ASSERT_TRUE(news) << news.error().message();
  const auto heard_by = [&](std::size_t which, const std::string& text) {
    servers::wait_until("the new primary has the subscriber", [&] {
      return group->server(which).try_run({"PUBLISH", "news", text}) == "1" &&
             group->server(which).try_run({"SPUBLISH", "shard", text}) == "1";
    });
    log.wait_for("news=" + text);
    log.wait_for("shard=" + text);
  };
  heard_by(group->primary(), "1");
  heard_by(group->failover(), "2");
  const auto old = group->primary();
  group->server(old).kill();
  heard_by(group->wait_primary_other_than(old), "3");
  EXPECT_GE(log.count("gap news"), 2U);
  EXPECT_TRUE(news->active());
}

TEST_F(sentinel_subscription, leaves_a_primary_that_lives_but_is_not_named_any_more) {
  const auto first = servers::redis_server::start();
  const auto second = servers::redis_server::start();
  scripted_sentinel sentinel{first->port()};
  auto redis = sentinel_client(sentinel_url({sentinel.port()}), {.command_timeout = 30s});
  listener_log log;
  const auto news = redis.subscribe({.channels = {"news"}}, log.handler(), log.options());
  ASSERT_TRUE(news) << news.error().message();
  EXPECT_EQ(first->run({"PUBLISH", "news", "1"}), "1");
  sentinel.name(second->port(), 2);
  sentinel.publish();
  servers::wait_until("it has moved", [&] { return second->run({"PUBLISH", "news", "2"}) == "1"; });
  log.wait_for("news=2");
  EXPECT_THAT(log.lines(), ElementsAre("news=1", "gap news", "news=2"));
  EXPECT_EQ(first->run({"PUBLISH", "news", "3"}), "0");
}

// --- servers that say what no real one says -------------------------------------------------------------------------

std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }
std::string confirmation(std::string_view word, std::string_view name) {
  return ">3\r\n" + bulk(word) + bulk(name) + ":1\r\n";
}
std::string published(std::string_view name, std::string_view payload) {
  return ">3\r\n" + bulk("message") + bulk(name) + bulk(payload);
}

// Answers SUBSCRIBE as a test says, and everything else as Redis does.
servers::handler subscribing(std::function<std::string(servers::fake_connection&, const std::string& name)> answer) {
  return [answer = std::move(answer), healthy = answers::redis()](servers::fake_connection& on,
                                                                  const servers::arguments& command) {
    return command.at(0) == "SUBSCRIBE" ? answer(on, command.at(1)) : healthy(on, command);
  };
}

TEST(subscription_of_an_odd_server, several_errors_for_one_command_shift_nothing) {  // valkey#2734
  fake_server odd{subscribing([](servers::fake_connection&, const std::string& name) {
    return name == "bad" ? std::string{"-NOPERM no\r\n-NOPERM no\r\n-NOSUB no\r\n"} : confirmation("subscribe", name);
  })};
  auto redis = client_of(odd.port());
  listener_log log;
  auto news = redis.subscribe({.channels = {"a"}}, log.handler(), log.options());
  ASSERT_TRUE(news) << news.error().message();
  EXPECT_EQ(news->add({.channels = {"bad", "good"}}).error().code(), cmd::errc::no_permission);
  EXPECT_TRUE(news->add({.channels = {"good"}}));
  odd.broadcast(published("good", "1"));
  log.wait_for("good=1");
  EXPECT_EQ(log.count("gap a"), 0U);
}

TEST(subscription_of_an_odd_server, what_was_not_asked_for_is_not_handed_out) {
  fake_server odd{subscribing([](servers::fake_connection&, const std::string& name) {
    return published(name, "too early") + confirmation("psubscribe", name) + confirmation("subscribe", "other") +
           ">1\r\n" + bulk("message") + ">2\r\n" + bulk("what") + ":1\r\n>0\r\n" + published("other", "x") +
           confirmation("subscribe", name) + published(name, "y");
  })};
  auto redis = client_of(odd.port());
  listener_log log;
  const auto news = redis.subscribe({.channels = {"a"}}, log.handler(), log.options());
  ASSERT_TRUE(news) << news.error().message();
  log.wait_for("a=y");
  EXPECT_EQ(log.count("other=x"), 0U);
}

TEST(subscription_of_an_odd_server, an_end_that_nobody_asked_for_is_a_gap) {
  fake_server odd{subscribing([](servers::fake_connection&, const std::string& name) {
    return confirmation("subscribe", name);
  })};
  auto redis = client_of(odd.port());
  listener_log log;
  const auto news = redis.subscribe({.channels = {"a", "b"}}, log.handler(), log.options());
  ASSERT_TRUE(news) << news.error().message();
  odd.broadcast(confirmation("unsubscribe", "a"));
  log.wait_for("gap a");
  odd.broadcast(published("a", "1"));
  log.wait_for("a=1");
  EXPECT_EQ(log.count("gap b"), 0U);
  EXPECT_EQ(odd.accepted(), 1U);
}

TEST(subscription_of_an_odd_server, a_reply_that_nothing_asked_for_makes_a_new_connection) {
  fake_server odd{subscribing([](servers::fake_connection&, const std::string& name) {
    return confirmation("subscribe", name);
  })};
  auto redis = client_of(odd.port());
  listener_log log;
  const auto news = redis.subscribe({.channels = {"a"}}, log.handler(), log.options());
  ASSERT_TRUE(news) << news.error().message();
  odd.broadcast("-NOSUB 'SUNSUBSCRIBE' command is not allowed\r\n");
  log.wait_for("gap a");
  EXPECT_EQ(odd.accepted(), 2U);
}

TEST(subscription_of_an_odd_server, no_confirmation_before_the_pong_makes_a_new_connection) {
  fake_server odd{subscribing([](servers::fake_connection& on, const std::string& name) {
    return on.number() == 0 ? std::string{} : confirmation("subscribe", name);
  })};
  auto redis = client_of(odd.port());
  listener_log log;
  EXPECT_TRUE(redis.subscribe({.channels = {"a"}}, log.handler(), log.options()));
  EXPECT_EQ(odd.accepted(), 2U);
  EXPECT_THAT(log.lines(), IsEmpty());
}

}  // namespace
}  // namespace seawall::redis

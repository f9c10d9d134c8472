// Write-behinds over a Redis that is killed, emptied, silent, or without its replicas.
#include "redis_write_support.hpp"
#include "servers/cluster.hpp"

#include <thread>

namespace seawall::redis_write_test {
namespace {

using ::testing::HasSubstr;

struct RedisWriteFaults : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start({.config = {"appendonly yes", "appendfsync always"}});
  }

  std::unique_ptr<redis_server> server;
  table rows;
};

TEST_F(RedisWriteFaults, WhatWasAcknowledgedOutlivesTheServer) {
  auto engine = engine_of(options_at(server->port()), rows);
  rows.down = true;
  std::map<std::string, std::uint64_t> acknowledged;
  std::atomic<bool> fails = false;
  std::jthread writer{[&](const std::stop_token& stop) {
    for (int i = 0; !fails && !stop.stop_requested(); ++i) {
      const std::string key = "k" + std::to_string(i % 10);
      if (const auto done = put(*engine, key, std::to_string(i))) acknowledged[key] = done->sequence;
      else fails = true;
    }
  }};
  servers::wait_until("some are acknowledged", [&] { return engine->stats().accepted > 100; });
  server->kill();
  writer.join();
  EXPECT_THAT(text_of(put(*engine, "down", "1")), HasSubstr("WhatWasAcknowledgedOutlivesTheServer"));
  server->restart();
  rows.down = false;
  servers::wait_until("it is well again", [&] { return put(*engine, "up", "1").has_value(); });
  ASSERT_TRUE(engine->flush(20s, nullptr));
  for (const auto& [key, version] : acknowledged) EXPECT_GE(rows.at(key).version, version) << key;
}

// A promoted replica, or a server that lost the end of its log, may have writes that were settled already. They were
// given to the group, so only a lease that begins anew looks for them.
TEST_F(RedisWriteFaults, WhatTheNextServerDoesNotKnowAsSettledIsSettledAgain) {
  auto how = options_at(server->port());
  how.redis.lease = 5s;
  auto engine = engine_of(how, rows);
  const std::string writes = "{" + how.redis.stream + ":0}:writes";
  rows.block();
  ASSERT_TRUE(put(*engine, "a", "1"));
  rows.wait_blocked();
  const std::string given = server->run({"DUMP", writes}).text;
  rows.unblock();
  const auto is_empty = [&] { return server->run({"XLEN", writes}) == "0"; };
  servers::wait_until("it is settled", is_empty);
  server->run({"RESTORE", writes, "0", given, "REPLACE"});
  server->kill();
  server->restart();
  servers::wait_until("it is settled again", is_empty);
  EXPECT_EQ(rows.value("a"), "1");
  EXPECT_GT(rows.fences().back(), rows.fences().front());
}

TEST_F(RedisWriteFaults, AStreamThatIsGoneIsMadeAgain) {
  lines said;
  auto how = options_at(server->port());
  how.on_log = said.hook();
  auto engine = engine_of(how, rows);
  ASSERT_TRUE(put(*engine, "a", "1"));
  rows.wait_value("a", "1");
  server->run({"FLUSHALL"});
  const auto after = put(*engine, "a", "2");
  ASSERT_TRUE(after) << text_of(after);
  rows.wait_value("a", "2");
  EXPECT_TRUE(said.has("was gone, and is made again"));
  EXPECT_GT(rows.fences().back(), rows.fences().front());

  server->run({"DEL", "{AStreamThatIsGoneIsMadeAgain:0}:writes"});
  ASSERT_TRUE(put(*engine, "a", "3"));
  rows.wait_value("a", "3");
  ASSERT_TRUE(engine->flush(20s, nullptr));
}

TEST_F(RedisWriteFaults, AnAnswerThatIsLostLeavesTheOutcomeOpen) {
  tcp_proxy proxy{server->port()};
  auto engine = engine_of(options_at(proxy.port()), rows);
  ASSERT_TRUE(put(*engine, "a", "1"));
  ASSERT_TRUE(engine->flush(20s, nullptr));
  proxy.drop(servers::direction::to_client);
  const auto unknown = put(*engine, "a", "2");
  ASSERT_FALSE(unknown);
  EXPECT_TRUE(unknown.error() == errc::timed_out);
  EXPECT_THAT(text_of(unknown), HasSubstr("may take effect yet"));
  proxy.release();
  rows.wait_value("a", "2");
}

TEST_F(RedisWriteFaults, ReplicasAreWaitedFor) {
  auto how = options_at(server->port(), acknowledged::redis_replicated);
  how.redis.replica_timeout = 10ms;
  auto alone = engine_of(how, rows);
  const auto refused = put(*alone, "a", "1");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error() == errc::timed_out);
  EXPECT_THAT(text_of(refused), HasSubstr("0 of 1 replicas"));
  rows.wait_value("a", "1");

  const auto replica = redis_server::start({.replica_of = server->port()});
  servers::wait_until("the replica follows", [&] { return replica->info("master_link_status") == "up"; });
  alone.reset();
  how.redis.replica_timeout = 10s;
  auto engine = engine_of(how, rows);
  rows.down = true;
  const auto done = put(*engine, "a", "2");
  ASSERT_TRUE(done) << text_of(done);
  EXPECT_EQ(replica->run({"XLEN", "{ReplicasAreWaitedFor:0}:writes"}).text, "1");
  rows.down = false;
  rows.wait_value("a", "2");
  how.redis.replicas = 2;
  how.redis.replica_timeout = 10ms;
  auto greedy = engine_of(how, rows);
  EXPECT_THAT(text_of(put(*greedy, "b", "1")), HasSubstr(" of 2 replicas"));
}

TEST(RedisWritesOfACluster, FollowTheirPartitionsToTheNextPrimary) {
  SEAWALL_NEEDS_SERVER();
  const auto nodes = servers::cluster::start();
  auto how = options_of(client_of("redis+cluster://127.0.0.1:" + std::to_string(nodes->port(0)), 5s));
  how.redis.partitions = 4;
  how.redis.replica_timeout = 5s;
  table rows;
  for (const auto level : {acknowledged::redis, acknowledged::redis_replicated}) {
    how.acknowledged = level;
    auto engine = engine_of(how, rows);
    for (int i = 0; i != 20; ++i) {
      const auto done = put(*engine, "k" + std::to_string(i), "before");
      ASSERT_TRUE(done) << text_of(done);
    }
    ASSERT_TRUE(engine->flush(20s, nullptr));
    EXPECT_EQ(engine->stats().drained_partitions, 4U);
    if (level == acknowledged::redis) continue;
    nodes->failover(3);
    for (int i = 0; i != 20; ++i) {
      const std::string key = "k" + std::to_string(i);
      servers::wait_until("a write is taken", [&] { return put(*engine, key, "after").has_value(); });
    }
    ASSERT_TRUE(engine->flush(20s, nullptr));
    for (int i = 0; i != 20; ++i) EXPECT_EQ(rows.value("k" + std::to_string(i)), "after") << i;
  }
}

}  // namespace
}  // namespace seawall::redis_write_test

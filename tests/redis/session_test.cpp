// Sessions, and walks over keys, on one real server.
#include "client_support.hpp"
#include "seawall/cmd.hpp"

#include <future>
#include <set>
#include <vector>

namespace seawall::redis {
namespace {

using servers::redis_server;
using testing::HasSubstr;

class redis_sessions : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
  }

  std::unique_ptr<redis_server> server;
};

TEST_F(redis_sessions, a_watched_key_that_changes_fails_the_transaction) {
  auto redis = client_of(server->port());
  auto own = redis.open_session();
  ASSERT_TRUE(own.run(cmd::watch("stock")));
  ASSERT_TRUE(redis.run(cmd::set("stock", 5)));
  const auto lost = own.transaction(cmd::set("stock", 1));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), cmd::errc::watch_failed);
  ASSERT_TRUE(own.run(cmd::watch("stock")));
  EXPECT_TRUE(own.transaction(cmd::set("stock", 4)));
  EXPECT_EQ(text_of(redis.run(cmd::get("stock"))), "4");
}

TEST_F(redis_sessions, state_belongs_to_the_session_alone) {
  auto redis = client_of(server->port());
  auto own = redis.open_session();
  ASSERT_TRUE(own.run(cmd::raw("SELECT", 3)));
  ASSERT_TRUE(own.run(cmd::set("k", "three")));
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "(nil)");
  EXPECT_EQ(text_of(own.run(cmd::get("k"))), "three");
}

TEST_F(redis_sessions, a_lost_session_does_not_come_back) {
  auto redis = client_of(server->port());
  auto own = redis.open_session();
  ASSERT_TRUE(own.run(cmd::raw("SELECT", 3)));
  server->restart();
  servers::wait_until("the session has noticed", [&] { return !own.run(cmd::get("k")); });
  EXPECT_FALSE(own.run(cmd::get("k")));
  EXPECT_TRUE(redis.open_session().run(cmd::get("k")));
}

TEST_F(redis_sessions, a_command_that_may_have_been_applied_says_so) {
  auto redis = client_of(server->port(), {.command_timeout = 20s});
  auto own = redis.open_session();
  ASSERT_TRUE(own.run(cmd::incr("n")));
  server->pause();
  const auto before = redis.stats().sent_bytes;
  std::promise<result<std::int64_t>> ended;
  own.async_run(cmd::incr("n"), [&](auto outcome) { ended.set_value(std::move(outcome)); });
  servers::wait_until("it is on its way", [&] { return redis.stats().sent_bytes > before; });
  server->kill();
  EXPECT_EQ(ended.get_future().get().error().code(), cmd::errc::connection_lost);
}

TEST_F(redis_sessions, closing_a_session_ends_what_is_under_way) {
  auto redis = client_of(server->port(), {.command_timeout = 20s});
  auto own = redis.open_session();
  std::promise<result<resp::value>> ended;
  own.async_run(cmd::raw("BLPOP", "none", 0), [&](auto outcome) { ended.set_value(std::move(outcome)); });
  servers::wait_until("BLPOP is there", [&] { return server->info("blocked_clients") == "1"; });
  own.close();
  EXPECT_EQ(ended.get_future().get().error(), errc::closed);
  EXPECT_EQ(own.run(cmd::get("k")).error(), errc::closed);
  servers::wait_until("the server has noticed", [&] { return server->info("blocked_clients") == "0"; });
}

TEST_F(redis_sessions, a_walk_finds_every_key_that_matches) {
  auto redis = client_of(server->port());
  std::vector<cmd::command<bool>> sets;
  for (int i = 0; i < 500; ++i) sets.push_back(cmd::set((i % 2 ? "odd:" : "even:") + std::to_string(i), i));
  redis.run(sets);
  std::set<std::string> found;
  for (const auto& key : cmd::scan(redis.target(), {.match = "odd:*", .count = 50})) {
    ASSERT_TRUE(key) << failure_of(key);
    found.insert(*key);
  }
  EXPECT_EQ(found.size(), 250U);
  EXPECT_TRUE(found.contains("odd:1"));
}

TEST_F(redis_sessions, walks_over_sets_hashes_and_sorted_sets) {
  auto redis = client_of(server->port());
  redis.run(cmd::raw("SADD", "s", "a", "b"), cmd::raw("HSET", "h", "f", "1"), cmd::raw("ZADD", "z", 2, "m"));
  std::set<std::string> members;
  for (const auto& member : cmd::sscan(redis.target(), "s")) members.insert(member.value());
  EXPECT_EQ(members, (std::set<std::string>{"a", "b"}));
  const std::pair<std::string, int> f{"f", 1};
  for (const auto& field : cmd::hscan<int>(redis.target(), "h")) EXPECT_EQ(field.value(), f);
  for (const auto& one : cmd::zscan(redis.target(), "z")) EXPECT_EQ(one.value().score, 2);
  for (const auto& none : cmd::sscan(redis.target(), "nothing")) ADD_FAILURE() << none.value();
}

TEST_F(redis_sessions, a_walk_ends_with_its_error) {
  auto redis = client_of(server->port());
  redis.run(cmd::set("text", "x"));
  int steps = 0;
  for (const auto& member : cmd::sscan(redis.target(), "text")) {
    ++steps;
    EXPECT_EQ(member.error().code(), cmd::errc::wrong_type);
  }
  EXPECT_EQ(steps, 1);
}

}  // namespace
}  // namespace seawall::redis

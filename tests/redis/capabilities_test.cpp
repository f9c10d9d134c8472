// What newer servers can do: found by asking, and the typed commands that need it. A test whose command the server at
// hand lacks says so and is skipped.
#include "client_support.hpp"
#include "seawall/cmd.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using servers::redis_server;
using enum cmd::field_change;

#define NEEDS(has, what) \
  if (!(has)) GTEST_SKIP() << "this server has no " << (what)

class server_capabilities : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
    redis.emplace(client_of(server->port()));
    ASSERT_TRUE(redis->check());
    has = redis->capabilities();
  }

  template <class T>
  T run(const cmd::command<T>& what) {
    auto outcome = redis->run(what);
    if (!outcome) throw std::runtime_error(outcome.error().message());
    return *std::move(outcome);
  }
  /// For commands without a capability of their own.
  bool knows(const char* command) { return run(cmd::command_info(command)).at(0).has_value(); }

  std::unique_ptr<redis_server> server;
  std::optional<client> redis;
  capabilities has;
};

using fields = std::vector<std::optional<std::string>>;
using changes = std::vector<cmd::field_change>;

TEST_F(server_capabilities, are_those_that_the_server_shows_when_it_is_used) {
  struct attempt {
    const char* what;
    bool found;
    servers::arguments command;
  };
  const attempt attempts[] = {
      {"set_ifeq", has.set_ifeq, {"SET", "k", "v", "IFEQ", "w"}},
      {"delifeq", has.delifeq, {"DELIFEQ", "k", "v"}},
      {"delex", has.delex, {"DELEX", "k", "IFEQ", "v"}},
      {"hash_field_ttl", has.hash_field_ttl, {"HEXPIRE", "h", "1", "FIELDS", "1", "f"}},
      {"sharded_pubsub", has.sharded_pubsub, {"SPUBLISH", "channel", "message"}},
      {"functions", has.functions, {"FUNCTION", "STATS"}},
  };
  for (const auto& one : attempts) {
    const auto reply = server->try_run(one.command);
    EXPECT_EQ(one.found, !reply.is_error()) << one.what << ": " << reply;
  }
}

TEST_F(server_capabilities, set_if_equal_compares_and_sets) {
  NEEDS(has.set_ifeq, "SET with IFEQ");
  run(cmd::set("k", "a"));
  EXPECT_TRUE(run(cmd::set_if_equal("k", "b", "a")));
  EXPECT_FALSE(run(cmd::set_if_equal("k", "c", "a")));
  EXPECT_EQ(text_of(redis->run(cmd::get("k"))), "b");
  EXPECT_TRUE(run(cmd::set_if_equal("k", 2, "b", {.ex = 100s})));
  EXPECT_TRUE(run(cmd::ttl("k")).value().has_value());
  EXPECT_TRUE(run(cmd::set_if_equal("k", 3, 2)));
  EXPECT_TRUE(run(cmd::ttl("k")).endless());
  EXPECT_FALSE(run(cmd::set_if_equal("absent", "v", "")));
  EXPECT_EQ(text_of(redis->run(cmd::get("absent"))), "(nil)");
  run(cmd::rpush("list", "x"));
  EXPECT_EQ(redis->run(cmd::set_if_equal("list", "v", "x")).error().code(), cmd::errc::wrong_type);
}

TEST_F(server_capabilities, delifeq_compares_and_removes) {
  NEEDS(has.delifeq, "DELIFEQ");
  run(cmd::set("k", 5));
  EXPECT_FALSE(run(cmd::delifeq("k", 4)));
  EXPECT_EQ(text_of(redis->run(cmd::get("k"))), "5");
  EXPECT_TRUE(run(cmd::delifeq("k", 5)));
  EXPECT_FALSE(run(cmd::delifeq("k", 5)));
}

TEST_F(server_capabilities, delex_compares_and_removes) {
  NEEDS(has.delex, "DELEX");
  run(cmd::set("k", 5));
  EXPECT_FALSE(run(cmd::delex_if_equal("k", 4)));
  EXPECT_EQ(text_of(redis->run(cmd::get("k"))), "5");
  EXPECT_TRUE(run(cmd::delex_if_equal("k", 5)));
  EXPECT_FALSE(run(cmd::delex_if_equal("k", 5)));
}

TEST_F(server_capabilities, fields_of_a_hash_have_lifetimes) {
  NEEDS(has.hash_field_ttl, "HEXPIRE");
  run(cmd::hset("h", "a", 1, "b", 2, "c", 3));
  EXPECT_EQ(run(cmd::hexpire("h", cmd::names("a", "missing"), 100s)), (changes{done, no_field}));
  EXPECT_EQ(run(cmd::hexpire("h", "a", 50s, cmd::expire_when::later)), (changes{not_met}));
  EXPECT_EQ(run(cmd::hexpire("h", "b", 90'500ms, cmd::expire_when::no_ttl)), (changes{done}));

  const auto left = run(cmd::httl("h", "a", "b", "c", "missing"));
  ASSERT_EQ(left.size(), 4U);
  EXPECT_GT(left[0].value().value(), 91s);
  EXPECT_LE(left[0].value().value(), 100s);
  EXPECT_LE(left[1].value().value(), 90'500ms);
  EXPECT_TRUE(left[2].endless());
  EXPECT_FALSE(left[3].exists());

  const auto moment = std::chrono::floor<std::chrono::milliseconds>(run(cmd::time())) + 200s;
  EXPECT_EQ(run(cmd::hexpire_at("h", "c", moment)), (changes{done}));
  EXPECT_EQ(run(cmd::hexpire_time("h", "c")).at(0).value(), moment);
  EXPECT_EQ(run(cmd::hpersist("h", "a", "a", "missing")), (changes{done, no_ttl, no_field}));
  EXPECT_EQ(run(cmd::hexpire_at("h", "b", moment - 1000s)), (changes{deleted}));
  EXPECT_FALSE(run(cmd::hexists("h", "b")));
  EXPECT_EQ(run(cmd::hexpire("nothing", "a", 1s)), (changes{no_field}));
}

TEST_F(server_capabilities, a_field_goes_when_its_time_is_over) {
  NEEDS(has.hash_field_ttl, "HEXPIRE");
  run(cmd::hset("h", "a", 1, "b", 2));
  EXPECT_EQ(run(cmd::hexpire("h", "a", 1ms)), (changes{done}));
  servers::wait_until("the field is gone", [&] { return !run(cmd::hexists("h", "a")); });
  EXPECT_TRUE(run(cmd::hexists("h", "b")));
}

TEST_F(server_capabilities, fields_are_set_with_a_lifetime) {
  NEEDS(knows("hsetex") && knows("hgetex"), "HSETEX and HGETEX");
  EXPECT_TRUE(run(cmd::hsetex("h", {.ex = 100s}, "a", 1, "b", 2)));
  EXPECT_FALSE(run(cmd::hsetex("h", {.when = cmd::set_when::absent}, "b", 7, "c", 7)));
  EXPECT_TRUE(run(cmd::hsetex("h", {.keep_ttl = true, .when = cmd::set_when::present}, "b", 3)));
  EXPECT_TRUE(run(cmd::httl("h", "b")).at(0).value().has_value());
  EXPECT_EQ(run(cmd::hgetex("h", cmd::names("a", "missing"), {.persist = true})), (fields{"1", std::nullopt}));
  EXPECT_TRUE(run(cmd::httl("h", "a")).at(0).endless());
  EXPECT_EQ(run(cmd::hgetex("h", "b", {.ex = 1500ms})), (fields{"3"}));
  EXPECT_LE(run(cmd::httl("h", "b")).at(0).value().value(), 1500ms);
}

TEST_F(server_capabilities, fields_are_read_and_removed_at_once) {
  NEEDS(knows("hgetdel"), "HGETDEL");
  run(cmd::hset("h", "a", 1, "b", 2));
  EXPECT_EQ(run(cmd::hgetdel("h", "a", "missing")), (fields{"1", std::nullopt}));
  EXPECT_EQ(run(cmd::hgetdel("h", "a", "b")), (fields{std::nullopt, "2"}));
  EXPECT_EQ(run(cmd::exists("h")), 0);
}

TEST_F(server_capabilities, pairs_are_set_together_with_a_lifetime) {
  NEEDS(knows("msetex"), "MSETEX");
  EXPECT_TRUE(run(cmd::msetex({.ex = 100s, .when = cmd::set_when::absent}, "a", 1, "b", 2)));
  EXPECT_FALSE(run(cmd::msetex({.when = cmd::set_when::absent}, "b", 7, "c", 7)));
  EXPECT_EQ(text_of(redis->run(cmd::get("b"))), "2");
  EXPECT_TRUE(run(cmd::ttl("b")).value().has_value());
  EXPECT_EQ(text_of(redis->run(cmd::get("c"))), "(nil)");
}

TEST_F(server_capabilities, a_digest_names_a_value) {
  NEEDS(knows("digest"), "DIGEST");
  run(cmd::set("k", "v"));
  run(cmd::set("same", "v"));
  EXPECT_EQ(run(cmd::digest("k")), run(cmd::digest("same")));
  EXPECT_EQ(run(cmd::digest("k")).value().size(), 16U);
  EXPECT_EQ(run(cmd::digest("absent")), std::nullopt);
}

}  // namespace
}  // namespace seawall::redis

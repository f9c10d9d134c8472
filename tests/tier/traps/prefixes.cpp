// Traps 12 and 13: groups of entries, by the beginning of their keys.
#include "shared_usual.hpp"

#include "seawall/key.hpp"
#include "servers/cluster.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <vector>

namespace {

using namespace usual;

const seawall::entry_options tagged{.tags = {"tenant"}};

/// Trap 12: KEYS, and DEL of what it found.
using Trap12Shared = SharedTrap;

TEST_F(Trap12Shared, KeysAreNotListed) {
  db.write("list:new", "old");
  redis_client a = client(), b = client();
  usual_get(a, "list:1");
  const auto listed = a.run({"KEYS", "list:*"}).elements;
  usual_get(b, "list:new");
  db.write("list:new", "new");
  for (const auto& key : listed) a.del(key.text);
  EXPECT_EQ(usual_get(b, "list:new"), "old");
  EXPECT_FALSE(server->info("cmdstat_keys").empty());  // which served nobody else meanwhile

  server->run({"CONFIG", "RESETSTAT"});
  process here{server->port()}, there{server->port(), {.name = "users2"}};
  db.write("list:1", "old");
  there.warm_up();
  there.ask("list:1", find);
  there.cache.invalidate("other");  // goes the same way, so what was sent before is stored
  ASSERT_TRUE(there.cache.contains("list:1"));
  here.ask("list:1", find, tagged);
  here.cache.get_many(std::vector<std::string>{"a", "b", "c"}, [](std::span<const std::string> missing) {
    return std::vector<std::string>(missing.size(), "value");
  });
  here.cache.put("put", "value", {.version = 1});
  here.cache.invalidate("a");
  here.cache.invalidate_many(std::vector<std::string>{"b", "c"});
  here.cache.invalidate_tag("tenant");
  db.write("list:1", "new");
  here.cache.clear();
  EXPECT_EQ(here.ask("list:1", find), "new");
  EXPECT_FALSE(server->info("cmdstat_get").empty());
  for (const char* command : {"keys", "scan", "flushall", "flushdb", "smembers", "dbsize", "save", "debug"}) {
    EXPECT_EQ(server->info(std::string{"cmdstat_"} + command), "") << command;
  }
  EXPECT_EQ(server->run({"GET", "list:new"}).text, "old") << "the keys of others are not touched";
  EXPECT_TRUE(there.cache.contains("list:1")) << "nor those of other caches";
  EXPECT_EQ(there.ask("list:1", find, fresh), "old");
}

TEST_F(Trap12Shared, APrefixIsWalkedOverInSteps) {
  const std::vector<std::string> lists{"list:1", "list:2", "list:3"};
  for (const auto& list : lists) db.write(list, "old");
  db.write("other", "value");
  process here{server->port()}, there{server->port()};
  there.warm_up();
  for (const auto& list : lists) there.ask(list, find);
  there.ask("other", find);
  there.cache.invalidate("none");  // goes the same way, so what was sent before is stored
  ASSERT_EQ(keys("users:list:*").size(), 3);
  for (const auto& list : lists) db.write(list, "new");
  server->run({"CONFIG", "RESETSTAT"});
  const auto gone = here.cache.invalidate_prefix("list:", {.count = 1});
  ASSERT_TRUE(gone);
  EXPECT_TRUE(gone->done);
  EXPECT_EQ(gone->removed, 3);
  EXPECT_EQ(keys("users:list:*").size(), 0);
  for (const char* command : {"keys", "del", "flushall", "flushdb"}) {
    EXPECT_EQ(server->info(std::string{"cmdstat_"} + command), "") << command;
  }
  EXPECT_TRUE(there.cache.contains("other"));
  for (const auto& list : lists) {
    wait_until("the other process hears of it", [&] { return !there.cache.contains(list); });
    EXPECT_EQ(there.ask(list, find), "new");
  }
}

/// In a cluster a snippet that is connected to one server lists, and deletes, what that one has.
class Trap12Cluster : public ::testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    nodes = seawall::servers::cluster::start({.replicas = 0});
  }

  redis_client node(std::size_t which) const { return redis_client{nodes->node(which).port()}; }
  std::size_t keys_on(std::size_t which, const std::string& pattern) const {
    return node(which).run({"KEYS", pattern}).elements.size();
  }
  std::size_t keys(const std::string& pattern) const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i != nodes->size(); ++i) sum += keys_on(i, pattern);
    return sum;
  }

  std::unique_ptr<seawall::servers::cluster> nodes;
  usual::database db;
  source find = [this](const std::string& key) { return db.find(key); };
};

TEST_F(Trap12Cluster, AllShardsAreReached) {
  std::vector<std::string> lists;
  for (int i = 0; i != 30; ++i) lists.push_back(fmt::format("list:{}", i));
  const auto write_all = [&](const char* text) {
    for (const auto& list : lists) db.write(list, text);
  };
  write_all("old");
  for (const auto& list : lists) node(nodes->owner(seawall::servers::slot_of(list))).setex(list, 300s, "old");
  std::size_t left = 0;
  for (std::size_t i = 1; i != nodes->size(); ++i) left += keys_on(i, "list:*");
  ASSERT_GT(left, 0);
  redis_client one = node(0);
  for (const auto& key : one.run({"KEYS", "list:*"}).elements) one.del(key.text);
  EXPECT_EQ(keys("list:*"), left);
  for (const auto& key : one.run({"SCAN", "0", "MATCH", "list:*", "COUNT", "1000"}).elements.at(1).elements) {
    one.run({"UNLINK", key.text});  // nor does the politer one see others' keys
  }
  EXPECT_EQ(keys("list:*"), left);

  std::vector<std::string> addresses;
  for (std::size_t i = 0; i != nodes->size(); ++i) addresses.push_back(fmt::format("127.0.0.1:{}", nodes->port(i)));
  const std::string url = fmt::format("redis+cluster://{}", fmt::join(addresses, ","));
  process here{url}, there{url};
  for (const auto& list : lists) ASSERT_EQ(there.ask(list, find), "old");
  wait_until("all are stored", [&] { return there.tier->stats().totals.fills >= lists.size(); });
  for (std::size_t i = 0; i != nodes->size(); ++i) ASSERT_GT(keys_on(i, "users:list:*"), 0) << i;
  write_all("new");
  const auto gone = here.cache.invalidate_prefix("list:");
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_TRUE(gone->done);
  EXPECT_EQ(gone->removed, lists.size());
  EXPECT_EQ(keys("users:list:*"), 0);
  for (const auto& list : lists) EXPECT_EQ(there.ask(list, find, fresh), "new");
}

/// Trap 13: invalidation by prefix: `user:1*` is user 10 as well.
using Trap13Shared = SharedTrap;

TEST_F(Trap13Shared, OneUserIsNotAnother) {
  redis_client a = client();
  const std::vector<std::string> pages{"1:profile", "10:profile"};
  for (const auto& page : pages) usual_get(a, "user:" + page);
  for (const auto& key : keys("user:1*")) a.del(key);
  EXPECT_EQ(keys("user:*").size(), 0);  // and with "user:1:*", who is called "*" is everybody

  for (const auto& page : pages) db.write(page, "old");
  process here{server->port()}, there{server->port()};
  EXPECT_EQ(here.ask("1:profile", find, {.tags = {"1"}}), "old");
  EXPECT_EQ(here.ask("10:profile", find, {.tags = {"10"}}), "old");
  for (const auto& page : pages) db.write(page, "new");
  there.cache.invalidate_tag("*");
  there.cache.invalidate_tag("");
  there.cache.invalidate_tag("1");
  there.cache.invalidate("1");
  EXPECT_EQ(there.ask("1:profile", find), "new");
  EXPECT_EQ(there.ask("10:profile", find), "old");
  EXPECT_EQ(here.ask("10:profile", find, fresh), "old");
  EXPECT_EQ(here.ask("1:profile", find, fresh), "new");
}

TEST_F(Trap13Shared, APrefixEndsWithItsSeparator) {
  const auto first = seawall::key("user").id(1), tenth = seawall::key("user").id(10);
  const std::string page = first.part("profile"), other = tenth.part("profile");
  process here{server->port()}, there{server->port()};
  const auto write_and_ask = [&](const char* text) {
    for (const auto& each : {page, other}) {
      db.write(each, text);
      there.ask(each, find, fresh);
    }
    there.cache.invalidate("none");  // goes the same way, so what was sent before is stored
  };
  write_and_ask("old");
  for (const auto& each : {page, other}) db.write(each, "new");
  ASSERT_TRUE(here.cache.invalidate_prefix(first.prefix()));
  EXPECT_EQ(here.ask(page, find), "new");
  EXPECT_EQ(here.ask(other, find), "old") << "nobody has invalidated it";

  ASSERT_EQ(keys("users:user:10:*").size(), 1);
  ASSERT_TRUE(here.cache.invalidate_prefix("user:1"));  // the trap: a beginning is a beginning
  EXPECT_EQ(keys("users:user:10:*").size(), 0);
  EXPECT_EQ(here.ask(other, find), "new");
}

}  // namespace

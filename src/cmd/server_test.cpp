#include "seawall/cmd/server.hpp"

#include "seawall/cmd/pubsub.hpp"
#include "seawall/cmd/scan.hpp"
#include "test_commands.hpp"

#include <map>

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

TEST(Server, WhatItIsSent) {
  EXPECT_EQ(bytes_of(ping()), "PING");
  EXPECT_EQ(bytes_of(ping("hi")), "PING hi");
  EXPECT_EQ(bytes_of(echo("hi")), "ECHO hi");
  EXPECT_EQ(bytes_of(info()), "INFO");
  EXPECT_EQ(bytes_of(info("server", "memory")), "INFO server memory");
  EXPECT_EQ(bytes_of(config_get("max*")), "CONFIG GET max*");
  EXPECT_EQ(bytes_of(config_set("maxmemory", 100)), "CONFIG SET maxmemory 100");
  EXPECT_EQ(bytes_of(dbsize()), "DBSIZE");
  EXPECT_EQ(bytes_of(flush_database()), "FLUSHDB ASYNC");
  EXPECT_EQ(bytes_of(flush_database(false)), "FLUSHDB SYNC");
  EXPECT_EQ(bytes_of(time()), "TIME");
  EXPECT_EQ(bytes_of(last_save()), "LASTSAVE");
  EXPECT_EQ(bytes_of(role()), "ROLE");
  EXPECT_EQ(bytes_of(wait_for_replicas(1, 2s)), "WAIT 1 2000");
  EXPECT_EQ(bytes_of(wait_for_replicas(-1, 2s)), "WAIT: the number of replicas must not be negative");
  EXPECT_EQ(bytes_of(wait_for_aof(true, 1, forever)), "WAITAOF 1 1 0");
  EXPECT_EQ(bytes_of(client_id()), "CLIENT ID");
  EXPECT_EQ(bytes_of(client_name()), "CLIENT GETNAME");
  EXPECT_EQ(bytes_of(client_info()), "CLIENT INFO");
  EXPECT_EQ(bytes_of(client_list()), "CLIENT LIST");
  EXPECT_EQ(bytes_of(client_kill(7)), "CLIENT KILL ID 7");
  EXPECT_EQ(bytes_of(command_info("get", "hexpire")), "COMMAND INFO get hexpire");
  EXPECT_EQ(bytes_of(command_count()), "COMMAND COUNT");
  EXPECT_EQ(bytes_of(acl_whoami()), "ACL WHOAMI");
}

TEST(Server, WhatItAnswers) {
  EXPECT_EQ(reads(ping(), "+PONG"), "PONG");
  EXPECT_EQ(reads(ping("hi"), "$2 hi"), "hi");
  EXPECT_EQ(reads(echo("hi"), "$2 hi"), "hi");
  EXPECT_EQ(reads(config_get("a*"), "%1 $1 a $1 1"), (std::unordered_map<std::string, std::string>{{"a", "1"}}));
  EXPECT_EQ(reads(config_get("a*"), "*2 $1 a $1 1"), (std::unordered_map<std::string, std::string>{{"a", "1"}}));
  EXPECT_EQ(reads(config_set("a", 1), "+OK"), ok{});
  EXPECT_EQ(reads(dbsize(), ":5"), 5);
  EXPECT_EQ(reads(flush_database(), "+OK"), ok{});
  EXPECT_EQ(reads(time(), "*2 $1 5 $1 7").time_since_epoch(), 5s + 7us);
  EXPECT_EQ(reads(last_save(), ":5").time_since_epoch(), 5s);
  EXPECT_EQ(reads(wait_for_replicas(1, 1s), ":1"), 1);
  EXPECT_EQ(reads(wait_for_aof(true, 1, 1s), "*2 :1 :0"), (std::pair<std::int64_t, std::int64_t>{1, 0}));
  EXPECT_EQ(reads(client_id(), ":9"), 9);
  EXPECT_EQ(reads(client_name(), "$-1"), std::nullopt);
  EXPECT_EQ(reads(client_info(), "=8 txt:id=1"), "id=1");
  EXPECT_EQ(reads(client_list(), "$4 id=1"), "id=1");
  EXPECT_EQ(reads(client_kill(7), ":0"), 0);
  EXPECT_EQ(reads(command_count(), ":240"), 240);
  EXPECT_EQ(reads(acl_whoami(), "$7 default"), "default");
}

TEST(Server, WaitsHoldUpTheSharedConnection) {
  const auto waiting = wait_for_replicas(1, 2s);
  EXPECT_FALSE(waiting.about().blocking);
  EXPECT_EQ(waiting.server_wait(), 2s);
}

TEST(Server, ItsRole) {
  EXPECT_EQ(reads(role(), "*3 $6 master :9 *1 *3 $4 host $4 6380 $1 8"),
            server_role(primary_role{9, {{"host", 6380, 8}}}));
  EXPECT_EQ(reads(role(), "*5 $5 slave $4 host :6379 $9 connected :7"),
            server_role(replica_role{"host", 6379, "connected", 7}));
  EXPECT_EQ(reads(role(), "*2 $8 sentinel *1 $4 main"), server_role(sentinel_role{{"main"}}));
  EXPECT_EQ(complains(role(), "*1 $4 king"),
            "ROLE: expected a role: master, slave or sentinel, the server answered an array");
}

TEST(Server, ItsCommands) {
  const auto known = reads(command_info("get", "no"), "*2 *7 $3 get :2 ~1 +readonly :1 :1 :1 *0 _");
  ASSERT_EQ(known.size(), 2U);
  EXPECT_EQ(known[0], (command_description{"get", 2, {"readonly"}, 1, 1, 1}));
  EXPECT_EQ(known[1], std::nullopt);
}

TEST(Server, ItsInfo) {
  const server_info text{"# Server\r\nredis_version:7.0.15\r\nport:6379\r\n\r\n# Memory\r\nmaxmemory:0\r\n"};
  ASSERT_EQ(text.sections().size(), 2U);
  EXPECT_EQ(text.sections()[1].first, "Memory");
  EXPECT_EQ(text.find("redis_version"), "7.0.15");
  EXPECT_EQ(text.find("nothing"), std::nullopt);
  EXPECT_EQ(text.number("maxmemory"), 0);
  EXPECT_EQ(text.number("redis_version"), std::nullopt);
  EXPECT_EQ(reads(info(), "=10 txt:port:1").number("port"), 1);
  EXPECT_EQ(reads(info(), "$6 port:1").number("port"), 1);
}

TEST(PubSub, WhatIsSentAndRead) {
  EXPECT_EQ(bytes_of(publish("c", "hi")), "PUBLISH c hi");
  EXPECT_EQ(bytes_of(spublish("c", 1)), "SPUBLISH c 1");
  EXPECT_EQ(bytes_of(pubsub_channels("a*")), "PUBSUB CHANNELS a*");
  EXPECT_EQ(bytes_of(pubsub_shard_channels()), "PUBSUB SHARDCHANNELS *");
  EXPECT_EQ(bytes_of(pubsub_numsub("a", "b")), "PUBSUB NUMSUB a b");
  EXPECT_EQ(bytes_of(pubsub_shard_numsub("a")), "PUBSUB SHARDNUMSUB a");
  EXPECT_EQ(bytes_of(pubsub_numpat()), "PUBSUB NUMPAT");
  EXPECT_EQ(reads(publish("c", "hi"), ":2"), 2);
  EXPECT_EQ(reads(spublish("c", "hi"), ":2"), 2);
  EXPECT_EQ(reads(pubsub_channels(), "*1 $1 a"), (strings{"a"}));
  EXPECT_EQ(reads(pubsub_shard_channels(), "*0"), strings{});
  EXPECT_EQ(reads(pubsub_numsub("a"), "*2 $1 a :3"), (std::vector<std::pair<std::string, std::int64_t>>{{"a", 3}}));
  EXPECT_EQ(reads(pubsub_shard_numsub("a"), "*0").size(), 0U);
  EXPECT_EQ(reads(pubsub_numpat(), ":1"), 1);
}

TEST(Scan, WhatIsSent) {
  EXPECT_EQ(bytes_of(scan_step(0)), "SCAN 0");
  EXPECT_EQ(bytes_of(scan_step(18446744073709551615U, {.match = "a*", .count = 10, .type = "string"})),
            "SCAN 18446744073709551615 MATCH a* COUNT 10 TYPE string");
  EXPECT_EQ(bytes_of(sscan_step("s", 5, {.match = "a*"})), "SSCAN s 5 MATCH a*");
  EXPECT_EQ(bytes_of(hscan_step("h", 5, {.count = 7})), "HSCAN h 5 COUNT 7");
  EXPECT_EQ(bytes_of(hscan_fields_step("h", 5)), "HSCAN h 5 NOVALUES");
  EXPECT_EQ(bytes_of(zscan_step("z", 0)), "ZSCAN z 0");
  EXPECT_EQ(bytes_of(scan_step(0, {.count = 0})), "SCAN: the count must be positive");
  EXPECT_EQ(bytes_of(sscan_step("s", 0, {.type = "string"})), "SSCAN: a type is for scan_step alone");
}

TEST(Scan, WhatIsRead) {
  const auto page = reads(scan_step(0), "*2 $2 17 *2 $1 a $1 b");
  EXPECT_EQ(page, (scan_page<std::string>{17, {"a", "b"}}));
  EXPECT_FALSE(page.through());
  EXPECT_TRUE(reads(scan_step(0), "*2 $1 0 *0").through());
  EXPECT_EQ(reads(sscan_step<int>("s", 0), "*2 $1 0 *1 $1 1").elements, (std::vector{1}));
  EXPECT_EQ(reads(hscan_step<int>("h", 0), "*2 $1 0 *2 $1 a $1 1").elements,
            (std::vector<std::pair<std::string, int>>{{"a", 1}}));
  EXPECT_EQ(reads(hscan_fields_step("h", 0), "*2 $1 0 *1 $1 a").elements, (strings{"a"}));
  EXPECT_EQ(reads(zscan_step("z", 0), "*2 $1 0 *2 $1 a $3 1.5").elements,
            (std::vector<scored<std::string>>{{"a", 1.5}}));
}

}  // namespace
}  // namespace seawall::cmd

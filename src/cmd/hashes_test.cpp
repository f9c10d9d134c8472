#include "seawall/cmd/hashes.hpp"

#include "test_commands.hpp"

#include <map>

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;

TEST(Hashes, WhatTheySend) {
  const std::map<std::string, int> numbers{{"a", 1}, {"b", 2}};
  const std::vector<std::string> fields{"x", "y"};
  EXPECT_EQ(bytes_of(hget("h", "f")), "HGET h f");
  EXPECT_EQ(bytes_of(hmget("h", "a", fields)), "HMGET h a x y");
  EXPECT_EQ(bytes_of(hgetall("h")), "HGETALL h");
  EXPECT_EQ(bytes_of(hkeys("h")), "HKEYS h");
  EXPECT_EQ(bytes_of(hvals("h")), "HVALS h");
  EXPECT_EQ(bytes_of(hset("h", "name", "ann", "age", 7)), "HSET h name ann age 7");
  EXPECT_EQ(bytes_of(hset("h", numbers)), "HSET h a 1 b 2");
  EXPECT_EQ(bytes_of(hset_if_absent("h", "f", 1)), "HSETNX h f 1");
  EXPECT_EQ(bytes_of(hdel("h", "a", "b")), "HDEL h a b");
  EXPECT_EQ(bytes_of(hexists("h", "f")), "HEXISTS h f");
  EXPECT_EQ(bytes_of(hlen("h")), "HLEN h");
  EXPECT_EQ(bytes_of(hstrlen("h", "f")), "HSTRLEN h f");
  EXPECT_EQ(bytes_of(hincr_by("h", "f", -1)), "HINCRBY h f -1");
  EXPECT_EQ(bytes_of(hincr_by_float("h", "f", 0.5)), "HINCRBYFLOAT h f 0.5");
  EXPECT_EQ(bytes_of(hrandfield("h")), "HRANDFIELD h");
  EXPECT_EQ(bytes_of(hrandfield("h", 2)), "HRANDFIELD h 2");
  EXPECT_EQ(bytes_of(hrandfield_with_values("h", 2)), "HRANDFIELD h 2 WITHVALUES");
}

TEST(Hashes, WhatFieldLifetimesSend) {
  const std::map<std::string, int> numbers{{"a", 1}, {"b", 2}};
  EXPECT_EQ(bytes_of(hexpire("h", "f", 10s)), "HEXPIRE h 10 FIELDS 1 f");
  EXPECT_EQ(bytes_of(hexpire("h", names("a", "b"), 1500ms, expire_when::no_ttl)), "HPEXPIRE h 1500 NX FIELDS 2 a b");
  EXPECT_EQ(bytes_of(hexpire_at("h", "f", server_time{9ms}, expire_when::later)), "HPEXPIREAT h 9 GT FIELDS 1 f");
  EXPECT_EQ(bytes_of(hpersist("h", "a", "b")), "HPERSIST h FIELDS 2 a b");
  EXPECT_EQ(bytes_of(httl("h", "f")), "HPTTL h FIELDS 1 f");
  EXPECT_EQ(bytes_of(hexpire_time("h", "f")), "HPEXPIRETIME h FIELDS 1 f");
  EXPECT_EQ(bytes_of(hgetex("h", "f", {.ex = 10s})), "HGETEX h EX 10 FIELDS 1 f");
  EXPECT_EQ(bytes_of(hgetex("h", names("a", "b"), {.persist = true})), "HGETEX h PERSIST FIELDS 2 a b");
  EXPECT_EQ(bytes_of(hsetex("h", {.ex = 10s, .when = set_when::absent}, "a", 1)), "HSETEX h FNX EX 10 FIELDS 1 a 1");
  EXPECT_EQ(bytes_of(hsetex("h", {.keep_ttl = true}, numbers)), "HSETEX h KEEPTTL FIELDS 2 a 1 b 2");
  EXPECT_EQ(bytes_of(hgetdel("h", "a", "b")), "HGETDEL h FIELDS 2 a b");
}

TEST(Hashes, WhatTheyRefuse) {
  EXPECT_EQ(bytes_of(hmget("h", std::vector<std::string>{})), "HMGET: no key was given");
  EXPECT_EQ(bytes_of(hexpire("h", "f", 0s)), "HEXPIRE: the time to live must be positive");
  EXPECT_EQ(bytes_of(hexpire_at("h", "f", server_time{})), "HPEXPIREAT: the moment to expire must lie after 1970");
  EXPECT_EQ(bytes_of(hsetex("h", {.ex = 1s, .keep_ttl = true}, "a", 1)),
            "HSETEX: at most one of ex, expire_at and keep_ttl (or persist)");
}

TEST(Hashes, WhatTheyRead) {
  using pairs = std::vector<std::pair<std::string, int>>;
  const std::unordered_map<std::string, int> both{{"a", 1}, {"b", 2}};
  EXPECT_EQ(reads(hget<int>("h", "f"), "$1 1"), 1);
  EXPECT_EQ(reads(hmget<int>("h", "a", "b"), "*2 $1 1 _"), (std::vector<std::optional<int>>{1, std::nullopt}));
  EXPECT_EQ(reads(hgetall<int>("h"), "%2 $1 a $1 1 $1 b $1 2"), both);
  EXPECT_EQ(reads(hgetall<int>("h"), "*4 $1 a $1 1 $1 b $1 2"), both);
  EXPECT_TRUE(reads(hgetall("h"), "*0").empty());
  EXPECT_EQ(reads(hgetall("h").as<pairs>(), "%1 $1 a $1 1"), (pairs{{"a", 1}}));
  EXPECT_EQ(reads(hkeys("h"), "*1 $1 a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(reads(hvals<int>("h"), "*1 $1 1"), (std::vector{1}));
  EXPECT_EQ(reads(hset("h", "a", 1), ":1"), 1);
  EXPECT_FALSE(reads(hset_if_absent("h", "f", 1), ":0"));
  EXPECT_EQ(reads(hdel("h", "a"), ":1"), 1);
  EXPECT_TRUE(reads(hexists("h", "a"), ":1"));
  EXPECT_EQ(reads(hlen("h"), ":2"), 2);
  EXPECT_EQ(reads(hstrlen("h", "f"), ":3"), 3);
  EXPECT_EQ(reads(hincr_by("h", "f", 1), ":4"), 4);
  EXPECT_EQ(reads(hincr_by_float("h", "f", 1), "$3 1.5"), 1.5);
  EXPECT_EQ(reads(hrandfield("h"), "_"), std::nullopt);
  EXPECT_EQ(reads(hrandfield("h", 2), "*1 $1 a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(reads(hrandfield_with_values<int>("h", 1), "*1 *2 $1 a $1 1"), (pairs{{"a", 1}}));
  EXPECT_EQ(reads(hrandfield_with_values<int>("h", 1), "*2 $1 a $1 1"), (pairs{{"a", 1}}));
}

TEST(Hashes, WhatFieldLifetimesRead) {
  EXPECT_EQ(reads(hexpire("h", names("a", "b", "c"), 1s), "*3 :1 :-2 :0"),
            (std::vector{field_change::done, field_change::no_field, field_change::not_met}));
  EXPECT_EQ(reads(hexpire_at("h", "a", server_time{1ms}), "*1 :2"), (std::vector{field_change::deleted}));
  EXPECT_EQ(reads(hpersist("h", "a"), "*1 :-1"), (std::vector{field_change::no_ttl}));
  EXPECT_EQ(complains(hpersist("h", "a"), "*1 :3"),
            "HPERSIST: expected an integer from -2 to 2, the server answered an integer");
  const auto left = reads(httl("h", "a", "b", "c"), "*3 :-2 :-1 :1500");
  EXPECT_FALSE(left.at(0).exists());
  EXPECT_TRUE(left.at(1).endless());
  EXPECT_EQ(left.at(2).value(), 1500ms);
  EXPECT_EQ(reads(hexpire_time("h", "a"), "*1 :5").at(0).value(), server_time{5ms});
  EXPECT_EQ(reads(hgetex<int>("h", "a"), "*1 $1 1"), (std::vector<std::optional<int>>{1}));
  EXPECT_TRUE(reads(hsetex("h", {}, "a", 1), ":1"));
  EXPECT_EQ(reads(hgetdel<int>("h", "a"), "*1 _"), (std::vector<std::optional<int>>{std::nullopt}));
}

}  // namespace
}  // namespace seawall::cmd

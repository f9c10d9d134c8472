#include "seawall/cmd/strings.hpp"

#include "test_commands.hpp"

#include <map>

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;

TEST(Strings, WhatTheySend) {
  const std::map<std::string, int> numbers{{"a", 1}, {"b", 2}};
  const std::vector<std::string> keys{"x", "y"};
  EXPECT_EQ(bytes_of(get("k")), "GET k");
  EXPECT_EQ(bytes_of(set("k", "v")), "SET k v");
  EXPECT_EQ(bytes_of(set("k", 7, {.ex = 10min})), "SET k 7 EX 600");
  EXPECT_EQ(bytes_of(set("k", 2.5, {.ex = 1500ms})), "SET k 2.5 PX 1500");
  EXPECT_EQ(bytes_of(set("k", true, {.ex = 100us})), "SET k 1 PX 1");
  EXPECT_EQ(bytes_of(set("k", "v", {.expire_at = server_time{1234ms}})), "SET k v PXAT 1234");
  EXPECT_EQ(bytes_of(set("k", "v", {.keep_ttl = true, .when = set_when::present})), "SET k v XX KEEPTTL");
  EXPECT_EQ(bytes_of(set("k", "v", {.when = set_when::absent})), "SET k v NX");
  EXPECT_EQ(bytes_of(set("k", std::uint64_t{18446744073709551615U})), "SET k 18446744073709551615");
  EXPECT_EQ(bytes_of(set_if_equal("k", 2, 1, {.ex = 1s})), "SET k 2 IFEQ 1 EX 1");
  EXPECT_EQ(bytes_of(exchange("k", "v", {.ex = 1s})), "SET k v GET EX 1");
  EXPECT_EQ(bytes_of(getex("k")), "GETEX k");
  EXPECT_EQ(bytes_of(getex("k", {.ex = 10s})), "GETEX k EX 10");
  EXPECT_EQ(bytes_of(getex("k", {.persist = true})), "GETEX k PERSIST");
  EXPECT_EQ(bytes_of(getdel("k")), "GETDEL k");
  EXPECT_EQ(bytes_of(mget("a", keys, std::string{"b"})), "MGET a x y b");
  EXPECT_EQ(bytes_of(mset("a", 1, "b", "two")), "MSET a 1 b two");
  EXPECT_EQ(bytes_of(mset(numbers)), "MSET a 1 b 2");
  EXPECT_EQ(bytes_of(mset_if_absent("a", 1)), "MSETNX a 1");
  EXPECT_EQ(bytes_of(msetex({.ex = 2s, .when = set_when::absent}, "a", 1, "b", 2)), "MSETEX 2 a 1 b 2 NX EX 2");
  EXPECT_EQ(bytes_of(msetex({.keep_ttl = true}, numbers)), "MSETEX 2 a 1 b 2 KEEPTTL");
  EXPECT_EQ(bytes_of(incr("n")), "INCR n");
  EXPECT_EQ(bytes_of(decr("n")), "DECR n");
  EXPECT_EQ(bytes_of(incr_by("n", -3)), "INCRBY n -3");
  EXPECT_EQ(bytes_of(decr_by("n", 3)), "DECRBY n 3");
  EXPECT_EQ(bytes_of(incr_by_float("n", 0.1)), "INCRBYFLOAT n 0.1");
  EXPECT_EQ(bytes_of(append("k", "more")), "APPEND k more");
  EXPECT_EQ(bytes_of(strlen("k")), "STRLEN k");
  EXPECT_EQ(bytes_of(getrange("k", 0, -1)), "GETRANGE k 0 -1");
  EXPECT_EQ(bytes_of(setrange("k", 3, "x")), "SETRANGE k 3 x");
  EXPECT_EQ(bytes_of(lcs("a", "b")), "LCS a b");
  EXPECT_EQ(bytes_of(lcs_length("a", "b")), "LCS a b LEN");
  EXPECT_EQ(bytes_of(digest("k")), "DIGEST k");
  EXPECT_EQ(bytes_of(delifeq("k", 5)), "DELIFEQ k 5");
  EXPECT_EQ(bytes_of(delex_if_equal("k", 5)), "DELEX k IFEQ 5");
}

TEST(Strings, WhatTheyRefuse) {
  const std::vector<std::string> none;
  EXPECT_EQ(bytes_of(set("k", "v", {.ex = 0s})), "SET: the time to live must be positive");
  EXPECT_EQ(bytes_of(set("k", "v", {.ex = -1ms})), "SET: the time to live must be positive");
  EXPECT_EQ(bytes_of(set("k", "v", {.expire_at = server_time{0ms}})), "SET: the moment to expire must lie after 1970");
  EXPECT_EQ(bytes_of(set("k", "v", {.ex = 1s, .keep_ttl = true})),
            "SET: at most one of ex, expire_at and keep_ttl (or persist)");
  EXPECT_EQ(bytes_of(set_if_equal("k", 1, 2, {.when = set_when::absent})),
            "SET: a comparison and `when` exclude each other");
  EXPECT_EQ(bytes_of(getex("k", {.ex = 1s, .persist = true})),
            "GETEX: at most one of ex, expire_at and keep_ttl (or persist)");
  EXPECT_EQ(bytes_of(mget(none)), "MGET: no key was given");
  EXPECT_EQ(bytes_of(mset(std::map<std::string, int>{})), "MSET: no pair was given");
  EXPECT_EQ(bytes_of(setrange("k", -1, "x")), "SETRANGE: the offset must not be negative");
}

TEST(Strings, WhatTheyRead) {
  EXPECT_EQ(reads(get("k"), "$1 v"), "v");
  EXPECT_EQ(reads(get("k"), "$-1"), std::nullopt);
  EXPECT_EQ(reads(get("k"), "_"), std::nullopt);
  EXPECT_EQ(reads(get<int>("k"), "$2 42"), 42);
  EXPECT_EQ(reads(get<std::vector<std::byte>>("k"), "$1 a"), std::vector{std::byte{'a'}});
  EXPECT_TRUE(reads(set("k", "v"), "+OK"));
  EXPECT_FALSE(reads(set("k", "v"), "$-1"));
  EXPECT_FALSE(reads(set("k", "v"), "_"));
  EXPECT_TRUE(reads(set_if_equal("k", 1, 2), "+OK"));
  EXPECT_EQ(reads(exchange<int>("k", 2), "$1 1"), 1);
  EXPECT_EQ(reads(getex("k"), "$1 v"), "v");
  EXPECT_EQ(reads(getdel("k"), "_"), std::nullopt);
  EXPECT_EQ(reads(mget<int>("a", "b"), "*2 $1 1 $-1"), (std::vector<std::optional<int>>{1, std::nullopt}));
  EXPECT_EQ(reads(mset("a", 1), "+OK"), ok{});
  EXPECT_FALSE(reads(mset_if_absent("a", 1), ":0"));
  EXPECT_TRUE(reads(msetex({}, "a", 1), ":1"));
  EXPECT_EQ(reads(incr("n"), ":5"), 5);
  EXPECT_EQ(reads(decr("n"), ":-5"), -5);
  EXPECT_EQ(reads(incr_by("n", 2), ":7"), 7);
  EXPECT_EQ(reads(decr_by("n", 2), ":3"), 3);
  EXPECT_EQ(reads(incr_by_float("n", 1), "$3 1.5"), 1.5);
  EXPECT_EQ(reads(incr_by_float("n", 1), ",1.5"), 1.5);
  EXPECT_EQ(reads(append("k", "x"), ":1"), 1);
  EXPECT_EQ(reads(strlen("k"), ":0"), 0);
  EXPECT_EQ(reads(getrange("k", 0, 1), "$2 ab"), "ab");
  EXPECT_EQ(reads(setrange("k", 0, "x"), ":1"), 1);
  EXPECT_EQ(reads(lcs("a", "b"), "$1 x"), "x");
  EXPECT_EQ(reads(lcs_length("a", "b"), ":1"), 1);
  EXPECT_EQ(reads(digest("k"), "$2 ff"), "ff");
  EXPECT_TRUE(reads(delifeq("k", 5), ":1"));
  EXPECT_FALSE(reads(delex_if_equal("k", 5), ":0"));
}

TEST(Strings, AConditionMakesASecondRunDiffer) {
  EXPECT_EQ(set("k", "v").about().effect, effect::write_last);
  EXPECT_EQ(set("k", "v", {.ex = 1s}).about().effect, effect::write_last);
  EXPECT_EQ(set("k", "v", {.when = set_when::absent}).about().effect, effect::write_once);
  EXPECT_EQ(set_if_equal("k", "v", "w").about().effect, effect::write_once);
  EXPECT_EQ(exchange("k", "v").about().effect, effect::write_once);
  EXPECT_EQ(get("k").about().effect, effect::read);
  EXPECT_EQ(incr("k").about().effect, effect::write_once);
}

TEST(Strings, AReplyOfAnotherShapeNamesTheCommand) {
  EXPECT_EQ(complains(get("k"), "*1 :1"), "GET: expected a string, the server answered an array");
  EXPECT_EQ(complains(get<int>("k"), "$3 abc"), "GET: cannot read 3 bytes as int32_t: \"abc\"");
  EXPECT_EQ(complains(incr("k"), "+OK"), "INCR: cannot read 2 bytes as int64_t: \"OK\"");
  EXPECT_EQ(complains(get("k"), "-WRONGTYPE"), "WRONGTYPE");
}

}  // namespace
}  // namespace seawall::cmd

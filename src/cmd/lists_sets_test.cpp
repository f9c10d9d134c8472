#include "seawall/cmd/lists.hpp"
#include "seawall/cmd/run.hpp"
#include "seawall/cmd/sets.hpp"
#include "test_commands.hpp"

#include <set>

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;
constexpr auto left = list_end::left;
constexpr auto right = list_end::right;

TEST(Lists, WhatTheySend) {
  const std::vector<int> numbers{1, 2};
  EXPECT_EQ(bytes_of(lpush("l", "a", 1, numbers)), "LPUSH l a 1 1 2");
  EXPECT_EQ(bytes_of(rpush("l", 1.5)), "RPUSH l 1.5");
  EXPECT_EQ(bytes_of(lpush_if_present("l", "a")), "LPUSHX l a");
  EXPECT_EQ(bytes_of(rpush_if_present("l", "a")), "RPUSHX l a");
  EXPECT_EQ(bytes_of(lpop("l")), "LPOP l");
  EXPECT_EQ(bytes_of(rpop("l")), "RPOP l");
  EXPECT_EQ(bytes_of(lpop("l", 2)), "LPOP l 2");
  EXPECT_EQ(bytes_of(rpop("l", 2)), "RPOP l 2");
  EXPECT_EQ(bytes_of(llen("l")), "LLEN l");
  EXPECT_EQ(bytes_of(lrange("l", 0, -1)), "LRANGE l 0 -1");
  EXPECT_EQ(bytes_of(lindex("l", -1)), "LINDEX l -1");
  EXPECT_EQ(bytes_of(lset("l", 0, 5)), "LSET l 0 5");
  EXPECT_EQ(bytes_of(linsert_before("l", "p", "v")), "LINSERT l BEFORE p v");
  EXPECT_EQ(bytes_of(linsert_after("l", "p", "v")), "LINSERT l AFTER p v");
  EXPECT_EQ(bytes_of(lrem("l", 0, "v")), "LREM l 0 v");
  EXPECT_EQ(bytes_of(ltrim("l", 0, 9)), "LTRIM l 0 9");
  EXPECT_EQ(bytes_of(lpos("l", "v")), "LPOS l v");
  EXPECT_EQ(bytes_of(lpos("l", "v", {.rank = -1, .max_length = 9})), "LPOS l v RANK -1 MAXLEN 9");
  EXPECT_EQ(bytes_of(lpos_all("l", "v")), "LPOS l v COUNT 0");
  EXPECT_EQ(bytes_of(lmove("a", "b", left, right)), "LMOVE a b LEFT RIGHT");
  EXPECT_EQ(bytes_of(lmpop(names("a", "b"), right, 2)), "LMPOP 2 a b RIGHT COUNT 2");
  EXPECT_EQ(bytes_of(blpop("l", 1500ms)), "BLPOP l 1.5");
  EXPECT_EQ(bytes_of(blpop(names("a", "b"), forever)), "BLPOP a b 0");
  EXPECT_EQ(bytes_of(brpop("l", 2s)), "BRPOP l 2");
  EXPECT_EQ(bytes_of(blmove("a", "b", right, left, 1s)), "BLMOVE a b RIGHT LEFT 1");
  EXPECT_EQ(bytes_of(blmpop("l", left, 1s)), "BLMPOP 1 1 l LEFT COUNT 1");
}

TEST(Lists, WhatTheyRefuse) {
  EXPECT_EQ(bytes_of(lpush("l")), "LPUSH: no value was given");
  EXPECT_EQ(bytes_of(lpop("l", 0)), "LPOP: the count must be positive");
  EXPECT_EQ(bytes_of(lpos("l", "v", {.rank = 0})), "LPOS: the rank must not be 0");
  EXPECT_EQ(bytes_of(lmpop(names(), left)), "LMPOP: no key was given");
  EXPECT_EQ(bytes_of(blpop("l", 0s)), "BLPOP: the wait must be positive (seawall::forever: without end)");
  EXPECT_EQ(bytes_of(blpop("l", -1s)), "BLPOP: the wait must be positive (seawall::forever: without end)");
}

TEST(Lists, WhatTheyRead) {
  using popped = std::optional<std::pair<std::string, strings>>;
  EXPECT_EQ(reads(lpush("l", "a"), ":1"), 1);
  EXPECT_EQ(reads(rpush("l", "a"), ":1"), 1);
  EXPECT_EQ(reads(lpush_if_present("l", "a"), ":0"), 0);
  EXPECT_EQ(reads(rpush_if_present("l", "a"), ":0"), 0);
  EXPECT_EQ(reads(lpop<int>("l"), "$1 7"), 7);
  EXPECT_EQ(reads(rpop("l"), "$-1"), std::nullopt);
  EXPECT_EQ(reads(lpop("l", 2), "*2 $1 a $1 b"), (strings{"a", "b"}));
  EXPECT_EQ(reads(rpop("l", 2), "*-1"), strings{});
  EXPECT_EQ(reads(llen("l"), ":3"), 3);
  EXPECT_EQ(reads(lrange<int>("l", 0, 1), "*2 $1 1 $1 2"), (std::vector{1, 2}));
  EXPECT_EQ(reads(lindex("l", 5), "_"), std::nullopt);
  EXPECT_EQ(reads(lset("l", 0, 1), "+OK"), ok{});
  EXPECT_EQ(reads(linsert_before("l", "p", "v"), ":4"), 4);
  EXPECT_EQ(reads(linsert_before("l", "p", "v"), ":-1"), std::nullopt);
  EXPECT_EQ(reads(linsert_after("l", "p", "v"), ":0"), std::nullopt);
  EXPECT_EQ(reads(lrem("l", 1, "v"), ":1"), 1);
  EXPECT_EQ(reads(ltrim("l", 0, 1), "+OK"), ok{});
  EXPECT_EQ(reads(lpos("l", "v"), ":2"), 2);
  EXPECT_EQ(reads(lpos_all("l", "v"), "*2 :0 :2"), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(reads(lmove("a", "b", left, left), "$1 v"), "v");
  EXPECT_EQ(reads(lmpop("a", left), "*2 $1 a *1 $1 v"), (popped{{"a", {"v"}}}));
  EXPECT_EQ(reads(lmpop("a", left), "*-1"), std::nullopt);
  EXPECT_EQ(reads(blpop<int>("a", 1s), "*2 $1 a $1 7"), (std::optional{std::pair<std::string, int>{"a", 7}}));
  EXPECT_EQ(reads(brpop("a", 1s), "_"), std::nullopt);
  EXPECT_EQ(reads(blmove("a", "b", left, left, 1s), "$1 v"), "v");
  EXPECT_EQ(reads(blmpop("a", left, 1s), "*2 $1 a *1 $1 v"), (popped{{"a", {"v"}}}));
}

TEST(Lists, ABlockingCommandHasTimeToWait) {
  scripted_target redis;
  redis.replies = frame("*-1") + frame("*-1") + frame("*-1");
  (void)run(redis, blpop("l", 5s));
  (void)run(redis, blpop("l", 5s).with_timeout(2s));
  (void)run(redis, blpop("l", forever));
  EXPECT_EQ(redis.timeouts, (std::vector<duration>{6s, 7s, forever}));
  EXPECT_TRUE(redis.asked.at(0).blocking);
}

TEST(Sets, WhatTheySend) {
  const strings some{"x", "y"};
  EXPECT_EQ(bytes_of(sadd("s", "a", 1, some)), "SADD s a 1 x y");
  EXPECT_EQ(bytes_of(srem("s", "a")), "SREM s a");
  EXPECT_EQ(bytes_of(scard("s")), "SCARD s");
  EXPECT_EQ(bytes_of(sismember("s", 1)), "SISMEMBER s 1");
  EXPECT_EQ(bytes_of(smismember("s", "a", "b")), "SMISMEMBER s a b");
  EXPECT_EQ(bytes_of(smembers("s")), "SMEMBERS s");
  EXPECT_EQ(bytes_of(spop("s")), "SPOP s");
  EXPECT_EQ(bytes_of(spop("s", 2)), "SPOP s 2");
  EXPECT_EQ(bytes_of(spop("s", -2)), "SPOP: the count must not be negative");
  EXPECT_EQ(bytes_of(srandmember("s")), "SRANDMEMBER s");
  EXPECT_EQ(bytes_of(srandmember("s", -2)), "SRANDMEMBER s -2");
  EXPECT_EQ(bytes_of(smove("a", "b", "m")), "SMOVE a b m");
  EXPECT_EQ(bytes_of(sinter("a", "b")), "SINTER a b");
  EXPECT_EQ(bytes_of(sunion(some)), "SUNION x y");
  EXPECT_EQ(bytes_of(sdiff("a", some)), "SDIFF a x y");
  EXPECT_EQ(bytes_of(sinter_store("t", "a", "b")), "SINTERSTORE t a b");
  EXPECT_EQ(bytes_of(sunion_store("t", "a")), "SUNIONSTORE t a");
  EXPECT_EQ(bytes_of(sdiff_store("t", "a")), "SDIFFSTORE t a");
  EXPECT_EQ(bytes_of(sintercard(names("a", "b"), 9)), "SINTERCARD 2 a b LIMIT 9");
  EXPECT_EQ(bytes_of(sintercard("a")), "SINTERCARD 1 a");
}

TEST(Sets, WhatTheyRead) {
  const strings both{"a", "b"};
  EXPECT_EQ(reads(sadd("s", "a"), ":1"), 1);
  EXPECT_EQ(reads(srem("s", "a"), ":0"), 0);
  EXPECT_EQ(reads(scard("s"), ":2"), 2);
  EXPECT_TRUE(reads(sismember("s", "a"), ":1"));
  EXPECT_EQ(reads(smismember("s", "a", "b"), "*2 :1 :0"), (std::vector<bool>{true, false}));
  EXPECT_EQ(reads(smembers("s"), "~2 $1 a $1 b"), both);
  EXPECT_EQ(reads(smembers("s"), "*2 $1 a $1 b"), both);
  EXPECT_EQ(reads(smembers("s").as<std::set<std::string>>(), "~2 $1 b $1 a"), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(reads(spop<int>("s"), "$1 1"), 1);
  EXPECT_EQ(reads(spop("s", 2), "~2 $1 a $1 b"), both);
  EXPECT_EQ(reads(srandmember("s"), "_"), std::nullopt);
  EXPECT_EQ(reads(srandmember("s", 2), "*2 $1 a $1 b"), both);
  EXPECT_TRUE(reads(smove("a", "b", "m"), ":1"));
  EXPECT_EQ(reads(sinter("a"), "~2 $1 a $1 b"), both);
  EXPECT_EQ(reads(sunion("a"), "*2 $1 a $1 b"), both);
  EXPECT_EQ(reads(sdiff("a"), "~0"), strings{});
  EXPECT_EQ(reads(sinter_store("t", "a"), ":1"), 1);
  EXPECT_EQ(reads(sunion_store("t", "a"), ":1"), 1);
  EXPECT_EQ(reads(sdiff_store("t", "a"), ":1"), 1);
  EXPECT_EQ(reads(sintercard("a"), ":1"), 1);
}

}  // namespace
}  // namespace seawall::cmd

#include "seawall/cmd/sorted_sets.hpp"

#include "test_commands.hpp"

#include <map>

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;
using hits = std::vector<scored<std::string>>;

TEST(SortedSets, WhatTheySend) {
  const std::map<std::string, int> points{{"a", 1}, {"b", 2}};
  EXPECT_EQ(bytes_of(zadd("z", "ann", 1.5)), "ZADD z 1.5 ann");
  EXPECT_EQ(bytes_of(zadd("z", points)), "ZADD z 1 a 2 b");
  EXPECT_EQ(bytes_of(zadd("z", hits{{"a", 0.5}}, {.when = zadd_when::greater, .count_changed = true})),
            "ZADD z GT CH 0.5 a");
  EXPECT_EQ(bytes_of(zadd("z", "a", 1, {.when = zadd_when::absent})), "ZADD z NX 1 a");
  EXPECT_EQ(bytes_of(zadd("z", "a", 1, {.when = zadd_when::present})), "ZADD z XX 1 a");
  EXPECT_EQ(bytes_of(zadd("z", "a", highest_score, {.when = zadd_when::less})), "ZADD z LT inf a");
  EXPECT_EQ(bytes_of(zincr_by("z", 2, "a")), "ZINCRBY z 2 a");
  EXPECT_EQ(bytes_of(zadd_incr("z", 2, "a", zadd_when::present)), "ZADD z XX INCR 2 a");
  EXPECT_EQ(bytes_of(zrem("z", "a", "b")), "ZREM z a b");
  EXPECT_EQ(bytes_of(zrem_range("z", by_rank(0, 1))), "ZREMRANGEBYRANK z 0 1");
  EXPECT_EQ(bytes_of(zrem_range("z", by_score(lowest_score, exclusive(5)))), "ZREMRANGEBYSCORE z -inf (5");
  EXPECT_EQ(bytes_of(zrem_range("z", by_text(first_text, inclusive("b")))), "ZREMRANGEBYLEX z - [b");
  EXPECT_EQ(bytes_of(zcard("z")), "ZCARD z");
  EXPECT_EQ(bytes_of(zcount("z", by_score(1, 2))), "ZCOUNT z 1 2");
  EXPECT_EQ(bytes_of(zcount("z", by_text(exclusive("a"), last_text))), "ZLEXCOUNT z (a +");
  EXPECT_EQ(bytes_of(zscore("z", "a")), "ZSCORE z a");
  EXPECT_EQ(bytes_of(zmscore("z", "a", "b")), "ZMSCORE z a b");
  EXPECT_EQ(bytes_of(zrank("z", "a")), "ZRANK z a");
  EXPECT_EQ(bytes_of(zrevrank("z", "a")), "ZREVRANK z a");
}

TEST(SortedSets, WhatRangesSend) {
  EXPECT_EQ(bytes_of(zrange("z", by_rank(0, -1))), "ZRANGE z 0 -1");
  EXPECT_EQ(bytes_of(zrange("z", by_rank(0, 9), {.reverse = true})), "ZRANGE z 0 9 REV");
  EXPECT_EQ(bytes_of(zrange("z", by_score(1, exclusive(2)), {.offset = 5, .count = 10})),
            "ZRANGE z 1 (2 BYSCORE LIMIT 5 10");
  EXPECT_EQ(bytes_of(zrange("z", by_score(1, exclusive(2)), {.reverse = true})), "ZRANGE z (2 1 BYSCORE REV");
  EXPECT_EQ(bytes_of(zrange("z", by_text(inclusive("a"), last_text), {.offset = 1})), "ZRANGE z [a + BYLEX LIMIT 1 -1");
  EXPECT_EQ(bytes_of(zrange_with_scores("z", by_rank(0, 1))), "ZRANGE z 0 1 WITHSCORES");
  EXPECT_EQ(bytes_of(zrange_store("t", "z", by_rank(0, 1))), "ZRANGESTORE t z 0 1");
  EXPECT_EQ(bytes_of(zrandmember("z")), "ZRANDMEMBER z 1");
  EXPECT_EQ(bytes_of(zrandmember_with_scores("z", 2)), "ZRANDMEMBER z 2 WITHSCORES");
  EXPECT_EQ(bytes_of(zpopmin("z")), "ZPOPMIN z");
  EXPECT_EQ(bytes_of(zpopmax("z")), "ZPOPMAX z");
  EXPECT_EQ(bytes_of(zpopmin("z", 2)), "ZPOPMIN z 2");
  EXPECT_EQ(bytes_of(zpopmax("z", 2)), "ZPOPMAX z 2");
  EXPECT_EQ(bytes_of(zmpop(names("a", "b"), zset_end::min, 3)), "ZMPOP 2 a b MIN COUNT 3");
  EXPECT_EQ(bytes_of(bzpopmin("z", 1s)), "BZPOPMIN z 1");
  EXPECT_EQ(bytes_of(bzpopmax(names("a", "b"), forever)), "BZPOPMAX a b 0");
  EXPECT_EQ(bytes_of(bzmpop("z", zset_end::max, 1s)), "BZMPOP 1 1 z MAX COUNT 1");
  EXPECT_EQ(bytes_of(zunion(names("a", "b"))), "ZUNION 2 a b WITHSCORES");
  const double weights[] = {1, 0.5};
  EXPECT_EQ(bytes_of(zinter(names("a", "b"), {.weights = weights, .aggregate = zset_aggregate::max})),
            "ZINTER 2 a b WEIGHTS 1 0.5 AGGREGATE MAX WITHSCORES");
  EXPECT_EQ(bytes_of(zdiff(names("a", "b"))), "ZDIFF 2 a b WITHSCORES");
  EXPECT_EQ(bytes_of(zunion_store("t", "a", {.aggregate = zset_aggregate::min})), "ZUNIONSTORE t 1 a AGGREGATE MIN");
  EXPECT_EQ(bytes_of(zinter_store("t", names("a", "b"))), "ZINTERSTORE t 2 a b");
  EXPECT_EQ(bytes_of(zdiff_store("t", names("a", "b"))), "ZDIFFSTORE t 2 a b");
  EXPECT_EQ(bytes_of(zintercard(names("a", "b"), 5)), "ZINTERCARD 2 a b LIMIT 5");
}

TEST(SortedSets, WhatTheyRefuse) {
  const double weights[] = {1};
  EXPECT_EQ(bytes_of(zadd("z", hits{})), "ZADD: no member was given");
  EXPECT_EQ(bytes_of(zadd("z", "a", std::numeric_limits<double>::quiet_NaN())),
            "ZADD: a number is not a number (nan)");
  EXPECT_EQ(bytes_of(zrange("z", by_rank(0, 1), {.count = 1})),
            "ZRANGE: offset and count need a range by score or text");
  EXPECT_EQ(bytes_of(zrange("z", by_score(0, 1), {.offset = -1})), "ZRANGE: offset and count must not be negative");
  EXPECT_EQ(bytes_of(zcount("z", by_rank(0, 1))), "ZCOUNT: a count needs a range by score or text");
  EXPECT_EQ(bytes_of(zmpop("z", zset_end::min, 0)), "ZMPOP: the count must be positive");
  EXPECT_EQ(bytes_of(zunion(names("a", "b"), {.weights = weights})), "ZUNION: there must be a weight for each key");
}

TEST(SortedSets, WhatTheyRead) {
  EXPECT_EQ(reads(zadd("z", "a", 1), ":1"), 1);
  EXPECT_EQ(reads(zincr_by("z", 1, "a"), ",2.5"), 2.5);
  EXPECT_EQ(reads(zincr_by("z", 1, "a"), "$3 2.5"), 2.5);
  EXPECT_EQ(reads(zadd_incr("z", 1, "a", zadd_when::absent), "_"), std::nullopt);
  EXPECT_EQ(reads(zrem("z", "a"), ":1"), 1);
  EXPECT_EQ(reads(zrem_range("z", by_rank(0, 0)), ":1"), 1);
  EXPECT_EQ(reads(zcard("z"), ":1"), 1);
  EXPECT_EQ(reads(zcount("z", by_score(0, 1)), ":1"), 1);
  EXPECT_EQ(reads(zscore("z", "a"), "$3 inf"), highest_score);
  EXPECT_EQ(reads(zscore("z", "a"), ",-inf"), lowest_score);
  EXPECT_EQ(reads(zmscore("z", "a", "b"), "*2 ,1 _"), (std::vector<std::optional<double>>{1, std::nullopt}));
  EXPECT_EQ(reads(zrank("z", "a"), ":0"), 0);
  EXPECT_EQ(reads(zrevrank("z", "a"), "$-1"), std::nullopt);
  EXPECT_EQ(reads(zrange("z", by_rank(0, 1)), "*2 $1 a $1 b"), (strings{"a", "b"}));
  for (const char* shape : {"*2 *2 $1 a ,1 *2 $1 b ,2.5", "*4 $1 a $1 1 $1 b $3 2.5"}) {
    const hits both{{"a", 1}, {"b", 2.5}};
    EXPECT_EQ(reads(zrange_with_scores("z", by_rank(0, 1)), shape), both);
    EXPECT_EQ(reads(zrandmember_with_scores("z", 2), shape), both);
    EXPECT_EQ(reads(zpopmin("z", 2), shape), both);
    EXPECT_EQ(reads(zpopmax("z", 2), shape), both);
    EXPECT_EQ(reads(zunion("z"), shape), both);
    EXPECT_EQ(reads(zinter("z"), shape), both);
    EXPECT_EQ(reads(zdiff("z"), shape), both);
  }
  EXPECT_EQ(reads(zrange_store("t", "z", by_rank(0, 1)), ":2"), 2);
  EXPECT_EQ(reads(zrandmember("z"), "*1 $1 a"), (strings{"a"}));
  EXPECT_EQ(reads(zunion_store("t", "a"), ":2"), 2);
  EXPECT_EQ(reads(zinter_store("t", "a"), ":2"), 2);
  EXPECT_EQ(reads(zdiff_store("t", "a"), ":2"), 2);
  EXPECT_EQ(reads(zintercard("a"), ":2"), 2);
}

TEST(SortedSets, WhatPopsRead) {
  using popped = std::optional<std::pair<std::string, hits>>;
  using taken = std::optional<std::tuple<std::string, std::string, double>>;
  const std::optional<scored<std::string>> one{{"a", 1}};
  EXPECT_EQ(reads(zpopmin("z"), "*2 $1 a ,1"), one);
  EXPECT_EQ(reads(zpopmax("z"), "*2 $1 a $1 1"), one);
  EXPECT_EQ(reads(zpopmax("z"), "*0"), std::nullopt);
  EXPECT_EQ(reads(zmpop("z", zset_end::min), "*2 $1 z *1 *2 $1 a $1 1"), (popped{{"z", {{"a", 1}}}}));
  EXPECT_EQ(reads(zmpop("z", zset_end::min), "_"), std::nullopt);
  EXPECT_EQ(reads(bzmpop("z", zset_end::min, 1s), "*2 $1 z *1 *2 $1 a ,1"), (popped{{"z", {{"a", 1}}}}));
  EXPECT_EQ(reads(bzpopmin("z", 1s), "*3 $1 z $1 a ,1"), (taken{{"z", "a", 1}}));
  EXPECT_EQ(reads(bzpopmax("z", 1s), "*-1"), std::nullopt);
}

}  // namespace
}  // namespace seawall::cmd

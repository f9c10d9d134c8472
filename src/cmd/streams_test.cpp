#include "seawall/cmd/streams.hpp"

#include "test_commands.hpp"

#include <map>

namespace seawall::cmd {
namespace {

using namespace std::chrono_literals;
using entries = std::vector<stream_entry<std::string>>;

constexpr stream_position two[] = {{"a", "0"}, {"b", "$"}};

TEST(Streams, WhatTheySend) {
  const std::map<std::string, int> fields{{"x", 1}, {"y", 2}};
  EXPECT_EQ(bytes_of(xadd("s", {}, "f", 1, "g", "two")), "XADD s * f 1 g two");
  EXPECT_EQ(bytes_of(xadd("s", {.id = "5-0", .trim = {.max_length = 100}}, fields)),
            "XADD s MAXLEN ~ 100 5-0 x 1 y 2");
  EXPECT_EQ(bytes_of(xadd_if_present("s", {}, "f", 1)), "XADD s NOMKSTREAM * f 1");
  EXPECT_EQ(bytes_of(xlen("s")), "XLEN s");
  EXPECT_EQ(bytes_of(xdel("s", "1-0", "2-0")), "XDEL s 1-0 2-0");
  EXPECT_EQ(bytes_of(xtrim("s", {.min_id = "9-0", .exact = true})), "XTRIM s MINID = 9-0");
  EXPECT_EQ(bytes_of(xtrim("s", {.max_length = 9, .limit = 5})), "XTRIM s MAXLEN ~ 9 LIMIT 5");
  EXPECT_EQ(bytes_of(xrange("s")), "XRANGE s - +");
  EXPECT_EQ(bytes_of(xrange("s", "(1-0", "2-0", 3)), "XRANGE s (1-0 2-0 COUNT 3");
  EXPECT_EQ(bytes_of(xrevrange("s", "1-0", "2-0", 3)), "XREVRANGE s 2-0 1-0 COUNT 3");
  EXPECT_EQ(bytes_of(xread("s", "0")), "XREAD STREAMS s 0");
  EXPECT_EQ(bytes_of(xread("s", "$", {.count = 5, .block = 2s})), "XREAD COUNT 5 BLOCK 2000 STREAMS s $");
  EXPECT_EQ(bytes_of(xread(two, {.block = forever})), "XREAD BLOCK 0 STREAMS a b 0 $");
  EXPECT_EQ(bytes_of(xreadgroup("g", "c", "s")), "XREADGROUP GROUP g c STREAMS s >");
  EXPECT_EQ(bytes_of(xreadgroup("g", "c", two, {.count = 1, .no_ack = true})),
            "XREADGROUP GROUP g c COUNT 1 NOACK STREAMS a b 0 $");
  EXPECT_EQ(bytes_of(xgroup_create("s", "g")), "XGROUP CREATE s g $");
  EXPECT_EQ(bytes_of(xgroup_create("s", "g", {.after = "0", .make_stream = true})), "XGROUP CREATE s g 0 MKSTREAM");
  EXPECT_EQ(bytes_of(xgroup_set_id("s", "g", "0")), "XGROUP SETID s g 0");
  EXPECT_EQ(bytes_of(xgroup_destroy("s", "g")), "XGROUP DESTROY s g");
  EXPECT_EQ(bytes_of(xgroup_create_consumer("s", "g", "c")), "XGROUP CREATECONSUMER s g c");
  EXPECT_EQ(bytes_of(xgroup_delete_consumer("s", "g", "c")), "XGROUP DELCONSUMER s g c");
  EXPECT_EQ(bytes_of(xack("s", "g", "1-0", "2-0")), "XACK s g 1-0 2-0");
  EXPECT_EQ(bytes_of(xclaim("s", "g", "c", 1s, names("1-0", "2-0"))), "XCLAIM s g c 1000 1-0 2-0");
  EXPECT_EQ(bytes_of(xautoclaim("s", "g", "c", 0s, "5-0", 10)), "XAUTOCLAIM s g c 0 5-0 COUNT 10");
  EXPECT_EQ(bytes_of(xpending("s", "g")), "XPENDING s g");
  EXPECT_EQ(bytes_of(xpending_entries("s", "g", {.count = 5, .consumer = "c", .min_idle = 1s})),
            "XPENDING s g IDLE 1000 - + 5 c");
  EXPECT_EQ(bytes_of(xinfo_stream("s")), "XINFO STREAM s");
  EXPECT_EQ(bytes_of(xinfo_groups("s")), "XINFO GROUPS s");
  EXPECT_EQ(bytes_of(xinfo_consumers("s", "g")), "XINFO CONSUMERS s g");
}

TEST(Streams, WhatTheyRefuse) {
  EXPECT_EQ(bytes_of(xtrim("s", {})), "XTRIM: max_length or min_id is needed");
  EXPECT_EQ(bytes_of(xtrim("s", {.max_length = 1, .min_id = "1"})), "XTRIM: max_length and min_id exclude each other");
  EXPECT_EQ(bytes_of(xtrim("s", {.max_length = 1, .exact = true, .limit = 1})),
            "XTRIM: limit and exact exclude each other");
  EXPECT_EQ(bytes_of(xread("s", "0", {.count = 0})), "XREAD: the count must be positive");
  EXPECT_EQ(bytes_of(xread("s", "0", {.no_ack = true})), "XREAD: no_ack needs a group");
  EXPECT_EQ(bytes_of(xread(std::span<const stream_position>{})), "XREAD: no stream was given");
  EXPECT_EQ(bytes_of(xclaim("s", "g", "c", -1s, "1-0")), "XCLAIM: min_idle must not be negative");
  EXPECT_EQ(bytes_of(xpending_entries("s", "g", {.count = 0})), "XPENDING: the count must be positive");
}

TEST(Streams, ReadsKnowTheirKeysAndWaits) {
  const auto plain = xread(two);
  EXPECT_EQ(plain.about().first_key, 2);
  EXPECT_EQ(plain.about().last_key, 3);
  EXPECT_FALSE(plain.about().blocking);
  const auto waiting = xreadgroup("g", "c", "s", ">", {.block = 5s});
  EXPECT_EQ(waiting.about().first_key, 7);
  EXPECT_EQ(waiting.about().last_key, 7);
  EXPECT_TRUE(waiting.about().blocking);
  EXPECT_EQ(waiting.server_wait(), 5s);
}

TEST(Streams, WhatTheyRead) {
  const entries one{{"1-0", {{"f", "v"}}}};
  const stream_batch<std::string> batch{{"s", one}};
  EXPECT_EQ(reads(xadd("s", {}, "f", 1), "$3 1-0"), "1-0");
  EXPECT_EQ(reads(xadd_if_present("s", {}, "f", 1), "_"), std::nullopt);
  EXPECT_EQ(reads(xlen("s"), ":3"), 3);
  EXPECT_EQ(reads(xdel("s", "1"), ":1"), 1);
  EXPECT_EQ(reads(xtrim("s", {.max_length = 1}), ":2"), 2);
  EXPECT_EQ(reads(xrange("s"), "*1 *2 $3 1-0 *2 $1 f $1 v"), one);
  EXPECT_EQ(reads(xrevrange("s"), "*1 *2 $3 1-0 *2 $1 f $1 v"), one);
  EXPECT_EQ(reads(xread("s", "0"), "%1 $1 s *1 *2 $3 1-0 *2 $1 f $1 v"), one);
  EXPECT_EQ(reads(xread("s", "0"), "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 v"), one);
  EXPECT_EQ(reads(xread("s", "0"), "*-1"), entries{});
  EXPECT_EQ(reads(xread(two), "%1 $1 s *1 *2 $3 1-0 *2 $1 f $1 v"), batch);
  EXPECT_EQ(reads(xread(two), "*1 *2 $1 s *1 *2 $3 1-0 *2 $1 f $1 v"), batch);
  EXPECT_EQ(reads(xreadgroup("g", "c", "s"), "_"), entries{});
  EXPECT_EQ(reads(xreadgroup("g", "c", two), "%1 $1 s *1 *2 $3 1-0 *-1"),
            (stream_batch<std::string>{{"s", {{"1-0", {}}}}}));
  EXPECT_EQ(reads(xclaim("s", "g", "c", 0s, "1-0"), "*1 *2 $3 1-0 *2 $1 f $1 v"), one);
  EXPECT_EQ(reads(xautoclaim("s", "g", "c", 0s), "*3 $3 0-0 *1 *2 $3 1-0 *2 $1 f $1 v *1 $3 2-0"),
            (claimed<std::string>{"0-0", one, {"2-0"}}));
  EXPECT_EQ(reads(xautoclaim("s", "g", "c", 0s), "*2 $3 0-0 *1 *-1"), (claimed<std::string>{"0-0", entries(1), {}}));
  const auto typed = reads(xrange<int>("s"), "*1 *2 $3 1-0 *2 $1 f $1 7");
  EXPECT_EQ(*typed.at(0).find("f"), 7);
  EXPECT_EQ(typed.at(0).find("g"), nullptr);
}

TEST(Streams, WhatGroupsRead) {
  EXPECT_EQ(reads(xgroup_create("s", "g"), "+OK"), ok{});
  EXPECT_EQ(reads(xgroup_set_id("s", "g", "0"), "+OK"), ok{});
  EXPECT_TRUE(reads(xgroup_destroy("s", "g"), ":1"));
  EXPECT_FALSE(reads(xgroup_create_consumer("s", "g", "c"), ":0"));
  EXPECT_EQ(reads(xgroup_delete_consumer("s", "g", "c"), ":2"), 2);
  EXPECT_EQ(reads(xack("s", "g", "1"), ":1"), 1);
  EXPECT_EQ(reads(xpending("s", "g"), "*4 :2 $3 1-0 $3 2-0 *1 *2 $1 c $1 2"),
            (pending_summary{2, "1-0", "2-0", {{"c", 2}}}));
  EXPECT_EQ(reads(xpending("s", "g"), "*4 :0 $-1 $-1 *-1"), (pending_summary{}));
  EXPECT_EQ(reads(xpending_entries("s", "g"), "*1 *4 $3 1-0 $1 c :1500 :2"),
            (std::vector<pending_entry>{{"1-0", "c", 1500ms, 2}}));
}

TEST(Streams, WhatInfosRead) {
  EXPECT_EQ(reads(xinfo_stream("s"), "%6 $6 length :1 $6 groups :0 $17 last-generated-id $3 1-0 "
                                     "$13 entries-added :4 $11 first-entry *2 $3 1-0 *2 $1 f $1 v $10 last-entry _"),
            (stream_info{1, 0, "1-0", 4, stream_entry<std::string>{"1-0", {{"f", "v"}}}, std::nullopt}));
  EXPECT_EQ(reads(xinfo_groups("s"), "*1 *8 $4 name $1 g $9 consumers :1 $7 pending :2 $17 last-delivered-id $3 1-0"),
            (std::vector<group_info>{{"g", 1, 2, "1-0", std::nullopt, std::nullopt}}));
  EXPECT_EQ(reads(xinfo_consumers("s", "g"), "*1 %3 $4 name $1 c $7 pending :2 $4 idle :5"),
            (std::vector<consumer_info>{{"c", 2, 5ms}}));
  EXPECT_EQ(complains(xinfo_consumers("s", "g"), "*1 %1 $4 name $1 c"),
            "XINFO: field pending: expected an integer, the server answered null");
}

}  // namespace
}  // namespace seawall::cmd

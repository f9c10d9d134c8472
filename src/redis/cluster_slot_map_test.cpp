#include "cluster_slot_map.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const net::address asked{"10.0.0.9", 7000};

// A node in a reply: host, port, and the metadata of Redis 7.
struct listed {
  std::optional<std::string> host;
  std::int64_t port;
  std::string ip = {};
};
struct range {
  std::int64_t first;
  std::int64_t last;
  std::vector<listed> nodes;
};

std::string reply_of(const std::vector<range>& ranges) {
  std::string out;
  resp::reply_writer to{out};
  to.array(ranges.size());
  for (const range& r : ranges) {
    to.array(2 + r.nodes.size());
    to.integer(r.first);
    to.integer(r.last);
    for (const listed& n : r.nodes) {
      to.array(4);
      if (n.host) to.bulk_string(*n.host);
      else to.null();
      to.integer(n.port);
      to.bulk_string("0123456789012345678901234567890123456789");
      to.map(n.ip.empty() ? 0 : 1);
      if (!n.ip.empty()) {
        to.bulk_string("ip");
        to.bulk_string(n.ip);
      }
    }
  }
  return out;
}

result<slot_map> read(const std::string& reply) { return slot_map::read(resp::view{std::string_view{reply}}, asked); }
result<slot_map> read(const std::vector<range>& ranges) { return read(reply_of(ranges)); }

std::string owner(const slot_map& map, slot_number slot) {
  const auto* found = map.owner(slot);
  return found ? found->text() : "nobody";
}

TEST(cluster_slot_map, knows_primaries_and_replicas_of_each_range) {
  const auto map = read({{0, 5460, {{"10.0.0.1", 7000}, {"10.0.0.4", 7003}}},
                         {5461, 10922, {{"10.0.0.2", 7001}}},
                         {10923, 16383, {{"10.0.0.3", 7002}, {"10.0.0.5", 7004}, {"10.0.0.6", 7005}}}});
  ASSERT_TRUE(map) << map.error().message();
  EXPECT_EQ(map->covered(), 16384U);
  EXPECT_EQ(owner(*map, 0), "10.0.0.1:7000");
  EXPECT_EQ(owner(*map, 5460), "10.0.0.1:7000");
  EXPECT_EQ(owner(*map, 5461), "10.0.0.2:7001");
  EXPECT_EQ(owner(*map, 16383), "10.0.0.3:7002");
  EXPECT_EQ(map->shards()[0].replicas, (std::vector<net::address>{{"10.0.0.4", 7003}}));
  EXPECT_EQ(map->shards()[2].replicas.size(), 2U);
}

TEST(cluster_slot_map, a_node_without_host_is_the_one_that_answered) {
  struct row {
    listed node;
    std::string address;
  };
  for (const row& r : std::initializer_list<row>{
           {{std::nullopt, 7000}, "10.0.0.9:7000"},
           {{"", 7001}, "10.0.0.9:7001"},
           {{"?", 7002}, "10.0.0.9:7002"},
           {{"?", 7002, "10.0.0.3"}, "10.0.0.3:7002"},
           {{"cache-1.test", 7000, "10.0.0.3"}, "cache-1.test:7000"},
           {{"fe80::1", 7000}, "[fe80::1]:7000"},
       }) {
    const auto map = read({{5, 5, {r.node}}});
    ASSERT_TRUE(map) << map.error().message();
    EXPECT_EQ(owner(*map, 5), r.address);
    EXPECT_EQ(map->covered(), 1U);
    EXPECT_EQ(owner(*map, 6), "nobody");
  }
}

TEST(cluster_slot_map, ranges_of_one_primary_are_one_shard_and_the_first_of_two_answers_counts) {
  const auto map = read({{0, 9, {{"a", 1}, {"r", 1}}},
                         {20, 29, {{"a", 1}, {"r", 1}, {"s", 1}}},
                         {0, 9, {{"a", 1}, {"r", 1}}},
                         {5, 14, {{"b", 1}}}});
  ASSERT_TRUE(map) << map.error().message();
  ASSERT_EQ(map->shards().size(), 2U);
  EXPECT_EQ(map->shards()[0].replicas, (std::vector<net::address>{{"r", 1}, {"s", 1}}));
  EXPECT_EQ(owner(*map, 9), "a:1");
  EXPECT_EQ(owner(*map, 10), "b:1");
  EXPECT_EQ(map->covered(), 25U);
}

TEST(cluster_slot_map, nonsense_is_an_error_that_quotes_it) {
  struct row {
    std::string reply;
    std::string what;
  };
  for (const row& r : std::initializer_list<row>{
           {"+OK\r\n", "no array"},
           {"*1\r\n:1\r\n", "a range without a node"},
           {"*1\r\n*2\r\n:0\r\n:1\r\n", "a range without a node"},
           {reply_of({{10, 9, {{"a", 1}}}}), "a range that cannot be"},
           {reply_of({{0, 16384, {{"a", 1}}}}), "a range that cannot be"},
           {reply_of({{-1, 5, {{"a", 1}}}}), "a range that cannot be"},
           {"*1\r\n*3\r\n+x\r\n:1\r\n*2\r\n+a\r\n:1\r\n", "a range that cannot be"},
           {reply_of({{0, 5, {{"a", 0}}}}), "port"},
           {reply_of({{0, 5, {{"a", 65536}}}}), "port"},
           {reply_of({{0, 5, {{"a", 1}, {"b", -1}}}}), "port"},
           {"*1\r\n*3\r\n:0\r\n:1\r\n+a\r\n", "without host and port"},
       }) {
    const auto map = read(r.reply);
    ASSERT_FALSE(map) << r.reply;
    EXPECT_EQ(map.error().code(), cmd::errc::unexpected_reply);
    EXPECT_THAT(map.error().message(), HasSubstr(r.what));
  }
}

TEST(cluster_slot_map, an_empty_cluster_serves_nothing) {
  const auto map = read("*0\r\n");
  ASSERT_TRUE(map);
  EXPECT_EQ(map->covered(), 0U);
  EXPECT_TRUE(map->shards().empty());
}

TEST(cluster_slot_map, a_redirection_moves_one_slot) {
  auto map = *read({{0, 9, {{"a", 1}}}, {10, 19, {{"b", 1}}}});
  EXPECT_EQ(map.move(5, {"a", 1}), std::nullopt);
  EXPECT_EQ(map.move(5, {"b", 1}), 0);
  EXPECT_EQ(owner(map, 5), "b:1");
  EXPECT_EQ(owner(map, 4), "a:1");
  EXPECT_EQ(map.move(6, {"c", 1}), 0);
  EXPECT_EQ(owner(map, 6), "c:1");
  EXPECT_EQ(map.move(30, {"c", 1}), std::nullopt);
  EXPECT_EQ(owner(map, 30), "c:1");
}

TEST(cluster_slot_map, tells_which_slots_their_owners_have_lost) {
  const auto before = *read({{0, 3, {{"a", 1}}}, {4, 7, {{"b", 1}}}});
  const auto later = *read({{0, 1, {{"a", 1}}}, {2, 5, {{"b", 1}}}, {8, 9, {{"a", 1}}}});
  std::vector<slot_number> lost;
  before.for_each_lost(later, [&](slot_number slot) { lost.push_back(slot); });
  EXPECT_THAT(lost, ElementsAre(2, 3, 6, 7));
}

TEST(cluster_slot_map, reads_redirections) {
  struct row {
    std::string_view text;
    slot_number slot;
    std::string to;
  };
  for (const row& r : std::initializer_list<row>{
           {"MOVED 3999 127.0.0.1:6381", 3999, "127.0.0.1:6381"},
           {"ASK 0 cache.test:1", 0, "cache.test:1"},
           {"MOVED 1 :7000", 1, "10.0.0.9:7000"},
           {"MOVED 1 ?:7000", 1, "10.0.0.9:7000"},
           {"MOVED 1 ::1:7000", 1, "[::1]:7000"},
           {"MOVED 1 [::1]:7000", 1, "[::1]:7000"},
           {"MOVED 1 a:2 more", 1, "a:2"},
       }) {
    const auto found = read_redirection(r.text, asked);
    ASSERT_TRUE(found) << r.text;
    EXPECT_EQ(found->slot, r.slot);
    EXPECT_EQ(found->to.text(), r.to);
  }
  for (const std::string_view text : {"MOVED", "MOVED 1", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED x a:1", "MOVED 1 a",
                                      "MOVED 1 a:", "MOVED 1 a:0", "MOVED 1 a:65536", "MOVED 1 a:1x", ""}) {
    EXPECT_FALSE(read_redirection(text, asked)) << text;
  }
}

// Any assignment of slots, written as ranges and read back, is the same; so is what is lost between two of them.
RC_GTEST_PROP(cluster_slot_map, reads_back_every_assignment, ()) {
  using assignment = std::map<slot_number, int>;
  const auto any = rc::gen::container<assignment>(rc::gen::inRange<slot_number>(0, slot_count), rc::gen::inRange(0, 5));
  const auto as_map = [](const assignment& slots) {
    std::vector<range> ranges;
    for (const auto& [slot, node] : slots) {
      const std::string host = std::to_string(node);
      if (!ranges.empty() && ranges.back().last + 1 == slot && *ranges.back().nodes[0].host == host) {
        ++ranges.back().last;
      } else {
        ranges.push_back({slot, slot, {{host, 1}, {"replica of " + host, 1}}});
      }
    }
    return *read(ranges);
  };
  const assignment before = *any;
  const assignment later = *any;
  const slot_map first = as_map(before);
  const slot_map second = as_map(later);
  RC_ASSERT(first.covered() == before.size());
  std::vector<slot_number> lost;
  for (slot_number slot = 0; slot < slot_count; ++slot) {
    const auto at = before.find(slot);
    RC_ASSERT(owner(first, slot) == (at == before.end() ? "nobody" : std::to_string(at->second) + ":1"));
    if (at == before.end()) continue;
    RC_ASSERT(first.shards()[first.shard_of(slot)].replicas.size() == 1U);
    const auto then = later.find(slot);
    if (then == later.end() || then->second != at->second) lost.push_back(slot);
  }
  std::vector<slot_number> told;
  first.for_each_lost(second, [&](slot_number slot) { told.push_back(slot); });
  RC_ASSERT(told == lost);
}

}  // namespace
}  // namespace seawall::redis

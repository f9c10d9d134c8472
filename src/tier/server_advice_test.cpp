#include "server_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {
namespace {

using setting = std::pair<std::string, std::string>;

// What "level setting" is said of a good server after these changes.
std::vector<std::string> said(const std::vector<setting>& changes, std::string_view info = {},
                              std::uint64_t may_hold = 0, std::optional<std::uint64_t> primaries = 1) {
  server_setup seen;
  seen.learn(cmd::server_info{"# Memory\r\nmaxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n# Replication\r\n"
                              "connected_slaves:0\r\n# Stats\r\ntracking_total_keys:0\r\naof_enabled:0\r\n"});
  if (!info.empty()) seen.learn(cmd::server_info{info});
  for (const auto& [name, value] : std::vector<setting>{{"save", ""}, {"tracking-table-max-keys", "1000000"}}) {
    seen.learn(name, value);
  }
  for (const auto& [name, value] : changes) seen.learn(name, value);
  std::vector<std::string> all;
  seen.primaries = primaries;
  for (const advice& one : advise(seen, may_hold)) {
    EXPECT_TRUE(one.text.ends_with('.')) << one.text;
    all.push_back(std::string{to_string(one.level)} + " " + one.subject);
  }
  return all;
}

TEST(server_advice, says_what_is_wrong_and_nothing_else) {
  using lines = std::vector<std::string>;
  EXPECT_EQ(said({}), lines{});
  EXPECT_EQ(said({{"maxmemory-policy", "allkeys-lfu"}}), lines{});
  EXPECT_EQ(said({{"maxmemory-policy", "allkeys-lru"}}), lines{});
  EXPECT_EQ(said({{"maxmemory", "0"}}), lines{"poor maxmemory"});
  EXPECT_EQ(said({{"maxmemory", "0"}, {"maxmemory-policy", "noeviction"}}), lines{"poor maxmemory"}) << "of no effect";
  EXPECT_EQ(said({{"maxmemory-policy", "noeviction"}}), lines{"poor maxmemory-policy"});
  EXPECT_EQ(said({{"maxmemory-policy", "volatile-lru"}}), lines{"fair maxmemory-policy"});
  EXPECT_EQ(said({{"maxmemory-policy", "allkeys-random"}}), lines{"fair maxmemory-policy"});
  EXPECT_EQ(said({{"save", "3600 1"}}), lines{"fair save"});
  EXPECT_EQ(said({{"appendonly", "yes"}}), lines{"fair appendonly"});
  EXPECT_EQ(said({{"save", "3600 1"}, {"maxmemory", "0"}}), (lines{"poor maxmemory", "fair save"}));
}

TEST(server_advice, replicas_need_a_primary_that_stops) {
  using lines = std::vector<std::string>;
  const char* const alone = "connected_slaves:1\r\n";
  const char* const counted = "connected_slaves:1\r\nmin_slaves_good_slaves:1\r\n";
  EXPECT_EQ(said({}, alone), lines{"fair min-replicas-to-write"});
  EXPECT_EQ(said({}, counted), lines{});
  EXPECT_EQ(said({{"min-replicas-to-write", "1"}}, alone), lines{});
  EXPECT_EQ(said({{"min-replicas-to-write", "0"}}, alone), lines{"fair min-replicas-to-write"});
}

TEST(server_advice, a_table_of_readers_can_be_too_small) {
  using lines = std::vector<std::string>;
  const std::vector<setting> small{{"tracking-table-max-keys", "1000"}};
  EXPECT_EQ(said(small, "tracking_total_keys:899\r\n"), lines{});
  EXPECT_EQ(said(small, "tracking_total_keys:900\r\n"), lines{"fair tracking-table-max-keys"});
  EXPECT_EQ(said({{"tracking-table-max-keys", "0"}}, "tracking_total_keys:900\r\n"), lines{}) << "no limit";
}

TEST(server_advice, a_table_of_readers_has_room_for_what_the_caches_may_hold) {
  using lines = std::vector<std::string>;
  const lines small{"fair tracking-table-max-keys"};
  const std::vector<setting> thousand{{"tracking-table-max-keys", "1000"}};
  EXPECT_EQ(said(thousand, {}, 1000), lines{});
  EXPECT_EQ(said(thousand, {}, 1001), small);
  EXPECT_EQ(said(thousand, "tracking_total_keys:900\r\n", 1001), small) << "said once";
  EXPECT_EQ(said(thousand, {}, 3000, 3), lines{}) << "each has a part of the keys";
  EXPECT_EQ(said(thousand, {}, 3001, 3), small);
  EXPECT_EQ(said(thousand, {}, 3001, std::nullopt), lines{}) << "nobody knows how many there are";
  EXPECT_EQ(said({{"tracking-table-max-keys", "0"}}, {}, 1'000'000'000), lines{}) << "no limit";
}

TEST(server_advice, nodes_tell_who_is_asked_and_who_shares_the_keys) {
  server_setup seen;
  seen.primaries.reset();
  seen.learn_nodes("not a list");
  EXPECT_FALSE(seen.primaries);
  seen.learn_nodes(
      "07c3 127.0.0.1:30004@31004,host slave e7d1 0 1426238317239 4 connected\n"
      "67ed 127.0.0.1:30002@31002 master - 0 1426238316232 2 connected 5461-10922\n"
      "292f 127.0.0.1:30003@31003 master - 0 1426238318243 3 connected\n"
      "e7d1 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5460 [77->-67ed]\n");
  EXPECT_EQ(seen.primaries, 2u) << "those without a slot have no keys";
  EXPECT_EQ(seen.address, "127.0.0.1:30001");
}

TEST(server_advice, what_is_said_of_several_servers_is_said_once) {
  std::vector<server_setup> all(3);
  for (std::size_t i = 0; i != 3; ++i) all[i].address = "node" + std::to_string(i);
  for (const std::size_t i : {0, 2}) all[i].learn("save", "3600 1");
  all[1].learn("maxmemory", "0");
  const std::vector<advice> told = advise(all, 0);
  ASSERT_EQ(told.size(), 2);
  EXPECT_EQ(told[0].subject, "maxmemory") << "the worst first";
  EXPECT_TRUE(told[0].text.starts_with("At node1: There")) << told[0].text;
  EXPECT_TRUE(told[1].text.starts_with("At node0, node2: Snapshots")) << told[1].text;
}

TEST(server_advice, info_alone_is_enough_for_memory) {
  server_setup seen;
  EXPECT_TRUE(advise(seen).empty()) << "nothing is known";
  seen.learn(cmd::server_info{"maxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"});
  ASSERT_EQ(advise(seen).size(), 2);
  EXPECT_EQ(advise(seen)[0].subject, "maxmemory");
  EXPECT_EQ(advise(seen)[1].subject, "appendonly");
}

}  // namespace
}  // namespace seawall::tier

#include "server_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {
namespace {

using setting = std::pair<std::string, std::string>;

// What "level setting" is said of a good server after these changes.
std::vector<std::string> said(const std::vector<setting>& changes, std::string_view info = {}) {
  server_setup seen;
  seen.learn(cmd::server_info{"# Memory\r\nmaxmemory:1000\r\nmaxmemory_policy:volatile-ttl\r\n# Replication\r\n"
                              "connected_slaves:0\r\n# Stats\r\ntracking_total_keys:0\r\naof_enabled:0\r\n"});
  if (!info.empty()) seen.learn(cmd::server_info{info});
  for (const auto& [name, value] : std::vector<setting>{{"save", ""}, {"tracking-table-max-keys", "1000000"}}) {
    seen.learn(name, value);
  }
  for (const auto& [name, value] : changes) seen.learn(name, value);
  std::vector<std::string> all;
  for (const advice& one : advise(seen)) {
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

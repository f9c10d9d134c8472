// remove_prefix in front of a server that says what the test wants.
#include "prefix_walk.hpp"
#include "test_remote.hpp"

#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <stop_token>

namespace seawall::tier {
namespace {

TEST(prefix_pattern, means_the_bytes_themselves) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"users:", "users:*"},     {"a*b", R"(a\*b*)"}, {"what?", R"(what\?*)"},
      {"[a-z]", R"(\[a-z]*)"},   {R"(a\)", R"(a\\*)"}, {"caf\xC3\xA9:", "caf\xC3\xA9:*"},
      {std::string_view{"\0\n", 2}, std::string_view{"\0\n*", 3}},
  };
  for (const auto& [prefix, pattern] : table) EXPECT_EQ(pattern_of_prefix(prefix), pattern) << prefix;
}

/// A server with keys, whose SCAN answers the given pages: cursor and keys.
class prefix_walk_test : public remote_tier_test {
 protected:
  using page = std::pair<std::string, std::vector<std::string>>;

  void SetUp() override {
    remote_tier_test::SetUp();
    server.answer = [this](const words& command) {
      if (broken == command.front()) return std::string{"-ERR broken\r\n"};
      if (command.front() == "DBSIZE") return number(1000);
      if (command.front() == "SCAN") return scan(command);
      if (command.front() == "UNLINK") return unlink(command);
      return reply(command);
    };
  }

  void make_cluster() {
    tier.reset();
    const auto target = [this](const auto&) {
      return remote_tier::made_target{.where = &server, .cluster = true, .look_for_moves = [] {}};
    };
    tier = *remote_tier::make(target, {.canary_interval = 0s, .advise = false, .clock = clock, .seed = 1});
  }

  std::string scan(const words& command) {
    ++scans;
    if (before_scan) before_scan(scans);
    const page& next = pages.at(command.at(1));
    std::string out = "*2\r\n" + bulk(next.first) + "*" + std::to_string(next.second.size()) + "\r\n";
    for (const std::string& key : next.second) out += bulk(key);
    return out;
  }
  std::string unlink(const words& command) {
    if (command.at(1).ends_with('\0')) return nothing_removed();  // nothing is called that
    std::int64_t gone = 0;
    for (std::size_t i = 1; i < command.size(); ++i) gone += unlinked.insert(command[i]).second ? 1 : 0;
    return number(gone);
  }

  std::map<std::string, page> pages{{"0", {"0", {}}}};
  std::set<std::string> unlinked;
  std::string broken;
  std::function<void(int)> before_scan;
  std::function<std::string()> nothing_removed = [] { return number(0); };
  int scans = 0;
};

TEST_F(prefix_walk_test, removes_page_by_page) {
  pages = {{"0", {"7", {"c:a", "c:b"}}}, {"7", {"9", {}}}, {"9", {"0", {"c:b", "c:d"}}}};
  std::vector<std::uint64_t> removed;
  const auto gone = tier->remove_prefix("c:", {.count = 10, .on_progress = [&](const prefix_removal& so_far) {
    removed.push_back(so_far.removed);
    EXPECT_EQ(so_far.total, 1000);
  }});
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_TRUE(gone->done);
  EXPECT_EQ(gone->removed, 3);
  EXPECT_EQ(gone->scanned, 30);
  EXPECT_THAT(removed, ElementsAre(2, 2, 3));
  EXPECT_THAT(unlinked, ElementsAre("c:a", "c:b", "c:d"));
  EXPECT_EQ(tier->stats().totals.prefix_keys, 3);
  EXPECT_THAT(server.commands.at(2), ElementsAre("SCAN", "0", "MATCH", "c:*", "COUNT", "10"));
}

TEST_F(prefix_walk_test, a_plain_key_takes_the_lease_with_it_that_was_taken_since_leases_were_looked_for) {
  pages["0"] = {"0", {"c:a", "c:{b}c"}};
  ASSERT_TRUE(tier->remove_prefix("c:", {.format = shared_format::plain}));
  EXPECT_THAT(server.commands.rbegin()[1], ElementsAre("UNLINK", "c:a", "c:{b}c", "{c:a}:l", "c:{b}c:l"))
      << "in one step: a load may store its value between two";
}

TEST_F(prefix_walk_test, leases_of_plain_keys_that_hold_nothing_go_too) {
  pages["0"] = {"0", {"{c:a}:l", "{d:a}:l"}};
  ASSERT_TRUE(tier->remove_prefix("c:", {.format = shared_format::plain}));
  EXPECT_THAT(unlinked, ElementsAre("{c:a}:l"));
}

TEST_F(prefix_walk_test, unlinks_few_at_once) {
  page all{"0", {}};
  for (int i = 0; i < 600; ++i) all.second.push_back("c:" + std::to_string(i));
  pages["0"] = all;
  ASSERT_TRUE(tier->remove_prefix("c:"));
  EXPECT_EQ(unlinked.size(), 600);
  for (const words& one : server.commands) EXPECT_LE(one.size(), 257);
}

TEST_F(prefix_walk_test, removes_nothing_that_begins_otherwise) {
  pages["0"] = {"0", {"c:a", "d:a", "c"}};
  EXPECT_EQ(tier->remove_prefix("c:")->removed, 1);
  EXPECT_THAT(unlinked, ElementsAre("c:a"));
}

TEST_F(prefix_walk_test, arguments_are_checked) {
  const std::pair<const char*, result<prefix_removal>> table[] = {
      {"prefix", tier->remove_prefix("")},
      {"count", tier->remove_prefix("c:", {.count = 0})},
      {"count", tier->remove_prefix("c:", {.count = 10'001})},
      {"pause", tier->remove_prefix("c:", {.pause = -1ns})},
  };
  for (const auto& [name, came] : table) {
    ASSERT_FALSE(came) << name;
    EXPECT_EQ(came.error(), errc::invalid_argument);
    EXPECT_THAT(came.error().message(), testing::HasSubstr(name));
  }
  EXPECT_THAT(sent(), ElementsAre());
}

TEST_F(prefix_walk_test, can_be_stopped) {
  pages = {{"0", {"7", {"c:a"}}}, {"7", {"0", {"c:b"}}}};
  std::stop_source stop;
  const auto gone = tier->remove_prefix("c:", {.pause = 1h,
                                               .on_progress = [&](const prefix_removal&) { stop.request_stop(); },
                                               .stop = stop.get_token()});
  ASSERT_TRUE(gone);
  EXPECT_FALSE(gone->done);
  EXPECT_EQ(gone->removed, 1);
  server.commands.clear();
  EXPECT_FALSE(tier->remove_prefix("c:", {.stop = stop.get_token()})->done);
  EXPECT_TRUE(server.commands.empty());
}

TEST_F(prefix_walk_test, a_failure_says_what_was_done) {
  pages = {{"0", {"7", {"c:a"}}}, {"7", {"0", {"c:b"}}}};
  for (const char* what : {"SCAN", "UNLINK"}) {
    unlinked.clear();
    broken.clear();
    const auto gone = tier->remove_prefix("c:", {.on_progress = [&](const prefix_removal&) { broken = what; }});
    ASSERT_FALSE(gone) << what;
    EXPECT_THAT(gone.error().message(), testing::HasSubstr("after 1 keys")) << what;
  }
}

TEST_F(prefix_walk_test, goes_on_without_the_number_of_keys_if_it_is_forbidden) {
  const auto before = server.answer;
  for (const auto& [why, works] : {std::pair{"-NOPERM no\r\n", true}, std::pair{"-LOADING wait\r\n", false}}) {
    server.answer = [&before, reply = std::string{why}](const words& command) {
      return command.front() == "DBSIZE" ? reply : before(command);
    };
    EXPECT_EQ(tier->remove_prefix("c:").has_value(), works) << why;
  }
}

TEST_F(prefix_walk_test, another_connection_means_another_walk) {
  pages = {{"0", {"7", {"c:a"}}}, {"7", {"0", {"c:b"}}}};
  before_scan = [&](int scan) { server.generation = scan < 3 ? static_cast<std::uint64_t>(scan) : 2; };
  ASSERT_TRUE(tier->remove_prefix("c:"));
  EXPECT_EQ(scans, 4) << "from the beginning, over the second connection";

  scans = 0;
  before_scan = [&](int scan) { server.generation = static_cast<std::uint64_t>(scan); };
  const auto gone = tier->remove_prefix("c:");
  ASSERT_FALSE(gone) << "a connection that never lasts";
  EXPECT_LT(scans, 20);
}

TEST_F(prefix_walk_test, a_replica_that_has_nothing_proves_nothing) {
  int primary_for = 0;
  nothing_removed = [&] { return primary_for-- > 0 ? number(0) : "-READONLY You can't write against a replica.\r\n"; };
  const auto gone = tier->remove_prefix("c:");
  ASSERT_FALSE(gone) << "the primary may have such keys";
  EXPECT_EQ(gone.error().code(), cmd::make_error_code(cmd::errc::read_only));
  primary_for = 1;
  EXPECT_FALSE(tier->remove_prefix("c:")) << "it is one since";
}

TEST_F(prefix_walk_test, another_connection_behind_the_last_page_means_another_walk) {
  int asked = 0;
  nothing_removed = [&] {
    if (++asked == 2) {
      server.generation = 2;
      pages["0"] = {"0", {"c:a"}};
    }
    return number(0);
  };
  EXPECT_EQ(tier->remove_prefix("c:")->removed, 1);
  EXPECT_EQ(scans, 2);
}

TEST_F(prefix_walk_test, the_next_server_of_a_cluster_is_no_reason) {
  make_cluster();
  const std::string next = std::to_string(std::uint64_t{5} << 40);
  pages = {{"0", {next, {"c:a"}}}, {next, {"0", {"c:b"}}}};
  before_scan = [&](int scan) { server.generation = static_cast<std::uint64_t>(scan); };
  ASSERT_TRUE(tier->remove_prefix("c:"));
  EXPECT_EQ(scans, 2);
}

TEST_F(prefix_walk_test, a_cursor_that_a_cluster_takes_back_begins_anew) {
  pages = {{"0", {"7", {"c:a"}}}, {"7", {"0", {"c:b"}}}};
  const auto before = server.answer;
  int refused = 1;
  server.answer = [&](const words& command) {
    if (command.front() == "SCAN" && command.at(1) == "7" && refused-- > 0) return std::string{"-MOVED 1 a:1\r\n"};
    return before(command);
  };
  EXPECT_EQ(tier->remove_prefix("c:")->removed, 2);
  refused = 100;
  EXPECT_FALSE(tier->remove_prefix("c:"));
}

TEST_F(prefix_walk_test, caches_of_the_process_are_told_at_once) {
  struct listener final : tier_listener {
    void on_changed(std::string_view key) noexcept override { told.emplace_back(key); }
    void on_all_changed() noexcept override {}
    std::vector<std::string> told;
  };
  const auto cache = std::make_shared<listener>();
  tier->attach("c:", cache);
  pages["0"] = {"0", {"c:a", "c:b"}};
  ASSERT_TRUE(tier->remove_prefix("c:"));
  EXPECT_THAT(cache->told, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace seawall::tier

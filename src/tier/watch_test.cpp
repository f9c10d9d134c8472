// A tier that watches its server: what it asks, what it says, and what it does to a connection that tells nothing.
#include "test_remote.hpp"
#include "watch.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace seawall::tier {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class watch_test : public remote_tier_test {
 protected:
  void SetUp() override {
    server.answer = [this](const words& command) { return answer(command); };
    start({});
  }
  void start(tier_options how) {
    how.log = [this](log_level level, std::string_view text) {
      log.push_back(std::string{"DIWE"[static_cast<int>(level)]} + " " + std::string{text});
    };
    make(std::move(how));
  }

  std::string answer(const words& command) {
    const std::string& name = command.front();
    if (name == "INFO") return info;
    if (name == "CONFIG") return config;
    if (const auto at = std::ranges::find_if(command, is_canary); at != command.end()) {
      if (name == "SET" && change.front() == '+' && tells) tier->feed()->on_invalidate(server.generation, *at);
      return name == "SET" ? change : null;
    }
    return reply(command);
  }
  static bool is_canary(const std::string& word) { return word.starts_with(canary_key_start); }

  /// Calls go on for so long.
  void pass(duration span) {
    for (duration left = span; left > 0s; left -= 250ms) {
      read();
      clock->advance(250ms);
    }
  }
  std::size_t sent_of(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count(server.commands, name, [](const words& one) {
      return std::string_view{one.front()};
    }));
  }
  bool proved() { return read([](auto& what) { what.takes_lease = false; })->proof != nullptr; }

  std::vector<std::string> log;
  std::string info = bulk("maxmemory:0\r\nmaxmemory_policy:noeviction\r\n");
  std::string config = "-NOPERM no CONFIG for you\r\n";
  std::string change = fine;
  bool tells = true;
};

TEST_F(watch_test, the_settings_are_looked_at_once) {
  EXPECT_THAT(tier->advice(), IsEmpty());
  EXPECT_EQ(sent_of("INFO"), 0) << "nothing before the tier is used";
  pass(5s);
  EXPECT_EQ(sent_of("INFO"), 1);
  EXPECT_EQ(sent_of("CONFIG"), 6);
  ASSERT_EQ(tier->advice().size(), 1);
  EXPECT_EQ(tier->advice()[0].subject, "maxmemory");
  EXPECT_THAT(log, ElementsAre(HasSubstr("W shared tier: the server's maxmemory: "), HasSubstr("D shared tier: ")));
}

TEST_F(watch_test, config_tells_more) {
  config = "%1\r\n" + bulk("save") + bulk("3600 1");
  info = bulk("maxmemory:5\r\nmaxmemory_policy:volatile-ttl\r\n");
  pass(1s);
  ASSERT_EQ(tier->advice().size(), 1);
  EXPECT_EQ(tier->advice()[0].subject, "save");
  EXPECT_THAT(log, ElementsAre(HasSubstr("I shared tier: the server's save: ")));
}

TEST_F(watch_test, a_server_that_tells_nothing_is_not_complained_of_twice) {
  info = "-NOPERM no INFO either\r\n";
  pass(5s);
  EXPECT_THAT(tier->advice(), IsEmpty());
  EXPECT_THAT(log, ElementsAre(HasSubstr("D ")));
}

TEST_F(watch_test, caches_may_hold_more_than_the_server_remembers) {
  struct cache final : tier_listener {
    void on_changed(std::string_view) noexcept override {}
    void on_all_changed() noexcept override {}
    std::size_t most_entries() const noexcept override { return 600; }
  };
  config = "%1\r\n" + bulk("tracking-table-max-keys") + bulk("1000");
  info = bulk("maxmemory:5\r\nmaxmemory_policy:volatile-ttl\r\n");
  for (const feed_mode feed : {feed_mode::tracking, feed_mode::broadcast}) {
    start({.feed = feed});
    pass(1s);
    auto one = std::make_shared<cache>(), two = std::make_shared<cache>();
    tier->attach("c:", one);
    EXPECT_THAT(tier->advice(), IsEmpty());
    tier->attach("d:", two);
    EXPECT_EQ(tier->advice().size(), feed == feed_mode::tracking ? 1 : 0) << "told of all keys, it remembers none";
    two.reset();
    EXPECT_THAT(tier->advice(), IsEmpty()) << "it is gone";
  }
}

TEST_F(watch_test, who_wants_neither_gets_neither) {
  start({.canary_interval = 0s, .advise = false});
  pass(30s);
  EXPECT_EQ(sent_of("INFO") + sent_of("CONFIG"), 0);
  for (const words& one : server.commands) EXPECT_FALSE(std::ranges::any_of(one, is_canary));
}

TEST_F(watch_test, canaries_are_told) {
  pass(25s);
  const tier_stats now = tier->stats();
  EXPECT_EQ(now.totals.canaries, 3) << "with the connection, and every ten seconds";
  EXPECT_EQ(now.totals.lost_canaries, 0);
  EXPECT_EQ(now.totals.changes_told, 0) << "no cache hears of them";
  EXPECT_FALSE(now.deaf);
  EXPECT_TRUE(proved());
}

TEST_F(watch_test, a_connection_that_tells_nothing_proves_nothing) {
  stored = value('A');
  ASSERT_TRUE(proved());
  const tier_proof* const before = read()->proof;
  tells = false;
  pass(1s);
  EXPECT_EQ(tier->stats().totals.lost_canaries, 1);
  EXPECT_TRUE(tier->stats().deaf);
  EXPECT_FALSE(before->covers(clock->now())) << "what was read before";
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_FALSE(proved());
  pass(25s);
  EXPECT_EQ(tier->stats().totals.lost_canaries, 3);
  EXPECT_EQ(std::ranges::count_if(log, [](const std::string& one) { return one.find("not tell") != one.npos; }), 1);

  tells = true;
  pass(11s);
  EXPECT_FALSE(tier->stats().deaf);
  EXPECT_TRUE(proved());
  EXPECT_THAT(log, Contains(HasSubstr("I shared tier: the server tells of changes again")));
}

TEST_F(watch_test, caches_hear_that_nobody_tells_of_their_tags) {
  struct cache final : tier_listener {
    void on_changed(std::string_view) noexcept override {}
    void on_all_changed() noexcept override {}
    void on_tags_lost() noexcept override { ++lost; }
    int lost = 0;
  };
  const auto one = std::make_shared<cache>();
  tier->attach("c:", one);
  pass(1s);
  EXPECT_EQ(one->lost, 0);
  tells = false;
  pass(11s);
  EXPECT_EQ(one->lost, 1);
}

TEST_F(watch_test, a_new_connection_is_tested_at_once) {
  tells = false;
  pass(1s);
  ASSERT_TRUE(tier->stats().deaf);
  reconnect();
  EXPECT_FALSE(tier->stats().deaf);
  pass(1s);
  EXPECT_TRUE(tier->stats().deaf);
  EXPECT_EQ(tier->stats().totals.lost_canaries, 2);
}

TEST_F(watch_test, what_cannot_be_tested_is_no_failure) {
  for (const char* why : {"-OOM full\r\n", "-NOPERM not this key\r\n"}) {
    change = why;
    start({});
    pass(25s);
    EXPECT_EQ(tier->stats().totals.lost_canaries, 0) << why;
    EXPECT_FALSE(tier->stats().deaf) << why;
  }
  EXPECT_THAT(log, Contains(HasSubstr("nothing tests whether")));
  const auto changes = std::ranges::count_if(server.commands, [](const words& one) {
    return one.front() == "SET" && is_canary(one.at(1));
  });
  EXPECT_EQ(changes, 3 + 1) << "whoever has no right asks once";
}

TEST_F(watch_test, tags_are_not_remembered_of_a_connection_that_tells_nothing) {
  const std::string tag_key = "seawall:tag:c:0000000000000000";
  const auto asked = [&] {
    server.commands.clear();
    read([](auto& what) { what.prefix = "c:"; });
    return std::ranges::any_of(server.commands, [&](const words& one) { return one.back() == tag_key; });
  };
  const auto whole = [&](const words& command) {
    return command.front() == "GET" && command.back() == tag_key ? bulk("12345678") : answer(command);
  };
  server.answer = whole;
  asked();
  EXPECT_FALSE(asked());
  tells = false;
  pass(1s);
  EXPECT_TRUE(asked());
  EXPECT_TRUE(asked());
}

}  // namespace
}  // namespace seawall::tier

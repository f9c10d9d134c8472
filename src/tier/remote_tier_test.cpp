// Fills, invalidations and failures in front of a server that says what the test wants.
#include "seawall/cmd/error.hpp"
#include "test_remote.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

namespace seawall::tier {
namespace {

TEST_F(remote_tier_test, a_server_that_fails_is_left_alone) {
  make({.breaker = {.in_a_row = 2}});
  for (const char* reply : {"", "-LOADING reading\r\n"}) {
    make({.breaker = {.in_a_row = 2}});
    server.answer = [=](const words&) { return std::string{reply}; };
    for (int i = 0; i < 2; ++i) EXPECT_EQ(read()->is, outcome::failed);
    sent();
    const auto refused = read();
    EXPECT_THAT(refused->failure->message(), testing::HasSubstr("breaker"));
    EXPECT_THAT(sent(), ElementsAre());
    EXPECT_EQ(tier->stats().breaker, breaker_state::open);
  }
}

TEST_F(remote_tier_test, a_full_server_is_not_left_alone) {
  make({.breaker = {.in_a_row = 2}});
  server.answer = [this](const words& command) {
    return command.front() == "SET" ? std::string{"-OOM full\r\n"} : reply(command);
  };
  for (int i = 0; i < 5; ++i) read();
  EXPECT_EQ(tier->stats().breaker, breaker_state::closed);
  EXPECT_EQ(tier->stats().totals.failures_server, 5);
}

TEST_F(remote_tier_test, a_caller_without_time_says_nothing_of_the_server) {
  make({.breaker = {.in_a_row = 1}});
  server.hold = true;
  read([](auto& what) { what.patience = 1ms; });
  server.fail_all(error{errc::timed_out});
  EXPECT_EQ(tier->stats().breaker, breaker_state::closed);
  read();
  server.fail_all(error{errc::timed_out});
  EXPECT_EQ(tier->stats().breaker, breaker_state::open);
}

TEST_F(remote_tier_test, an_undelivered_key_is_neither_read_nor_filled) {
  const auto leased = read();
  server.answer = [](const words&) { return std::string{}; };
  auto what = std::make_shared<noted<tier_invalidation>>();
  what->keys = {"k", "l"};
  tier->invalidate(what);
  EXPECT_EQ(what->undelivered, 2);
  EXPECT_EQ(what->ends, 1);
  sent();
  EXPECT_EQ(read()->is, outcome::failed);
  EXPECT_TRUE(fill(leased->nonce)->failure);
  EXPECT_THAT(sent(), ElementsAre());
  server.answer = [this](const words& command) { return reply(command); };
  tier->feed()->on_tracking(1);
  EXPECT_EQ(tier->stats().undelivered, 0);
  EXPECT_THAT(server.commands.back(), ElementsAre("UNLINK", "k", "l"));
}

TEST_F(remote_tier_test, what_it_owes_and_whether_it_works_are_gauges) {
  const auto gauges = [this] {
    std::map<std::string_view, std::uint64_t> all;
    for (const auto& one : tier->stats_handle()->counters().gauges) all[one.name] = one.value;
    return all;
  };
  EXPECT_EQ(gauges().at("undelivered"), 0);
  EXPECT_EQ(gauges().at("breaker_open"), 0);
  server.answer = [](const words&) { return std::string{}; };
  for (int i = 0; i != 20; ++i) {
    auto what = std::make_shared<noted<tier_invalidation>>();
    what->keys = {"k" + std::to_string(i)};
    tier->invalidate(what);
  }
  EXPECT_EQ(gauges().at("undelivered"), 20);
  EXPECT_EQ(tier->undelivered(), 20);
  EXPECT_EQ(gauges().at("breaker_open"), 1);
}

TEST_F(remote_tier_test, the_dashboard_shows_what_there_is) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../deploy/grafana/seawall.json");
  ASSERT_TRUE(file);
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto set = tier->stats_handle()->counters();
  std::set<std::string> there;
  for (const auto& one : set.counters) there.insert("seawall_tier_" + std::string{one.name} + "_total");
  for (const auto& one : set.gauges) there.insert("seawall_tier_" + std::string{one.name});
  const std::regex series("seawall_tier_[a-z_]+");
  int asked = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), series), end; match != end; ++match, ++asked) {
    EXPECT_TRUE(there.contains(match->str())) << match->str();
  }
  EXPECT_GT(asked, 5);
}

TEST_F(remote_tier_test, many_keys_go_in_several_commands) {
  auto what = std::make_shared<noted<tier_invalidation>>();
  for (int i = 0; i < 600; ++i) what->keys.push_back("k" + std::to_string(i));
  tier->invalidate(what);
  EXPECT_THAT(sent(), ElementsAre("UNLINK UNLINK UNLINK"));
  EXPECT_EQ(what->removed, 3);
  EXPECT_EQ(tier->stats().totals.invalidated_keys, 600);
}

TEST_F(remote_tier_test, no_keys_are_no_command) {
  auto what = std::make_shared<noted<tier_invalidation>>();
  tier->invalidate(what);
  EXPECT_EQ(what->ends, 1);
  EXPECT_FALSE(what->failure);
  EXPECT_THAT(sent(), ElementsAre());
}

// --- fills ----------------------------------------------------------------------------------------------------------

TEST_F(remote_tier_test, a_fill_compares_natively_where_the_server_can) {
  can.set_ifeq = true;
  const auto leased = read();
  sent();
  const auto filled = fill(leased->nonce);
  EXPECT_TRUE(filled->accepted);
  EXPECT_TRUE(filled->proof);
  EXPECT_EQ(filled->told, 1);
  EXPECT_THAT(sent(), ElementsAre("SET GETRANGE"));
}

TEST_F(remote_tier_test, a_lease_whose_floor_was_raised_is_compared_by_the_script) {
  can.set_ifeq = true;
  const auto leased = read();
  stored = encode_lease(leased->nonce, reign_number('A'), 5);
  script = number(-1);
  sent();
  const auto filled = fill(leased->nonce);
  EXPECT_FALSE(filled->accepted);
  EXPECT_FALSE(filled->failure);
  EXPECT_EQ(filled->told, 0);
  EXPECT_THAT(sent(), ElementsAre("SET GETRANGE", "EVALSHA GETRANGE"));
}

TEST_F(remote_tier_test, what_was_replaced_at_once_is_accepted_and_not_proved) {
  const auto leased = read();
  const auto filled = fill(leased->nonce);  // the script says yes, and the lease is still there
  EXPECT_TRUE(filled->accepted);
  EXPECT_FALSE(filled->proof);
  EXPECT_EQ(filled->told, 0);
}

TEST_F(remote_tier_test, a_fill_over_a_lease_that_another_reign_brought_back_is_not_accepted) {
  const auto leased = read();
  reconnect();
  beat = reign_reply('B');
  EXPECT_FALSE(fill(leased->nonce)->accepted);
}

TEST_F(remote_tier_test, a_fill_over_a_new_connection_to_the_same_reign_is_accepted) {
  const auto leased = read();
  reconnect();
  sent();
  EXPECT_TRUE(fill(leased->nonce)->accepted);
  EXPECT_THAT(sent(), ElementsAre("EVAL EVALSHA GETRANGE"));
}

TEST_F(remote_tier_test, a_value_that_is_too_large_gives_its_lease_back) {
  make({.max_payload = 3});
  const auto leased = read();
  sent();
  auto what = std::make_shared<noted<tier_fill>>();
  what->key = "k";
  what->lease = leased->nonce;
  what->entry.payload = "long";
  tier->fill(what);
  EXPECT_TRUE(*what->failure == errc::invalid_argument);
  EXPECT_THAT(sent(), ElementsAre("EVALSHA"));
}

TEST_F(remote_tier_test, a_fill_whose_script_is_missing_gives_its_right_back_once) {
  read();  // hears of the reign
  sent();
  server.answer = [](const words& command) {
    return command.front() == "EVALSHA" ? std::string{"-NOSCRIPT no such script\r\n"} : number(1);
  };
  auto what = std::make_shared<noted<tier_fill>>();
  what->key = "k";
  what->refresh = true;
  what->entry.payload = "v";
  tier->fill(what);
  EXPECT_EQ(what->ends, 1);
  EXPECT_THAT(sent(), ElementsAre("EVALSHA GETRANGE EVAL", "EVAL GETRANGE")) << "it may be another load's since";
}

// --- the rest -------------------------------------------------------------------------------------------------------

TEST_F(remote_tier_test, locks_share_the_slot_of_their_key) {
  const auto lock_of = [&](std::string key) {
    stored.reset();
    read([&](auto& what) {
      what.key = key;
      what.refresh = true;
    });
    for (const words& one : server.commands) {
      if (one.front() == "SET" && one.at(1).ends_with(":r")) key = one.at(1);
    }
    server.commands.clear();
    return key;
  };
  EXPECT_EQ(lock_of("k"), "{k}:r");
  EXPECT_EQ(lock_of("a{tag}b"), "a{tag}b:r");
  EXPECT_EQ(lock_of("a}b"), "a}b:r");
}

TEST_F(remote_tier_test, options_out_of_their_limits_are_named) {
  const auto complaint = [&](tier_options how) {
    const auto made = remote_tier::over(server, std::move(how));
    return made ? std::string{} : made.error().message();
  };
  EXPECT_THAT(complaint({.bound = 1ms}), testing::HasSubstr("bound"));
  EXPECT_THAT(complaint({.heartbeat = 500ms}), testing::HasSubstr("heartbeat"));
  EXPECT_THAT(complaint({.budget = 0ms}), testing::HasSubstr("budget"));
  EXPECT_THAT(complaint({.idle = 1ms}), testing::HasSubstr("idle"));
  EXPECT_THAT(complaint({.reign_key = ""}), testing::HasSubstr("reign_key"));
  EXPECT_THAT(complaint({.max_payload = 0}), testing::HasSubstr("max_payload"));
  EXPECT_THAT(complaint({.undelivered = {.keys = 0}}), testing::HasSubstr("undelivered"));
  EXPECT_THAT(complaint({.breaker = {.failure_ratio = 2}}), testing::HasSubstr("breaker"));
}

TEST_F(remote_tier_test, heartbeats_end_with_the_tier) {
  read();
  tier.reset();
  const std::size_t before = beats();
  clock->advance(10s);
  EXPECT_EQ(beats(), before);
}

}  // namespace
}  // namespace seawall::tier

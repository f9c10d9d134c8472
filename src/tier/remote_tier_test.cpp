// A tier in front of a server that says what the test wants.
#include "seawall/cmd/error.hpp"
#include "test_target.hpp"

namespace seawall::tier {
namespace {

using outcome = tier_read::outcome;
using redis::tracking_loss;
using testing::ElementsAre;

class remote_tier_test : public testing::Test {
 protected:
  void SetUp() override {
    server.answer = [this](const words& command) { return reply(command); };
    make({});
  }

  void make(tier_options how) {
    tier.reset();
    how.clock = clock;
    how.seed = 1;
    auto made = remote_tier::over(server, std::move(how), [this] { return can; });
    ASSERT_TRUE(made);
    tier = *std::move(made);
    tier->feed()->on_tracking(server.generation);
  }

  // One key, and the commands as a server has them.
  std::string reply(const words& command) {
    const std::string& name = command.front();
    if (name == "EVAL") return beat;
    if (name == "GET") return stored ? bulk(*stored) : null;
    if (name == "GETRANGE") return bulk(stored ? stored->substr(0, header_size) : std::string{});
    if (name == "SET") return set(command);
    if (name == "EVALSHA") return script;
    return number(1);
  }
  std::string set(const words& command) {
    if (command.at(3) == "IFEQ" ? stored != command.at(4) : command.at(3) == "NX" && stored.has_value()) return null;
    stored = command.at(2);
    return fine;
  }

  std::shared_ptr<noted<tier_read>> read(auto... change) {
    auto what = std::make_shared<noted<tier_read>>();
    what->key = "k";
    what->lease_for = 10s;
    (change(*what), ...);
    tier->read(what);
    return what;
  }
  std::shared_ptr<noted<tier_fill>> fill(const tier_nonce& lease) {
    auto what = std::make_shared<noted<tier_fill>>();
    what->key = "k";
    what->lease = lease;
    what->entry.payload = "v";
    tier->fill(what);
    return what;
  }
  std::string value(char reign, std::string payload = "v") {
    return encode_entry({.fresh_for = 1h, .payload = std::move(payload)}, {.high = 7, .low = 7}, reign_number(reign), 0,
                        {});
  }
  std::vector<std::string> sent() { return std::exchange(server.sent, {}); }
  std::size_t beats() const {
    return static_cast<std::size_t>(std::ranges::count(server.commands, "EVAL", [](const words& one) {
      return one.front();
    }));
  }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  played_server server;
  redis::capabilities can;
  std::string beat = reign_reply('A');
  std::string script = number(1);
  std::optional<std::string> stored;
  std::shared_ptr<remote_tier> tier;
};

TEST_F(remote_tier_test, the_first_call_asks_for_the_reign_in_the_same_piece) {
  stored = value('A');
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET", "GET"));
}

TEST_F(remote_tier_test, a_miss_takes_the_lease_in_a_second_round) {
  const auto first = read();
  EXPECT_EQ(first->is, outcome::leased);
  EXPECT_EQ(first->told, 1);
  EXPECT_EQ(first->ends, 1);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET", "SET GET"));
  EXPECT_EQ(decode_header(*stored)->reign, reign_number('A'));
}

TEST_F(remote_tier_test, an_expected_miss_takes_the_lease_in_the_first_round) {
  read();
  stored.reset();
  sent();
  EXPECT_EQ(read([](auto& what) { what.expects_miss = true; })->is, outcome::leased);
  EXPECT_THAT(sent(), ElementsAre("SET GET"));
}

TEST_F(remote_tier_test, what_cannot_be_taken_is_held_in_the_end) {
  server.answer = [this](const words& command) { return command.front() == "SET" ? null : reply(command); };
  EXPECT_EQ(read()->is, outcome::held);
  EXPECT_EQ(sent().size(), 4);
}

TEST_F(remote_tier_test, an_entry_of_another_reign_is_taken_over) {
  stored = value('B');
  server.answer = [this](const words& command) {
    if (command.front() == "EVALSHA") stored = command.at(5);
    return reply(command);
  };
  EXPECT_EQ(read()->is, outcome::leased);
  EXPECT_EQ(server.commands.at(2).at(4), value('B').substr(0, header_size)) << "what was seen";
  EXPECT_EQ(tier->stats().totals.takeovers, 1);
}

TEST_F(remote_tier_test, a_script_that_is_missing_is_sent_with_the_read_behind_it) {
  stored = value('B');
  beat = reign_reply('A');
  server.answer = [this](const words& command) -> std::string {
    if (command.front() == "EVALSHA") return "-NOSCRIPT no such script\r\n";
    if (command.front() == "EVAL" && command.at(3) == "k") {
      stored = command.at(5);
      return number(1);
    }
    return reply(command);
  };
  EXPECT_EQ(read()->is, outcome::leased);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET", "EVALSHA GET", "EVAL GET"));
}

TEST_F(remote_tier_test, no_answer_of_an_unknown_connection_is_believed) {
  stored = value('A');
  read();
  sent();
  server.generation = 2;
  tier->feed()->on_loss(1, tracking_loss::disconnected, 0);
  tier->feed()->on_tracking(2);
  beat = reign_reply('B');
  stored = value('B', "new");
  const auto hit = read();
  EXPECT_EQ(hit->entry.payload, "new");
  EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
}

TEST_F(remote_tier_test, an_answer_of_a_new_connection_is_asked_for_again) {
  stored = value('A');
  read();
  sent();
  server.answer = [this, first = true](const words& command) mutable {
    if (std::exchange(first, false)) {
      server.generation = 2;
      tier->feed()->on_loss(1, tracking_loss::disconnected, 0);
      tier->feed()->on_tracking(2);
    }
    return reply(command);
  };
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("GET", "EVAL GET"));
}

TEST_F(remote_tier_test, without_a_reign_reads_fail_and_say_why) {
  stored = value('A');
  beat = "-NOPERM no scripts for you\r\n";
  const auto failed = read();
  EXPECT_EQ(failed->is, outcome::failed);
  EXPECT_EQ(failed->failure->code(), cmd::make_error_code(cmd::errc::no_permission));
  EXPECT_EQ(failed->told, 0);
}

TEST_F(remote_tier_test, a_refused_lease_is_a_failure_only_where_one_is_needed) {
  server.answer = [this](const words& command) {
    return command.front() == "SET" ? std::string{"-OOM full\r\n"} : reply(command);
  };
  EXPECT_EQ(read()->failure->code(), cmd::make_error_code(cmd::errc::out_of_memory));
  stored = value('A');
  EXPECT_EQ(read([](auto& what) { what.expects_miss = true; })->is, outcome::hit);
}

TEST_F(remote_tier_test, a_lost_answer_is_a_failure_and_the_lease_is_given_back) {
  read();
  stored.reset();
  sent();
  server.answer = [this](const words& command) {
    if (command.front() == "SET") stored = command.at(2);
    return command.front() == "GET" ? std::string{} : reply(command);
  };
  EXPECT_EQ(read([](auto& what) { what.expects_miss = true; })->is, outcome::failed);
  EXPECT_THAT(sent(), ElementsAre("SET GET", "EVALSHA"));
}

// --- time -----------------------------------------------------------------------------------------------------------

TEST_F(remote_tier_test, no_command_outlives_the_budget_nor_the_callers_patience) {
  stored = value('A');
  read();
  read([](auto& what) { what.patience = 3ms; });
  read([](auto& what) { what.patience = 1min; });
  EXPECT_THAT(server.timeouts, ElementsAre(50ms, 50ms, 3ms, 50ms));
}

TEST_F(remote_tier_test, the_budget_is_for_all_rounds) {
  server.answer = [this](const words& command) {
    if (command.front() == "GET") clock->advance(30ms);
    return reply(command);
  };
  const auto late = read();
  EXPECT_EQ(late->is, outcome::leased) << "two rounds of 30 ms: the second began in time";
  stored = value('B');
  const auto failed = read();
  EXPECT_EQ(failed->is, outcome::failed);
  EXPECT_TRUE(*failed->failure == errc::timed_out);
}

TEST_F(remote_tier_test, a_heartbeat_extends_the_proof_from_when_it_was_sent) {
  stored = value('A');
  const auto hit = read();
  clock->advance(250ms);
  const time_point sent_at = clock->now();
  EXPECT_EQ(beats(), 2);
  EXPECT_TRUE(hit->proof->covers(sent_at + 999ms));
  EXPECT_FALSE(hit->proof->covers(sent_at + 1s));
}

TEST_F(remote_tier_test, an_unanswered_heartbeat_extends_nothing_and_is_not_repeated) {
  stored = value('A');
  const auto hit = read();
  server.hold = true;
  clock->advance(2s);
  EXPECT_EQ(server.waiting.size(), 1);
  EXPECT_FALSE(hit->proof->covers(clock->now()));
  server.answer_all();
  EXPECT_FALSE(hit->proof->covers(clock->now())) << "it was sent too long ago";
}

TEST_F(remote_tier_test, an_idle_tier_is_quiet_and_asks_again_before_it_trusts) {
  stored = value('A');
  read();
  clock->advance(10min);
  const std::size_t before = beats();
  EXPECT_LE(before, 242);
  clock->advance(10min);
  EXPECT_EQ(beats(), before);
  sent();
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
}

TEST_F(remote_tier_test, a_loss_ends_the_proof_of_what_was_read_before) {
  stored = value('A');
  for (const auto why : {tracking_loss::disconnected, tracking_loss::flushed, tracking_loss::slot_moved}) {
    tier->feed()->on_tracking(1);
    const auto hit = read();
    ASSERT_TRUE(hit->proof->covers(clock->now()));
    tier->feed()->on_loss(1, why, 0);
    EXPECT_FALSE(hit->proof->covers(clock->now()));
    sent();
    read();
    EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
    EXPECT_FALSE(hit->proof->covers(clock->now())) << "for good";
  }
}

TEST_F(remote_tier_test, ages_are_by_the_servers_clock) {
  beat = reign_reply('A', 1'000'000);
  stored = encode_entry({.fresh_for = 10s}, {.high = 7, .low = 7}, reign_number('A'), 1'000'000, {});
  read();
  clock->advance(4s);
  beat = reign_reply('A', 1'004'000);
  clock->advance(250ms);
  beat = reign_reply('A', 1'004'250);
  const auto hit = read();
  EXPECT_EQ(hit->is, outcome::hit);
  EXPECT_NEAR(static_cast<double>(hit->entry.fresh_for / 1ms), 5'750, 260);
}

// --- failures -------------------------------------------------------------------------------------------------------

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
  server.generation = 2;
  tier->feed()->on_loss(1, tracking_loss::disconnected, 0);
  tier->feed()->on_tracking(2);
  beat = reign_reply('B');
  EXPECT_FALSE(fill(leased->nonce)->accepted);
}

TEST_F(remote_tier_test, a_fill_over_a_new_connection_to_the_same_reign_is_accepted) {
  const auto leased = read();
  server.generation = 2;
  tier->feed()->on_loss(1, tracking_loss::disconnected, 0);
  tier->feed()->on_tracking(2);
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

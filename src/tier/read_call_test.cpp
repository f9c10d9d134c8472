// Reads, round by round, and the time that they and heartbeats take.
#include "seawall/cmd/error.hpp"
#include "test_remote.hpp"

namespace seawall::tier {
namespace {

using read_call_test = remote_tier_test;

TEST_F(read_call_test, the_first_call_asks_for_the_reign_in_the_same_piece) {
  stored = value('A');
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET", "GET"));
}

TEST_F(read_call_test, a_miss_takes_the_lease_in_a_second_round) {
  const auto first = read();
  EXPECT_EQ(first->is, outcome::leased);
  EXPECT_EQ(first->told, 1);
  EXPECT_EQ(first->ends, 1);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET", "SET GET"));
  EXPECT_EQ(decode_header(*stored)->reign, reign_number('A'));
}

TEST_F(read_call_test, an_expected_miss_takes_the_lease_in_the_first_round) {
  read();
  stored.reset();
  sent();
  EXPECT_EQ(read([](auto& what) { what.expects_miss = true; })->is, outcome::leased);
  EXPECT_THAT(sent(), ElementsAre("SET GET"));
}

TEST_F(read_call_test, what_cannot_be_taken_is_held_in_the_end) {
  server.answer = [this](const words& command) { return command.front() == "SET" ? null : reply(command); };
  EXPECT_EQ(read()->is, outcome::held);
  EXPECT_EQ(sent().size(), 4);
}

TEST_F(read_call_test, an_entry_of_another_reign_is_taken_over) {
  stored = value('B');
  server.answer = [this](const words& command) {
    if (command.front() == "EVALSHA") stored = command.at(5);
    return reply(command);
  };
  EXPECT_EQ(read()->is, outcome::leased);
  EXPECT_EQ(server.commands.at(2).at(4), value('B').substr(0, header_size)) << "what was seen";
  EXPECT_EQ(tier->stats().totals.takeovers, 1);
}

TEST_F(read_call_test, a_script_that_is_missing_is_sent_with_the_read_behind_it) {
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

TEST_F(read_call_test, no_answer_of_an_unknown_connection_is_believed) {
  stored = value('A');
  read();
  sent();
  reconnect();
  beat = reign_reply('B');
  stored = value('B', "new");
  const auto hit = read();
  EXPECT_EQ(hit->entry.payload, "new");
  EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
}

TEST_F(read_call_test, an_answer_of_a_new_connection_is_asked_for_again) {
  stored = value('A');
  read();
  sent();
  server.answer = [this, first = true](const words& command) mutable {
    if (std::exchange(first, false)) {
      reconnect();
    }
    return reply(command);
  };
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("GET", "EVAL GET"));
}

TEST_F(read_call_test, without_a_reign_reads_fail_and_say_why) {
  stored = value('A');
  beat = "-NOPERM no scripts for you\r\n";
  const auto failed = read();
  EXPECT_EQ(failed->is, outcome::failed);
  EXPECT_EQ(failed->failure->code(), cmd::make_error_code(cmd::errc::no_permission));
  EXPECT_EQ(failed->told, 0);
}

TEST_F(read_call_test, a_refused_lease_is_a_failure_only_where_one_is_needed) {
  server.answer = [this](const words& command) {
    return command.front() == "SET" ? std::string{"-OOM full\r\n"} : reply(command);
  };
  EXPECT_EQ(read()->failure->code(), cmd::make_error_code(cmd::errc::out_of_memory));
  stored = value('A');
  EXPECT_EQ(read([](auto& what) { what.expects_miss = true; })->is, outcome::hit);
}

TEST_F(read_call_test, a_reader_that_takes_no_lease_is_told_in_order) {
  const auto no_lease = [](auto& what) { what.takes_lease = false; };
  for (const auto& there : {std::optional<std::string>{}, std::optional{value('B')}, std::optional<std::string>{"x"}}) {
    stored = there;
    const auto held = read(no_lease);
    EXPECT_EQ(held->is, outcome::held);
    EXPECT_EQ(held->told, 1);
    EXPECT_EQ(stored, there);
  }
}

TEST_F(read_call_test, a_record_that_changes_is_read_again) {
  stored = value('A');
  read();
  sent();
  tier->feed()->on_invalidate(1, "seawall:reign");
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
}

TEST_F(read_call_test, a_lost_answer_is_a_failure_and_the_lease_is_given_back) {
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

TEST_F(read_call_test, no_claim_is_sent_twice_though_its_answer_was_lost) {
  read();
  stored.reset();
  sent();
  std::vector<std::string> claims;
  server.answer = [&](const words& command) {
    if (command.front() != "SET") return reply(command);
    claims.push_back(command.at(2));
    if (claims.size() > 1) return reply(command);
    reconnect();
    return std::string{};
  };
  const auto leased = read([](auto& what) { what.expects_miss = true; });
  ASSERT_EQ(leased->is, outcome::leased);
  EXPECT_THAT(sent(), ElementsAre("SET GET", "EVAL GET", "SET GET"));
  ASSERT_EQ(claims.size(), 2);
  EXPECT_NE(decode_header(claims.front())->nonce, leased->nonce) << "the lost one may be executed during the load";
  EXPECT_EQ(decode_header(claims.back())->nonce, leased->nonce);
}

TEST_F(read_call_test, a_refresh_that_finds_nothing_has_the_lease_and_the_right_only_if_it_got_it) {
  read();
  for (const bool gets_right : {false, true}) {
    stored.reset();
    server.answer = [&](const words& command) {
      if (command.front() == "SET" && command.at(1) != "k") return gets_right ? fine : null;
      return reply(command);
    };
    const auto leased = read([](auto& what) { what.refresh = true; });
    EXPECT_EQ(leased->is, outcome::leased);
    EXPECT_EQ(leased->nonce, decode_header(*stored)->nonce);
    EXPECT_EQ(leased->refresh, gets_right) << "the fill gives back what the read has";
  }
}

TEST_F(read_call_test, a_claim_that_was_not_answered_is_good_once_it_is_seen) {
  read();
  stored.reset();
  std::string lost;
  server.answer = [&](const words& command) {
    if (command.front() != "SET") return reply(command);
    if (!lost.empty()) {
      stored = lost;
      return reply(command);
    }
    lost = command.at(2);
    reconnect();
    return std::string{};
  };
  const auto leased = read([](auto& what) { what.expects_miss = true; });
  EXPECT_EQ(leased->is, outcome::leased);
  EXPECT_EQ(leased->nonce, decode_header(lost)->nonce);
}

// --- time -----------------------------------------------------------------------------------------------------------

TEST_F(read_call_test, no_command_outlives_the_budget_nor_the_callers_patience) {
  stored = value('A');
  read();
  read([](auto& what) { what.patience = 3ms; });
  read([](auto& what) { what.patience = 1min; });
  EXPECT_THAT(server.timeouts, ElementsAre(50ms, 50ms, 3ms, 50ms));
}

TEST_F(read_call_test, the_budget_is_for_all_rounds) {
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

TEST_F(read_call_test, a_heartbeat_extends_the_proof_from_when_it_was_sent) {
  stored = value('A');
  const auto hit = read();
  clock->advance(250ms);
  const time_point sent_at = clock->now();
  EXPECT_EQ(beats(), 2);
  EXPECT_TRUE(hit->proof->covers(sent_at + 999ms));
  EXPECT_FALSE(hit->proof->covers(sent_at + 1s));
}

TEST_F(read_call_test, an_unanswered_heartbeat_extends_nothing_and_is_not_repeated) {
  stored = value('A');
  const auto hit = read();
  server.hold = true;
  clock->advance(2s);
  EXPECT_EQ(server.waiting.size(), 1);
  EXPECT_FALSE(hit->proof->covers(clock->now()));
  server.answer_all();
  EXPECT_FALSE(hit->proof->covers(clock->now())) << "it was sent too long ago";
}

TEST_F(read_call_test, an_idle_tier_is_quiet_and_asks_again_before_it_trusts) {
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

TEST_F(read_call_test, a_loss_ends_the_proof_of_what_was_read_before) {
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

TEST_F(read_call_test, ages_are_by_the_servers_clock) {
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
  EXPECT_NEAR(static_cast<double>(hit->entry.age / 1ms), 4'250, 260);
}

}  // namespace
}  // namespace seawall::tier

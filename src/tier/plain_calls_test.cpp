// Keys whose values are stored plain, round by round. What the programs do is in tests/tier/plain_test.cpp.
#include "core.hpp"
#include "plain_scripts.hpp"
#include "seawall/cmd/error.hpp"
#include "test_remote.hpp"

namespace seawall::tier {
namespace {

class plain_calls_test : public remote_tier_test {
 protected:
  void SetUp() override {
    remote_tier_test::SetUp();
    server.answer = [this](const words& command) { return plain_reply(command); };
  }

  std::string plain_reply(const words& command) {
    if (command.front() == "PTTL") return ttl;
    if (command.front() != "EVALSHA") return reply(command);
    return command.at(1) == plain_claim_script().digest() ? claim : script;
  }

  std::shared_ptr<noted<tier_read>> ask(auto... change) {
    return read([](auto& what) { what.format = shared_format::plain; }, change...);
  }
  std::shared_ptr<noted<tier_fill>> fill_plain(std::string value) {
    auto what = std::make_shared<noted<tier_fill>>();
    what->key = "k";
    what->format = shared_format::plain;
    what->entry = {.fresh_for = 1500us, .payload = std::move(value)};
    tier->fill(what);
    return what;
  }

  std::string claim = number(1);
  std::string ttl = number(60'000);
};

TEST_F(plain_calls_test, a_hit_is_one_round) {
  stored = "v";
  const auto hit = ask();
  EXPECT_EQ(hit->is, outcome::hit);
  EXPECT_EQ(hit->told, 1);
  EXPECT_EQ(hit->entry.fresh_for, 60s);
  EXPECT_EQ(ask()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET PTTL", "GET PTTL"));
}

TEST_F(plain_calls_test, the_time_to_live_counts_from_the_question) {
  stored = "v";
  ask();
  server.hold = true;
  const auto slow = ask();
  clock->advance(10ms);
  server.answer_all();
  EXPECT_EQ(slow->entry.fresh_for, 60s - 10ms);
  server.hold = false;
  for (const auto& [left, life] : {std::pair{-1, forever}, {0, duration{1}}, {-2, duration{1}}}) {
    ttl = number(left);
    EXPECT_EQ(ask()->entry.fresh_for, life) << left;
  }
}

TEST_F(plain_calls_test, a_miss_takes_the_lease_in_a_second_round) {
  const auto leased = ask();
  EXPECT_EQ(leased->is, outcome::leased);
  EXPECT_EQ(leased->told, 1);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET PTTL", "EVALSHA GET PTTL"));
  EXPECT_THAT(server.commands.at(3), testing::Contains("{k}:l"));
  EXPECT_EQ(ask([](auto& what) { what.expects_miss = true; })->is, outcome::leased);
  EXPECT_THAT(sent(), ElementsAre("EVALSHA GET PTTL"));
}

TEST_F(plain_calls_test, what_the_answers_make_of_a_read) {
  const std::string no_memory = "-OOM command not allowed\r\n";
  const struct {
    const char* what;
    std::optional<std::string> stored;
    std::string claim;
    std::string ttl;
    bool takes_lease;
    outcome is;
  } cases[] = {
      {"another's lease", std::nullopt, number(0), number(-2), true, outcome::held},
      {"a look", std::nullopt, number(1), number(-2), false, outcome::held},
      {"no room for a lease", std::nullopt, no_memory, number(-2), true, outcome::failed},
      {"a value, and no room", "v", no_memory, number(9), true, outcome::hit},
      {"no time to live", "v", number(1), no_memory, true, outcome::failed},
      {"a value that is too long", std::string(101, 'x'), number(1), number(9), true, outcome::leased},
  };
  make({.canary_interval = 0s, .advise = false, .max_payload = 100});
  for (const auto& one : cases) {
    stored = one.stored;
    claim = one.claim;
    ttl = one.ttl;
    const auto came = ask([&](auto& what) { what.takes_lease = one.takes_lease; });
    EXPECT_EQ(came->is, one.is) << one.what;
    EXPECT_EQ(came->ends, 1) << one.what;
    EXPECT_EQ(came->failure.has_value(), one.is == outcome::failed) << one.what;
  }
}

TEST_F(plain_calls_test, a_lease_that_is_not_needed_is_given_back) {
  ask();
  sent();
  server.answer = [this](const words& command) {
    if (command.front() == "GET") stored = "another's";
    return plain_reply(command);
  };
  EXPECT_EQ(ask([](auto& what) { what.expects_miss = true; })->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVALSHA GET PTTL", "EVALSHA"));
  EXPECT_EQ(server.commands.back().at(1), plain_release_script().digest());
}

TEST_F(plain_calls_test, no_claim_is_sent_twice_though_its_answer_was_lost) {
  ask();
  sent();
  std::vector<words> claims;
  server.answer = [&](const words& command) {
    if (command.front() != "EVALSHA") return plain_reply(command);
    claims.push_back(command);
    if (claims.size() > 1) return plain_reply(command);
    reconnect();
    return std::string{};
  };
  const auto leased = ask([](auto& what) { what.expects_miss = true; });
  ASSERT_EQ(leased->is, outcome::leased);
  EXPECT_THAT(sent(), ElementsAre("EVALSHA GET PTTL", "EVAL GET PTTL", "EVALSHA GET PTTL"));
  ASSERT_EQ(claims.size(), 2);
  const auto nonce = [](const words& claim) { return claim.at(5).substr(0, nonce_size); };
  EXPECT_NE(nonce(claims.front()), nonce(claims.back())) << "the lost one may be executed during the load";
  EXPECT_EQ(nonce(claims.back()), bytes_of(leased->nonce));
  EXPECT_EQ(claims.front().at(8), "");
  EXPECT_EQ(claims.back().at(8), nonce(claims.front())) << "which it replaces";
}

TEST_F(plain_calls_test, a_read_without_an_answer_gives_all_its_claims_back) {
  ask();
  sent();
  std::vector<std::string> claimed;
  std::vector<std::string> released;
  server.answer = [&](const words& command) {
    if (command.front() != "EVALSHA") return command.front() == "GET" && claimed.size() > 1 ? "" : plain_reply(command);
    if (command.at(1) != plain_claim_script().digest()) {
      released.push_back(command.at(4));
      return number(1);
    }
    claimed.push_back(command.at(5).substr(0, nonce_size));
    reconnect();
    return std::string{};
  };
  EXPECT_EQ(ask([](auto& what) { what.expects_miss = true; })->is, outcome::failed);
  EXPECT_EQ(claimed.size(), 2);
  EXPECT_EQ(released, claimed);
}

TEST_F(plain_calls_test, a_new_connection_is_asked_for_its_reign_before_it_is_believed) {
  stored = "v";
  ask();
  sent();
  server.generation = 2;
  tier->feed()->on_tracking(2);
  EXPECT_EQ(ask()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET PTTL"));
}

TEST_F(plain_calls_test, a_fill_is_proved_by_what_is_read_back) {
  ask();
  for (const auto& [there, told] : {std::pair{"v", 1}, {"another's", 0}}) {
    stored = there;
    const auto filled = fill_plain("v");
    EXPECT_TRUE(filled->accepted);
    EXPECT_EQ(filled->told, told) << there;
    EXPECT_EQ(filled->proof != nullptr, told == 1) << there;
  }
  EXPECT_EQ(server.commands.at(server.commands.size() - 2).back(), "2") << "milliseconds, rounded up";
  stored.reset();
  EXPECT_EQ(fill_plain("")->told, 0) << "nothing is no empty value";
}

TEST_F(plain_calls_test, a_fill_that_is_not_taken_or_fails) {
  ask();
  script = number(0);
  EXPECT_FALSE(fill_plain("v")->accepted);
  EXPECT_EQ(tier->stats().totals.rejected_fills, 1);
  script = "-OOM command not allowed\r\n";
  sent();
  const auto failed = fill_plain("v");
  EXPECT_FALSE(failed->accepted);
  EXPECT_TRUE(failed->failure);
  EXPECT_THAT(sent(), ElementsAre("EVALSHA GET", "EVALSHA")) << "its lease is given back";
  make({.canary_interval = 0s, .advise = false, .max_payload = 3});
  ask();
  EXPECT_TRUE(*fill_plain("long")->failure == errc::invalid_argument);
}

TEST_F(plain_calls_test, leases_go_before_their_keys) {
  auto what = std::make_shared<noted<tier_invalidation>>();
  what->keys = {"a", "{t}b"};
  what->format = shared_format::plain;
  tier->invalidate(what);
  EXPECT_THAT(server.commands.back(), ElementsAre("UNLINK", "{a}:l", "a", "{t}b:l", "{t}b"));
}

}  // namespace
}  // namespace seawall::tier

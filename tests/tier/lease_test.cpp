// Two processes and one server: who loads, what is stored, and what takes a lease away.
#include "tier_support.hpp"

namespace seawall {
namespace {

using lease_test = shared_tier_test;

TEST_F(lease_test, one_loads_and_the_others_wait_and_read) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  const auto leased = a.read("c:k");
  EXPECT_EQ(leased->is, outcome::leased);
  EXPECT_EQ(b.text("c:k"), "held");
  EXPECT_EQ(a.text("c:k"), "held") << "another caller of the same process is another one";
  EXPECT_TRUE(a.fill("c:k", leased->nonce, value_of("v"))->accepted);
  EXPECT_EQ(b.text("c:k"), "v");
  EXPECT_EQ(a.text("c:k"), "v");
}

TEST_F(lease_test, an_entry_comes_back_as_it_was) {
  member a{server->port(), patient()};
  const tier_entry entry{.version = 7,
                         .schema = 9,
                         .fresh_for = 30s,
                         .keep_for = 1min,
                         .load_time = 20ms,
                         .payload = std::string(5000, 'x')};
  ASSERT_TRUE(a.load("c:k", entry)->accepted);
  const auto hit = a.read("c:k");
  ASSERT_EQ(hit->is, outcome::hit);
  EXPECT_EQ(hit->entry.version, 7);
  EXPECT_EQ(hit->entry.schema, 9);
  EXPECT_EQ(hit->entry.payload, entry.payload);
  EXPECT_EQ(hit->entry.load_time, entry.load_time);
  EXPECT_GT(hit->entry.fresh_for, 0s);
  EXPECT_LE(hit->entry.fresh_for, 30s + 1s);
  const auto left = std::stoll(server->run({"PTTL", "c:k"}).text);
  EXPECT_GT(left, 1000);
  EXPECT_LE(left, 60'000);
}

TEST_F(lease_test, an_absence_is_an_entry) {
  member a{server->port(), patient()};
  ASSERT_TRUE(a.load("c:k", {.absent = true, .fresh_for = 1s, .keep_for = 1min})->accepted);
  EXPECT_EQ(a.text("c:k"), "(absent)");
}

TEST_F(lease_test, an_invalidation_takes_the_lease_away) {  // A1
  member a{server->port(), patient()}, b{server->port(), patient()};
  const auto leased = a.read("c:k");
  const auto removed = b.invalidate({"c:k", "c:other"});
  EXPECT_FALSE(removed->failure);
  EXPECT_EQ(removed->removed, 1);
  const auto filled = a.fill("c:k", leased->nonce, value_of("old"));
  EXPECT_FALSE(filled->accepted);
  EXPECT_FALSE(filled->failure);
  EXPECT_EQ(a.tier->stats().totals.rejected_fills, 1);
  EXPECT_EQ(b.text("c:k"), "leased");
}

TEST_F(lease_test, a_flush_takes_the_lease_away) {  // A7
  member a{server->port(), patient()};
  const auto leased = a.read("c:k");
  server->run({"FLUSHALL"});
  EXPECT_FALSE(a.fill("c:k", leased->nonce, value_of("old"))->accepted);
}

TEST_F(lease_test, a_fill_needs_its_own_lease) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  const auto first = a.read("c:k");
  b.invalidate({"c:k"});
  const auto second = b.read("c:k");
  ASSERT_EQ(second->is, outcome::leased);
  EXPECT_FALSE(a.fill("c:k", first->nonce, value_of("old"))->accepted);
  EXPECT_TRUE(b.fill("c:k", second->nonce, value_of("new"))->accepted);
  EXPECT_EQ(a.text("c:k"), "new");
}

TEST_F(lease_test, what_was_filled_is_filled_once) {
  member a{server->port(), patient()};
  const auto leased = a.read("c:k");
  EXPECT_TRUE(a.fill("c:k", leased->nonce, value_of("one"))->accepted);
  EXPECT_FALSE(a.fill("c:k", leased->nonce, value_of("two"))->accepted);
  EXPECT_EQ(a.text("c:k"), "one");
}

TEST_F(lease_test, a_lease_that_is_given_back_is_free) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  const auto leased = a.read("c:k");
  a.tier->release("c:k", leased->nonce, false);
  servers::wait_until("the lease is free", [&] { return b.text("c:k") == "leased"; });
}

TEST_F(lease_test, only_the_holder_gives_a_lease_back) {  // A19
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.read("c:k");
  b.tier->release("c:k", {.high = 1, .low = 2}, false);
  EXPECT_EQ(b.text("c:k"), "held");  // on the same connection, so after the release
}

TEST_F(lease_test, the_lease_of_a_dead_holder_ends) {
  member b{server->port(), patient()};
  {
    member a{server->port(), patient()};
    ASSERT_EQ(a.read("c:k", {.lease_for = 50ms})->is, outcome::leased);
  }
  EXPECT_EQ(b.text("c:other"), "leased");
  servers::wait_until("the lease ends", [&] { return b.text("c:k") == "leased"; });
}

TEST_F(lease_test, an_expected_miss_takes_one_round_trip) {
  member a{server->port(), patient()};
  a.read("c:first");  // the connection is known from here on
  const auto before = std::stoll(server->info("total_commands_processed"));
  EXPECT_EQ(a.read("c:k", {.expects_miss = true})->is, outcome::leased);
  const auto after = std::stoll(server->info("total_commands_processed"));
  EXPECT_LT(after - before, 6) << "SET and GET, and what counts them";
  EXPECT_EQ(a.read("c:k", {.expects_miss = true})->is, outcome::held);
}

TEST_F(lease_test, a_reader_that_takes_no_lease_leaves_it_to_others) {
  member a{server->port(), patient()};
  EXPECT_EQ(a.read("c:k", {.takes_lease = false})->is, outcome::held);
  EXPECT_EQ(a.text("c:k"), "leased");
}

TEST_F(lease_test, an_entry_of_no_use_is_leased_away) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.load("c:k", value_of("undecodable to b", 5));
  const auto seen = b.read("c:k");
  ASSERT_EQ(seen->is, outcome::hit);
  const auto leased = b.read("c:k", {.unusable = seen->nonce});
  ASSERT_EQ(leased->is, outcome::leased);
  EXPECT_EQ(b.tier->stats().totals.takeovers, 1);
  EXPECT_EQ(a.text("c:k"), "held");
  EXPECT_FALSE(b.fill("c:k", leased->nonce, value_of("older", 4))->accepted) << "the floor stays";
  EXPECT_TRUE(b.fill("c:k", leased->nonce, value_of("as old", 5))->accepted);
  const auto other = b.read("c:k", {.unusable = seen->nonce});
  EXPECT_EQ(member::text_of(*other), "as old") << "another entry is not meant";
}

TEST_F(lease_test, foreign_bytes_are_leased_away) {
  member a{server->port(), patient()};
  for (const std::string bytes : {"", "x", "{\"json\": \"of an older version\", \"of\": \"the same service\"}"}) {
    server->run({"SET", "c:k", bytes});
    EXPECT_TRUE(a.load("c:k", value_of("v"))->accepted) << bytes;
    EXPECT_EQ(a.text("c:k"), "v");
  }
}

TEST_F(lease_test, a_key_of_another_type_fails_and_harms_nobody) {
  member a{server->port(), patient()};
  server->run({"RPUSH", "c:k", "v"});
  const auto read = a.read("c:k");
  EXPECT_EQ(read->is, outcome::failed);
  EXPECT_EQ(read->failure->code(), cmd::make_error_code(cmd::errc::wrong_type));
  EXPECT_EQ(a.text("c:other"), "leased");
}

TEST_F(lease_test, scripts_that_the_server_forgot_are_sent_again) {
  member a{server->port(), patient()};
  for (int i = 0; i < 3; ++i) {
    const std::string key = "c:" + std::to_string(i);
    const auto leased = a.read(key);
    server->run({"SCRIPT", "FLUSH"});
    const auto filled = a.fill(key, leased->nonce, value_of("v"));
    EXPECT_TRUE(filled->accepted);
    EXPECT_TRUE(filled->proof);
  }
}

}  // namespace
}  // namespace seawall

// Servers that are away, full or slow, and the invalidations that wait for them; refreshes and puts.
#include "tier_support.hpp"

namespace seawall {
namespace {

using servers::redis_server;
using servers::wait_until;

class tier_failure_test : public shared_tier_test {
 protected:
  void fill_up() { server->run({"CONFIG", "SET", "maxmemory", "1"}); }
  void make_room() { server->run({"CONFIG", "SET", "maxmemory", "0"}); }
};

TEST_F(tier_failure_test, a_full_server_still_answers_reads_and_takes_no_leases) {  // A18
  member a{server->port(), patient()};
  a.load("c:k", value_of("v"));
  fill_up();
  EXPECT_EQ(a.text("c:k"), "v");
  const auto missed = a.read("c:other");
  EXPECT_EQ(missed->is, outcome::failed);
  EXPECT_EQ(missed->failure->code(), cmd::make_error_code(cmd::errc::out_of_memory));
  EXPECT_FALSE(a.invalidate({"c:k"})->failure);
  make_room();
  EXPECT_EQ(a.text("c:k"), "leased");
  EXPECT_EQ(a.text("c:other"), "leased");
}

TEST_F(tier_failure_test, a_full_server_refuses_a_fill_and_the_lease_is_free) {
  member a{server->port(), patient()};
  const auto leased = a.read("c:k");
  fill_up();
  const auto filled = a.fill("c:k", leased->nonce, value_of("v"));
  EXPECT_FALSE(filled->accepted);
  EXPECT_TRUE(filled->failure);
  make_room();
  wait_until("the lease is free", [&] { return a.text("c:k") == "leased"; });
}

TEST_F(tier_failure_test, a_full_server_still_begins_reigns_and_replaces) {
  member a{server->port(), patient()};
  a.load("c:k", value_of("old", 1));
  server->run({"DEL", "seawall:reign"});
  fill_up();
  member b{server->port(), patient()};
  EXPECT_EQ(b.text("c:k"), "leased") << "taken over from the reign before";
  make_room();
}

TEST_F(tier_failure_test, a_dead_server_costs_little) {
  const auto port = server->port();
  member a{port, {.budget = 20ms, .breaker = {.in_a_row = 3, .first_pause = 10s, .most_pause = 10s}}};
  server->kill();
  for (int i = 0; i < 6; ++i) EXPECT_EQ(a.text("c:k"), "failed");
  const auto said = a.tier->stats();
  EXPECT_EQ(said.breaker, tier::breaker_state::open);
  EXPECT_EQ(said.totals.failures_breaker, 3);
  EXPECT_EQ(said.totals.failures_timeout + said.totals.failures_transport, 3);
}

TEST_F(tier_failure_test, a_silent_server_costs_the_budget) {
  member a{server->port(), {.budget = 20ms}};
  wait_until("it answers", [&] { return a.text("c:k") != "failed"; });
  server->pause();
  const auto read = a.read("c:k");
  EXPECT_EQ(read->is, outcome::failed);
  EXPECT_TRUE(*read->failure == errc::timed_out) << read->failure->message();
  server->resume();
}

TEST_F(tier_failure_test, an_invalidation_waits_for_the_server_and_its_key_is_not_read) {
  member a{server->port(), {.heartbeat = 20ms, .budget = 2s, .breaker = {.enabled = false}}};
  a.load("c:k", value_of("old"));
  a.load("c:other", value_of("kept"));
  server->pause();
  // What has no time fails.
  auto what = std::make_shared<waited<tier_invalidation>>();
  what->keys = {"c:k"};
  what->patience = 1ms;
  a.tier->invalidate(what);
  a.tier->wait(what->done);
  EXPECT_TRUE(what->failure);
  EXPECT_EQ(what->undelivered, 1);
  EXPECT_EQ(a.tier->stats().undelivered, 1);
  const auto read = a.read("c:k");
  EXPECT_EQ(read->is, outcome::failed) << "at once";
  server->resume();
  wait_until("it is delivered", [&] { return a.tier->stats().undelivered == 0; });
  EXPECT_GE(a.tier->stats().totals.replayed_keys, 1);
  EXPECT_EQ(a.text("c:k"), "leased");
  EXPECT_EQ(a.text("c:other"), "kept");
}

TEST_F(tier_failure_test, invalidations_are_delivered_after_a_restart) {
  member a{server->port(), {.heartbeat = 20ms, .budget = 100ms, .breaker = {.enabled = false}}};
  wait_until("it answers", [&] { return a.text("c:first") != "failed"; });
  server->kill();
  const auto lost = a.invalidate({"c:a", "c:b"});
  EXPECT_TRUE(lost->failure);
  EXPECT_EQ(lost->undelivered, 2);
  server->restart();
  wait_until("they are delivered", [&] { return a.tier->stats().undelivered == 0; });
}

TEST_F(tier_failure_test, too_many_invalidations_make_their_whole_cache_invalid) {
  member a{server->port(), {.heartbeat = 20ms,
                            .budget = 100ms,
                            .breaker = {.enabled = false},
                            .undelivered = {.keys = 2}}};
  wait_until("it answers", [&] { return a.text("c:first") != "failed"; });
  const auto store = [&](const std::string& key, const std::string& prefix) {
    const auto leased = a.read(key, {.prefix = prefix});
    tier_entry entry = value_of("old");
    entry.tags = leased->stamps;
    ASSERT_TRUE(a.fill(key, leased->nonce, std::move(entry))->accepted);
  };
  store("c:k", "c:");
  store("d:k", "d:");
  server->pause();
  a.invalidate({"c:1", "c:2", "c:k"});
  EXPECT_EQ(a.text("c:5"), "failed") << "any key may be meant";
  server->resume();
  wait_until("it is delivered", [&] { return a.tier->stats().undelivered == 0; });
  EXPECT_EQ(member::text_of(*a.read("c:k", {.prefix = "c:"})), "leased");
  EXPECT_EQ(member::text_of(*a.read("d:k", {.prefix = "d:"})), "old") << "another cache";
}

TEST_F(tier_failure_test, destroyed_it_calls_nobody_back_and_has_ended_all_calls) {
  member a{server->port(), patient()};
  a.read("c:first");
  server->pause();
  auto what = std::make_shared<waited<tier_read>>();
  what->key = "c:k";
  a.tier->read(what);
  a.tier.reset();
  EXPECT_TRUE(what->done.load());
  EXPECT_TRUE(*what->failure == errc::closed) << what->failure->message();
  EXPECT_EQ(what.use_count(), 1);
  server->resume();
}

// --- refresh --------------------------------------------------------------------------------------------------------

TEST_F(tier_failure_test, one_refreshes_what_is_stale) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.load("c:k", {.fresh_for = -1s, .keep_for = 1h, .payload = "stale"});
  const auto right = a.read("c:k", {.refresh = true});
  EXPECT_EQ(right->is, outcome::leased);
  EXPECT_EQ(b.read("c:k", {.refresh = true})->is, outcome::held);
  EXPECT_EQ(b.text("c:k"), "stale") << "it is served meanwhile";
  EXPECT_TRUE(a.fill("c:k", right->nonce, value_of("fresh"), true)->accepted);
  EXPECT_EQ(member::text_of(*b.read("c:k", {.refresh = true})), "fresh");
  EXPECT_EQ(server->run({"EXISTS", "{c:k}:r"}).text, "0") << "the right is given back";
}

TEST_F(tier_failure_test, a_refresh_does_not_store_over_an_invalidation) {  // A14
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.load("c:k", {.fresh_for = -1s, .keep_for = 1h, .payload = "stale"});
  const auto right = a.read("c:k", {.refresh = true});
  b.invalidate({"c:k"});
  EXPECT_FALSE(a.fill("c:k", right->nonce, value_of("old"), true)->accepted);
  EXPECT_EQ(b.text("c:k"), "leased");
}

TEST_F(tier_failure_test, a_refresh_ahead_names_what_it_saw) {
  member a{server->port(), patient()};
  a.load("c:k", value_of("soon stale"));
  const auto seen = a.read("c:k");
  EXPECT_EQ(a.read("c:k", {.refresh = true})->is, outcome::hit) << "fresh";
  const auto right = a.read("c:k", {.refresh = true, .unusable = seen->nonce});
  ASSERT_EQ(right->is, outcome::leased);
  EXPECT_EQ(a.text("c:k"), "soon stale");
  EXPECT_TRUE(a.fill("c:k", right->nonce, value_of("fresh"), true)->accepted);
}

TEST_F(tier_failure_test, a_refresh_of_what_is_gone_is_a_read) {
  member a{server->port(), patient()};
  const auto leased = a.read("c:k", {.refresh = true});
  ASSERT_EQ(leased->is, outcome::leased);
  EXPECT_TRUE(a.fill("c:k", leased->nonce, value_of("v"), true)->accepted);
  EXPECT_EQ(server->run({"EXISTS", "{c:k}:r"}).text, "0");
}

TEST_F(tier_failure_test, a_failed_refresh_is_given_back) {
  member a{server->port(), patient()}, b{server->port(), patient()};
  a.load("c:k", {.fresh_for = -1s, .keep_for = 1h, .payload = "stale"});
  const auto right = a.read("c:k", {.refresh = true});
  a.tier->release("c:k", right->nonce, true);
  wait_until("another may", [&] { return b.read("c:k", {.refresh = true})->is == outcome::leased; });
}

// --- put ------------------------------------------------------------------------------------------------------------

TEST_F(tier_failure_test, a_put_replaces_what_is_older) {  // A3
  member a{server->port(), patient()};
  a.load("c:k", value_of("two", 2));
  EXPECT_TRUE(a.put("c:k", value_of("three", 3))->replaced);
  EXPECT_EQ(a.text("c:k"), "three");
  EXPECT_FALSE(a.put("c:k", value_of("late", 2))->replaced);
  EXPECT_EQ(a.text("c:k"), "three");
}

TEST_F(tier_failure_test, a_put_compares_all_64_bits) {
  member a{server->port(), patient()};
  constexpr std::uint64_t large = (std::uint64_t{1} << 63) + 1;
  a.load("c:k", value_of("old", large));
  EXPECT_FALSE(a.put("c:k", value_of("same", large))->replaced);
  EXPECT_TRUE(a.put("c:k", value_of("new", large + 1))->replaced);
}

TEST_F(tier_failure_test, a_put_creates_nothing) {  // A4
  member a{server->port(), patient()};
  EXPECT_FALSE(a.put("c:k", value_of("v", 3))->replaced);
  EXPECT_EQ(a.text("c:k"), "leased");
}

TEST_F(tier_failure_test, a_put_raises_the_floor_of_a_lease) {
  member a{server->port(), patient()};
  const auto leased = a.read("c:k");
  EXPECT_FALSE(a.put("c:k", value_of("v", 3))->replaced);
  EXPECT_FALSE(a.fill("c:k", leased->nonce, value_of("old", 2))->accepted);
  EXPECT_FALSE(a.fill("c:k", leased->nonce, {.absent = true, .keep_for = 1min})->accepted) << "A12";
  EXPECT_TRUE(a.fill("c:k", leased->nonce, value_of("new", 3))->accepted);
}

TEST_F(tier_failure_test, a_put_removes_what_it_cannot_compare) {
  member a{server->port(), patient()};
  a.load("c:k", value_of("without a version"));
  EXPECT_FALSE(a.put("c:k", value_of("v", 3))->replaced);
  EXPECT_EQ(a.text("c:k"), "leased");
}

TEST_F(tier_failure_test, a_put_goes_through_on_a_full_server) {
  member a{server->port(), patient()};
  a.load("c:k", value_of("two", 2));
  fill_up();
  EXPECT_TRUE(a.put("c:k", value_of("three", 3))->replaced);
  make_room();
  EXPECT_EQ(a.text("c:k"), "three");
}

TEST_F(tier_failure_test, a_put_that_failed_becomes_an_invalidation) {
  member a{server->port(), {.heartbeat = 20ms, .budget = 100ms, .breaker = {.enabled = false}}};
  wait_until("it answers", [&] { return a.text("c:k") != "failed"; });
  server->kill();
  EXPECT_TRUE(a.put("c:k", value_of("v", 3))->failure);
  EXPECT_EQ(a.tier->stats().undelivered, 1);
}

}  // namespace
}  // namespace seawall

// Keys that hold bare values, shared with programs that know nothing of the tier: here, the server's own commands.
#include "seawall/cache.hpp"
#include "tier_support.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace seawall {
namespace {

using servers::wait_until;

class plain_tier : public shared_tier_test {
 protected:
  member join() {
    member made{server->port(), patient()};
    made.format = shared_format::plain;
    return made;
  }
  std::string get(const std::string& key) { return server->run({"GET", key}).text; }
  bool has(const std::string& key) { return server->run({"EXISTS", key}).text == "1"; }
};

TEST_F(plain_tier, a_foreign_value_is_a_hit_for_as_long_as_its_key_lives) {
  member a = join();
  server->run({"SET", "c:k", "v", "PX", "60000"});
  const auto hit = a.read("c:k");
  EXPECT_EQ(member::text_of(*hit), "v");
  EXPECT_TRUE(covers(hit->proof));
  EXPECT_GT(hit->entry.fresh_for, 10s);
  EXPECT_LE(hit->entry.fresh_for, 60s);
  server->run({"SET", "c:k", ""});
  const auto other = a.read("c:k");
  EXPECT_EQ(other->is, outcome::hit) << "an empty value is one";
  EXPECT_EQ(other->entry.fresh_for, forever);
}

TEST_F(plain_tier, what_is_stored_is_the_value_and_nothing_else) {
  member a = join(), b = join();
  const auto filled = a.load("c:k", {.fresh_for = 30s, .keep_for = 1h, .payload = "v"});
  EXPECT_TRUE(filled->accepted);
  EXPECT_TRUE(covers(filled->proof));
  EXPECT_EQ(get("c:k"), "v");
  EXPECT_FALSE(has("{c:k}:l"));
  const auto left = std::stoll(server->run({"PTTL", "c:k"}).text);
  EXPECT_GT(left, 1000);
  EXPECT_LE(left, 30'000);
  EXPECT_EQ(b.text("c:k"), "v");
  ASSERT_TRUE(a.load("c:for ever", {.fresh_for = forever, .payload = "v"})->accepted);
  EXPECT_EQ(server->run({"PTTL", "c:for ever"}).text, "-1");
}

TEST_F(plain_tier, one_loads_and_the_others_wait) {
  member a = join(), b = join();
  const auto leased = a.read("c:k");
  EXPECT_EQ(leased->is, outcome::leased);
  EXPECT_EQ(b.text("c:k"), "held");
  EXPECT_EQ(a.read("c:k", {.expects_miss = true})->is, outcome::held);
  EXPECT_FALSE(has("c:k")) << "a lease is no value";
  EXPECT_TRUE(a.fill("c:k", leased->nonce, value_of("v"))->accepted);
  wait_until("it is told", [&] { return b.cache->has("k"); });
  EXPECT_EQ(b.text("c:k"), "v");
  EXPECT_FALSE(a.fill("c:k", leased->nonce, value_of("twice"))->accepted);
  EXPECT_EQ(a.read("c:new", {.expects_miss = true})->is, outcome::leased);
}

TEST_F(plain_tier, a_lease_that_is_given_back_is_free) {
  member a = join(), b = join();
  const auto leased = a.read("c:k");
  b.tier->release_plain("c:k", {.high = 1, .low = 2});
  EXPECT_EQ(b.text("c:k"), "held") << "only its holder gives it back";
  a.tier->release_plain("c:k", leased->nonce);
  wait_until("the lease is free", [&] { return b.text("c:k") == "leased"; });
}

// What happens to a key while it is loaded, and whether the load is stored.
TEST_F(plain_tier, a_fill_gives_way_to_what_happened_meanwhile) {
  member a = join(), b = join();
  const struct {
    const char* what;
    std::function<void()> happens;
    bool accepted;
    std::string then;
  } cases[] = {
      {"nothing", [] {}, true, "loaded"},
      {"an invalidation", [&] { b.invalidate({"c:k"}); }, false, ""},
      {"another's lease", [&] { b.invalidate({"c:k"}), b.read("c:k"); }, false, ""},
      {"a foreign SETEX", [&] { server->run({"SETEX", "c:k", "60", "foreign"}); }, false, "foreign"},
      {"a foreign UNLINK of key and lease", [&] { server->run({"UNLINK", "c:k", "{c:k}:l"}); }, false, ""},
      {"a flush", [&] { server->run({"FLUSHALL"}); }, false, ""},
      {"another reign", [&] { server->run({"SET", "seawall:reign", "12345678 and so on"}); }, false, ""},
      // Redis says nothing of a DEL that finds nothing.
      {"a foreign DEL of the key alone", [&] { server->run({"DEL", "c:k"}); }, true, "loaded"},
  };
  for (const auto& [what, happens, accepted, then] : cases) {
    const auto leased = a.read("c:k");
    ASSERT_EQ(leased->is, outcome::leased) << what;
    happens();
    const auto filled = a.fill("c:k", leased->nonce, value_of("loaded"));
    EXPECT_EQ(filled->accepted, accepted) << what;
    EXPECT_FALSE(filled->failure) << what;
    EXPECT_EQ(get("c:k"), then) << what;
    a.invalidate({"c:k"});
  }
}

TEST_F(plain_tier, a_value_of_no_use_stays_until_another_takes_its_place) {
  member a = join(), b = join();
  for (const bool changed : {false, true}) {
    server->run({"SET", "c:k", "{\"of\": \"another type\"}"});
    const auto seen = a.read("c:k");
    ASSERT_EQ(seen->is, outcome::hit);
    const auto leased = a.read("c:k", {.unusable = seen->nonce});
    ASSERT_EQ(leased->is, outcome::leased);
    EXPECT_EQ(get("c:k"), seen->entry.payload);
    EXPECT_EQ(b.read("c:k", {.unusable = seen->nonce})->is, outcome::held);
    if (changed) server->run({"SET", "c:k", "changed"});
    EXPECT_EQ(a.fill("c:k", leased->nonce, value_of("v"))->accepted, !changed);
    EXPECT_EQ(get("c:k"), changed ? "changed" : "v");
    EXPECT_EQ(member::text_of(*a.read("c:k", {.unusable = seen->nonce})), get("c:k")) << "another value is not meant";
  }
  EXPECT_EQ(a.tier->stats().totals.takeovers, 2);
  EXPECT_EQ(a.tier->stats().totals.undecodable, 2);
}

TEST_F(plain_tier, one_refreshes_early_and_only_what_it_saw) {
  member a = join(), b = join();
  const struct {
    const char* what;
    std::vector<std::string> happens;
    bool accepted;
  } cases[] = {
      {"nothing", {"PING"}, true},
      {"a foreign DEL", {"DEL", "c:k"}, false},
      {"a foreign SET", {"SET", "c:k", "foreign"}, false},
  };
  for (const auto& [what, happens, accepted] : cases) {
    server->run({"SET", "c:k", "old"});
    EXPECT_EQ(member::text_of(*a.read("c:k", {.refresh = true})), "old") << "it is fresh";
    const auto right = a.read("c:k", {.refresh = true, .early = true});
    ASSERT_EQ(right->is, outcome::leased) << what;
    EXPECT_EQ(b.read("c:k", {.refresh = true, .early = true})->is, outcome::held);
    EXPECT_EQ(b.text("c:k"), "old");
    server->run(happens);
    EXPECT_EQ(a.fill("c:k", right->nonce, value_of("new"), true)->accepted, accepted) << what;
  }
}

TEST_F(plain_tier, a_key_of_another_type_fails_and_stays) {
  member a = join();
  server->run({"RPUSH", "c:k", "v"});
  const auto read = a.read("c:k");
  EXPECT_EQ(read->is, outcome::failed);
  EXPECT_EQ(read->failure->code(), cmd::make_error_code(cmd::errc::wrong_type));
  EXPECT_TRUE(has("c:k"));
}

TEST_F(plain_tier, a_prefix_goes_with_its_leases) {
  member a = join();
  server->run({"SET", "c:k", "foreign"});
  server->run({"SET", "d:k", "of others"});
  const auto plain = a.read("c:absent"), tagged = a.read("c:{t}k"), other = a.read("d:absent");
  const auto gone = a.tier->remove_prefix("c:", {.format = shared_format::plain});
  ASSERT_TRUE(gone) << gone.error().message();
  EXPECT_TRUE(gone->done);
  EXPECT_EQ(gone->removed, 3);
  EXPECT_FALSE(has("c:k"));
  EXPECT_TRUE(has("d:k"));
  EXPECT_FALSE(a.fill("c:absent", plain->nonce, value_of("old"))->accepted);
  EXPECT_FALSE(a.fill("c:{t}k", tagged->nonce, value_of("old"))->accepted);
  EXPECT_TRUE(a.fill("d:absent", other->nonce, value_of("v"))->accepted);
}

TEST_F(plain_tier, an_invalidation_that_waited_takes_the_lease_as_well) {
  member a = join();
  member b{server->port(), {.heartbeat = 10ms, .budget = 10s, .breaker = {.enabled = false}}};
  b.format = shared_format::plain;
  const auto leased = a.read("c:k");
  server->run({"ACL", "SETUSER", "default", "-unlink"});
  EXPECT_TRUE(b.invalidate({"c:k"})->failure);
  EXPECT_TRUE(has("{c:k}:l"));
  server->run({"ACL", "SETUSER", "default", "+unlink"});
  wait_until("it is delivered", [&] { return b.tier->stats().totals.replayed_keys == 1; });
  EXPECT_FALSE(a.fill("c:k", leased->nonce, value_of("old"))->accepted);
}

// --- caches ---------------------------------------------------------------------------------------------------------

/// A process with a cache "users" over the table that all have.
class plain_process {
 public:
  using table = std::map<std::string, std::string>;

  plain_process(std::uint16_t port, const table& rows, std::string version = {})
      : tier{made_tier(port)},
        users{{.name = "users",
               .loader = [this, &rows](const std::string& key) -> value_ptr<std::string> {
                 ++loads;
                 const auto row = rows.find(key);
                 return row == rows.end() ? nullptr : std::make_shared<const std::string>(row->second);
               },
               .shared = tier,
               .shared_format = shared_format::plain,
               .shared_version = std::move(version)}} {}

  /// What a caller gets; "(absent)".
  std::string text(const std::string& key) {
    const auto got = users.get_or_load(key);
    return !got ? got.error().message() : *got ? **got : "(absent)";
  }

 private:
  static std::shared_ptr<remote_tier> made_tier(std::uint16_t port) {
    const auto like = redis::client::connect({.url = "redis://127.0.0.1:" + std::to_string(port)});
    return redis_tier(like.value(), patient({.bound = 1min})).value();  // news must do what time does not
  }

 public:
  const std::shared_ptr<remote_tier> tier;
  std::atomic<int> loads{0};
  cache<std::string, std::string> users;
};

class plain_caches : public plain_tier {
 protected:
  plain_process::table rows{{"1", "Ada"}, {"2", "Grace"}};
};

TEST_F(plain_caches, one_load_serves_all_processes_and_other_programs) {
  plain_process a{server->port(), rows}, b{server->port(), rows};
  EXPECT_EQ(a.text("1"), "Ada");
  wait_until("it is stored", [&] { return get("users:1") == "Ada"; });
  EXPECT_EQ(b.text("1"), "Ada");
  EXPECT_EQ(a.loads + b.loads, 1);
}

TEST_F(plain_caches, foreign_writers_are_heard_in_all_processes) {
  plain_process a{server->port(), rows}, b{server->port(), rows};
  server->run({"SETEX", "users:1", "100", "foreign"});
  for (plain_process* one : {&a, &b}) EXPECT_EQ(one->text("1"), "foreign");
  server->run({"SETEX", "users:1", "100", "newer"});
  for (plain_process* one : {&a, &b}) wait_until("the new value", [&] { return one->text("1") == "newer"; });
  EXPECT_EQ(a.loads + b.loads, 0);
  server->run({"DEL", "users:1"});
  for (plain_process* one : {&a, &b}) wait_until("the source's", [&] { return one->text("1") == "Ada"; });
  EXPECT_GE(a.loads + b.loads, 1);
}

TEST_F(plain_caches, an_absence_stays_in_the_process) {
  plain_process a{server->port(), rows};
  EXPECT_EQ(a.text("3"), "(absent)");
  EXPECT_EQ(a.text("3"), "(absent)");
  EXPECT_EQ(a.loads, 1);
  EXPECT_FALSE(has("users:3"));
  server->run({"SET", "users:3", "Lin"});
  wait_until("a foreign program's value", [&] { return a.text("3") == "Lin"; });
}

TEST_F(plain_caches, a_load_that_hears_of_a_change_is_not_stored) {
  plain_process a{server->port(), rows};
  int loads = 0;
  const auto got = a.users.get_or_load("1", [&](const std::string&) {
    if (++loads > 1) return "new";
    server->run({"SET", "users:1", "foreign"});
    server->run({"DEL", "users:1"});
    wait_until("it is told", [&] { return a.tier->stats().totals.changes_told == 1; });
    return "old";
  });
  ASSERT_TRUE(got);
  EXPECT_EQ(**got, "new");
  EXPECT_EQ(loads, 2);
  wait_until("it is stored", [&] { return get("users:1") == "new"; });
}

TEST_F(plain_caches, writers_remove_what_all_have) {
  plain_process a{server->port(), rows}, b{server->port(), rows};
  const struct {
    const char* what;
    std::function<void()> write;
  } cases[] = {
      {"invalidate", [&] { a.users.invalidate("1"); }},
      {"invalidate_many", [&] { a.users.invalidate_many(std::vector<std::string>{"1", "2"}); }},
      {"put", [&] { a.users.put("1", "not stored"); }},
      {"put with a version", [&] { a.users.put("1", "not stored", {.version = 7}); }},
      {"expire", [&] { a.users.expire("1"); }},
      {"clear", [&] { a.users.clear(); }},
  };
  for (const auto& [what, write] : cases) {
    server->run({"SET", "users:1", "old"});
    for (plain_process* one : {&a, &b}) wait_until(what, [&] { return one->text("1") == "old"; });
    write();
    EXPECT_FALSE(has("users:1")) << what;
    EXPECT_EQ(a.text("1"), "Ada") << what;
    wait_until(what, [&] { return b.text("1") == "Ada"; });
    a.users.invalidate("1");
  }
}

TEST_F(plain_caches, many_are_read_together) {
  plain_process a{server->port(), rows};
  server->run({"SET", "users:1", "foreign"});
  std::size_t loaded = 0;
  const auto bulk = [&](std::span<const std::string> keys) {
    loaded = keys.size();
    return rows;
  };
  const std::vector<std::string> keys{"1", "2", "3"};
  const auto got = a.users.get_many(keys, bulk);
  ASSERT_EQ(got.size(), 3);
  EXPECT_EQ(**got[0], "foreign");
  EXPECT_EQ(**got[1], "Grace");
  EXPECT_EQ(*got[2], nullptr);
  EXPECT_EQ(loaded, 2);
  wait_until("it is stored", [&] { return get("users:2") == "Grace"; });
}

TEST_F(plain_caches, what_has_tags_is_not_stored) {
  plain_process a{server->port(), rows};
  EXPECT_TRUE(a.users.get_or_load("1", {.tags = {"people"}}));
  a.users.invalidate_tag("people");
  EXPECT_TRUE(a.users.get_or_load("1", {.tags = {"people"}}));
  EXPECT_EQ(a.loads, 2);
  EXPECT_FALSE(has("users:1"));
}

TEST_F(plain_caches, what_cannot_be_decoded_is_loaded_and_replaced) {
  server->run({"SET", "numbers:k", "not a number"});
  member like{server->port(), patient()};
  cache<std::string, int> numbers{{.name = "numbers", .shared = like.tier, .shared_format = shared_format::plain}};
  const auto got = numbers.get_or_load("k", [](const std::string&) { return 7; });
  ASSERT_TRUE(got);
  EXPECT_EQ(**got, 7);
  wait_until("it is replaced", [&] { return get("numbers:k") == "7"; });
}

}  // namespace
}  // namespace seawall

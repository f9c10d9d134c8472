// The shared tier on a cluster that stays as it is: what lies on several servers, and one of them that hangs.
#include "cluster_support.hpp"
#include "seawall/cache.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using servers::cluster;
using servers::wait_until;

class cluster_tier : public testing::Test {
 protected:
  // Nobody takes over from a server that hangs.
  static void SetUpTestSuite() {
    if (!servers::server_available()) return;
    nodes = cluster::start({.replicas = 0,
                            .node_timeout = std::chrono::minutes{1},
                            .config = {"cluster-require-full-coverage no"}});
  }
  static void TearDownTestSuite() { nodes.reset(); }
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    for (std::size_t i = 0; i < nodes->size(); ++i) nodes->node(i).run({"FLUSHALL"});
  }

  static member join(tier_options how = patient()) { return member{url_of(*nodes), std::move(how)}; }

  static inline std::unique_ptr<cluster> nodes;
  const std::vector<std::string> keys{key_at(slot_a), key_at(slot_b), key_at(slot_c), key_at(slot_a, "other")};
};

TEST_F(cluster_tier, entries_of_all_servers_are_shared) {
  member a = join(), b = join();
  for (const auto& key : keys) EXPECT_TRUE(a.load(key, value_of("v of " + key))->accepted);
  for (const auto& key : keys) {
    const auto hit = b.read(key);
    EXPECT_EQ(member::text_of(*hit), "v of " + key);
    EXPECT_TRUE(covers(hit->proof));
  }
  EXPECT_EQ(a.tier->stats().totals.connections, 3);
  EXPECT_EQ(b.tier->stats().totals.reign_changes, 0);
}

TEST_F(cluster_tier, each_slot_that_is_used_has_a_record_in_it) {
  member a = join();
  for (const auto& key : keys) a.read(key);
  for (const auto slot : {slot_a, slot_b, slot_c}) {
    const auto there = nodes->node(nodes->owner(slot)).run({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "10"});
    const auto records = std::ranges::count_if(there.elements, [](const auto& one) {
      return one.text.starts_with("seawall:reign:{");
    });
    EXPECT_EQ(records, 1) << slot;
  }
}

TEST_F(cluster_tier, a_lease_is_one_processs) {
  member a = join(), b = join();
  for (const auto& key : keys) {
    const auto leased = a.read(key);
    EXPECT_EQ(leased->is, outcome::leased);
    EXPECT_EQ(b.read(key)->is, outcome::held);
    b.invalidate({key});
    EXPECT_FALSE(a.fill(key, leased->nonce, value_of("old"))->accepted);
    EXPECT_EQ(b.read(key)->is, outcome::leased);
  }
}

TEST_F(cluster_tier, one_caller_refreshes) {
  member a = join(), b = join();
  // The right to refresh lies elsewhere for the last two: their names leave no room for a tag of their own.
  for (const std::string& key : {key_at(slot_b), std::string{"c:k"}, std::string{"c:}x"}, std::string{"c:{}x"}}) {
    a.load(key, {.fresh_for = -1s, .keep_for = 1h, .payload = "stale"});
    const auto right = a.read(key, {.refresh = true});
    EXPECT_EQ(right->is, outcome::leased) << key;
    EXPECT_EQ(b.read(key, {.refresh = true})->is, outcome::held) << key;
    EXPECT_TRUE(a.fill(key, right->nonce, value_of("new"), true)->accepted) << key;
    EXPECT_EQ(b.text(key), "new");
  }
}

TEST_F(cluster_tier, an_invalidation_reaches_all_servers_and_all_processes) {
  member a = join(), b = join();
  for (const auto& key : keys) a.load(key, value_of("v"));
  for (const auto& key : keys) b.read(key);
  const auto done = a.invalidate(keys);
  EXPECT_FALSE(done->failure);
  EXPECT_EQ(done->removed, keys.size());
  for (const auto& key : keys) {
    wait_until("it is told", [&] { return b.cache->has(key.substr(2)); });
    EXPECT_EQ(b.text(key), "leased");
  }
}

TEST_F(cluster_tier, a_put_replaces_on_any_server) {
  member a = join();
  for (const auto& key : keys) {
    a.load(key, value_of("old", 1));
    EXPECT_TRUE(a.put(key, value_of("new", 2))->replaced);
    EXPECT_EQ(a.text(key), "new");
  }
}

TEST_F(cluster_tier, exactly_what_was_not_delivered_waits) {
  member a = join({.heartbeat = 50ms, .budget = 1s, .breaker = {.enabled = false}});
  for (const auto& key : keys) {
    wait_until("it is stored", [&] {
      const auto leased = a.read(key);
      return leased->is == outcome::leased && a.fill(key, leased->nonce, value_of("old"))->accepted;
    });
  }
  nodes->node(1).pause();
  const auto partly = a.invalidate(keys);
  EXPECT_TRUE(partly->failure);
  EXPECT_EQ(partly->undelivered, 1);
  EXPECT_EQ(a.text(key_at(slot_b)), "failed") << "at once";
  EXPECT_EQ(a.text(key_at(slot_a)), "leased");
  EXPECT_EQ(a.tier->stats().undelivered, 1);
  nodes->node(1).resume();
  wait_until("it is delivered", [&] { return a.tier->stats().undelivered == 0; });
  EXPECT_EQ(a.text(key_at(slot_b)), "leased");
}

TEST_F(cluster_tier, too_many_that_wait_make_their_cache_invalid_on_all_servers) {
  member a = join({.heartbeat = 50ms, .budget = 1s, .breaker = {.enabled = false}, .undelivered = {.keys = 1}});
  member b = join();
  for (const auto& key : keys) b.load_tagged(key, {}, "old");
  for (const auto& key : keys) {
    wait_until("it is read", [&] { return member::text_of(*a.read_tagged(key)) == "old"; });
  }
  nodes->node(1).pause();
  a.invalidate({key_at(slot_b), key_at(slot_b, "other")});
  nodes->node(1).resume();
  wait_until("it is delivered", [&] { return a.tier->stats().undelivered == 0; });
  for (const auto& key : keys) {
    EXPECT_EQ(member::text_of(*a.read_tagged(key)), "leased");
    EXPECT_EQ(member::text_of(*b.read_tagged(key, true)), "held") << "a has the lease";
  }
}

// --- tags -----------------------------------------------------------------------------------------------------------

TEST_F(cluster_tier, entries_depend_on_tags_of_other_servers) {
  member a = join(), b = join();
  for (const std::size_t where : {0, 1, 2}) {
    const std::uint64_t tag = tag_with(where);
    const std::string key = key_at(slot_b, std::to_string(tag));
    EXPECT_TRUE(covers(a.load_tagged(key, {tag}, "v")->proof));
    const auto hit = b.read_tagged(key);
    EXPECT_EQ(member::text_of(*hit), "v");
    EXPECT_TRUE(covers(hit->proof));
    EXPECT_FALSE(a.change_tag(tag)->failure);
    EXPECT_EQ(member::text_of(*a.read_tagged(key)), "leased") << "who changed it knows";
    EXPECT_NE(member::text_of(*b.read_tagged(key, true)), "v") << "and who must not be behind";
    wait_until("the others are told", [&] { return member::text_of(*b.read_tagged(key)) != "v"; });
  }
}

TEST_F(cluster_tier, a_fresh_read_is_never_behind_a_tag) {
  member a = join(), b = join();
  const std::uint64_t tag = tag_with(2);
  const std::string key = key_at(slot_a);
  for (int round = 0; round < 100; ++round) {
    const auto stored = a.load_tagged(key, {tag}, std::to_string(round));
    ASSERT_TRUE(stored->accepted);
    ASSERT_EQ(member::text_of(*b.read_tagged(key, true)), std::to_string(round));
    ASSERT_FALSE(a.change_tag(tag)->failure);
    const auto read = b.read(key, {.takes_lease = false, .prefix = "c:", .fresh = true});
    ASSERT_EQ(member::text_of(*read), "held") << round;
  }
}

TEST_F(cluster_tier, clear_is_for_the_entries_of_all_servers) {
  member a = join(), b = join();
  for (const auto& key : keys) a.load_tagged(key, {}, "v");
  for (const auto& key : keys) ASSERT_EQ(member::text_of(*b.read_tagged(key)), "v");
  EXPECT_FALSE(a.change_tag(0)->failure);
  for (const auto& key : keys) EXPECT_NE(member::text_of(*b.read_tagged(key, true)), "v");
  for (std::size_t i = 0; i < nodes->size(); ++i) EXPECT_NE(nodes->node(i).run({"DBSIZE"}).text, "0");
}

// --- caches ---------------------------------------------------------------------------------------------------------

class cluster_caches : public cluster_tier {
 protected:
  using users = cache<int, std::string>;

  struct process {
    std::shared_ptr<remote_tier> tier{join({.bound = 30s, .heartbeat = 100ms, .budget = 10s, .idle = 60s}).tier};
    users all{{.name = "users", .shared = tier}};
    std::atomic<int> loads{0};

    std::string get(int key, const entry_options& how = {}) {
      const auto answer = all.get_or_load(key, [&](int) { return std::to_string(++loads); }, how);
      return answer && *answer ? **answer : "nothing";
    }
  };

  static constexpr int many = 50;
};

TEST_F(cluster_caches, one_process_loads) {
  process here, there;
  for (int key = 0; key < many; ++key) {
    std::string other;
    std::jthread at_once{[&] { other = there.get(key); }};
    const std::string mine = here.get(key);
    at_once.join();
    EXPECT_EQ(mine, other);
  }
  EXPECT_EQ(here.loads + there.loads, many);
}

TEST_F(cluster_caches, what_is_in_memory_is_dropped_in_all_processes) {
  process here, there;
  for (int key = 0; key < many; ++key) {
    here.get(key, {.tags = {"t"}});
    there.get(key);
  }
  EXPECT_EQ(there.loads, 0);
  std::size_t kept = 0;
  for (int key = 0; key < many; ++key) kept += there.all.contains(key);
  EXPECT_EQ(kept, many);
  here.all.invalidate(7);
  wait_until("it is told", [&] { return !there.all.contains(7); });
  EXPECT_TRUE(there.all.contains(8));
  here.all.invalidate_tag("t");
  for (int key = 0; key < many; ++key) {
    wait_until("it is told", [&] { return !there.all.contains(key); });
  }
}

TEST_F(cluster_caches, many_keys_are_read_from_all_servers_at_once) {
  process here, there;
  std::vector<int> wanted;
  for (int key = 0; key < many; ++key) wanted.push_back(key);
  const auto read = [&](process& by) {
    int loaded = 0;
    const auto found = by.all.get_many(std::span<const int>{wanted}, [&](std::span<const int> missing) {
      loaded += static_cast<int>(missing.size());
      std::vector<std::string> values;
      for (const int key : missing) values.push_back(std::to_string(key));
      return values;
    });
    for (int key = 0; key < many; ++key) {
      const auto& one = found[static_cast<std::size_t>(key)];
      EXPECT_TRUE(one && *one && **one == std::to_string(key)) << key;
    }
    return loaded;
  };
  EXPECT_EQ(read(here), many);
  EXPECT_EQ(read(there), 0);
  here.all.clear();
  wait_until("it is told", [&] { return there.all.size() == 0; });
  EXPECT_EQ(read(there), many);
}

// --- a server that hangs, or forgets --------------------------------------------------------------------------------

TEST_F(cluster_tier, a_server_that_hangs_ends_what_depends_on_it_and_nothing_else) {
  member a = join({.bound = 300ms, .heartbeat = 30ms, .budget = 10s, .breaker = {.enabled = false}});
  const std::string here = key_at(slot_a), there = key_at(slot_b), tagged = key_at(slot_c);
  a.load(here, value_of("v"));
  a.load(there, value_of("v"));
  a.load_tagged(tagged, {tag_with(0)}, "v");
  const auto on_it = a.read(here);
  const auto elsewhere = a.read(there);
  const auto by_its_tag = a.read_tagged(tagged);
  for (const auto& hit : {on_it, elsewhere, by_its_tag}) ASSERT_TRUE(covers(hit->proof));
  nodes->node(0).pause();
  wait_until("the proofs lapse", [&] { return !covers(on_it->proof) && !covers(by_its_tag->proof); });
  const auto beats = a.tier->stats().totals.heartbeats;
  wait_until("the others answer", [&] { return a.tier->stats().totals.heartbeats > beats + 20; });
  EXPECT_TRUE(covers(elsewhere->proof));
  EXPECT_EQ(a.text(there), "v");
  nodes->node(0).resume();
  wait_until("it is proved again", [&] { return covers(a.read(here)->proof) && covers(a.read_tagged(tagged)->proof); });
}

TEST_F(cluster_tier, a_flush_of_one_server_is_of_its_entries) {
  member a = join();
  for (const auto& key : keys) a.load(key, value_of("v"));
  const auto flushed = a.read(key_at(slot_b));
  const auto left = a.read(key_at(slot_a));
  nodes->node(1).run({"FLUSHALL"});
  wait_until("it is told", [&] { return a.cache->has("everything"); });
  EXPECT_FALSE(covers(flushed->proof));
  EXPECT_TRUE(covers(left->proof));
  EXPECT_EQ(a.text(key_at(slot_b)), "leased");
  EXPECT_EQ(a.text(key_at(slot_a)), "v");
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 1);
}

TEST_F(cluster_tier, a_lost_record_is_of_its_slot) {
  member a = join({.heartbeat = 20ms, .budget = 10s, .breaker = {.enabled = false}});
  const std::string beside = key_at(slot_a + 1);
  a.load(key_at(slot_a), value_of("v"));
  a.load(beside, value_of("v"));
  const auto there = nodes->node(0).run({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot_a), "10"});
  for (const auto& one : there.elements) {
    if (one.text.starts_with("seawall:reign:")) nodes->node(0).run({"DEL", one.text});
  }
  EXPECT_EQ(a.text(key_at(slot_a)), "leased");
  EXPECT_EQ(a.text(beside), "v");
  EXPECT_EQ(a.tier->stats().totals.reign_changes, 1);
}

TEST_F(cluster_tier, plain_keys_and_their_leases_are_in_one_slot) {
  member a = join(), b = join();
  a.format = b.format = shared_format::plain;
  std::vector<std::string> all = keys;
  all.insert(all.end(), {"c:k", "c:{x}k", "c:{open"});
  for (const auto& key : all) {
    const auto leased = a.read(key);
    EXPECT_EQ(leased->is, outcome::leased) << key;
    EXPECT_EQ(b.read(key)->is, outcome::held) << key;
    const auto filled = a.fill(key, leased->nonce, value_of("v"));
    EXPECT_TRUE(filled->accepted) << key;
    EXPECT_TRUE(covers(filled->proof)) << key;
    EXPECT_EQ(b.text(key), "v");
    EXPECT_EQ(a.read(key, {.refresh = true, .early = true})->is, outcome::leased) << key;
  }
  const auto done = a.invalidate(all);
  EXPECT_FALSE(done->failure);
  EXPECT_EQ(done->removed, 2 * all.size()) << "keys, and leases";
  for (const auto& key : all) {
    wait_until("it is told", [&] { return b.cache->has(key.substr(2)); });
    const auto leased = b.read(key);
    EXPECT_EQ(leased->is, outcome::leased) << key;
    a.invalidate({key});
    EXPECT_FALSE(b.fill(key, leased->nonce, value_of("old"))->accepted) << key;
  }
}

TEST_F(cluster_tier, a_plain_key_whose_slot_has_no_room_for_a_lease_is_loaded_without_the_tier) {
  member a = join();
  a.format = shared_format::plain;
  for (const std::string key : {"c:}x", "c:{}x"}) {
    const auto read = a.read(key);
    EXPECT_EQ(read->is, outcome::failed) << key;
    EXPECT_TRUE(*read->failure == errc::invalid_argument);
    EXPECT_FALSE(a.invalidate({key})->failure);
  }
}

TEST_F(cluster_tier, names_with_braces_are_refused_for_its_records) {
  auto like = redis::client::connect({.url = url_of(*nodes)});
  ASSERT_TRUE(like);
  const auto made = redis_tier(*like, {.reign_key = "{r}"});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), testing::HasSubstr("reign_key"));
}

}  // namespace
}  // namespace seawall

// What a tier sees of real servers: their settings, and whether they tell of changes.
#include "cluster_support.hpp"

#include <fmt/ranges.h>

namespace seawall {
namespace {

using servers::wait_until;
using testing::Contains;

class watch_test : public shared_tier_test {
 protected:
  static tier_options watchful(tier_options how = {}) {
    how.bound = 200ms;
    how.heartbeat = 20ms;
    how.canary_interval = 100ms;
    return patient(std::move(how));
  }
  std::vector<std::string> subjects_of(std::vector<std::string> config, redis::options login = {}) {
    server = servers::redis_server::start({.users = {"shop on >secret ~* +@all -config"}, .config = std::move(config)});
    std::atomic<int> logged{0};
    tier_options how = patient({.heartbeat = 10ms, .canary_interval = 0s});
    how.log = [&](log_level, std::string_view text) { logged += text.starts_with("shared tier: the server's"); };
    member a{server->port(), how, login};
    a.text("c:k");
    wait_until("it has looked", [&] { return !a.tier->advice().empty() && logged != 0; });
    std::vector<std::string> all;
    for (const advice& one : a.tier->advice()) all.push_back(one.subject);
    return all;
  }
};

TEST_F(watch_test, settings_that_do_not_fit_a_cache_are_told) {
  EXPECT_THAT(subjects_of({"maxmemory 0", "save 3600 1", "appendonly yes"}),
              testing::ElementsAre("maxmemory", "save", "appendonly"));
  EXPECT_THAT(subjects_of({"maxmemory 100mb", "maxmemory-policy noeviction"}),
              testing::ElementsAre("maxmemory-policy"));
}

TEST_F(watch_test, without_the_right_to_config_memory_is_looked_at) {
  redis::options login;
  login.user = "shop";
  login.password = "secret";
  EXPECT_THAT(subjects_of({"maxmemory 0", "save 3600 1"}, login), testing::ElementsAre("maxmemory"));
}

TEST_F(watch_test, replicas_of_a_primary_that_never_stops_are_told) {
  server = servers::redis_server::start({.config = {"maxmemory 100mb", "maxmemory-policy allkeys-lfu"}});
  const auto replica = servers::redis_server::start({.replica_of = server->port()});
  wait_until("the replica is there", [&] { return server->info("connected_slaves") == "1"; });
  member a{server->port(), patient({.heartbeat = 10ms, .canary_interval = 0s})};
  a.text("c:k");
  wait_until("it has looked", [&] { return !a.tier->advice().empty(); });
  EXPECT_EQ(a.tier->advice()[0].subject, "min-replicas-to-write");
}

/// A large cache, as the tier sees it.
struct large_cache final : tier_listener {
  void on_changed(std::string_view) noexcept override {}
  void on_all_changed() noexcept override {}
  std::size_t most_entries() const noexcept override { return 1'000; }
};

TEST_F(watch_test, a_table_of_readers_that_is_smaller_than_the_caches_is_told) {
  server = servers::redis_server::start(
      {.config = {"maxmemory 100mb", "maxmemory-policy allkeys-lfu", "tracking-table-max-keys 999"}});
  member a{server->port(), patient({.heartbeat = 10ms, .canary_interval = 0s})};
  const auto cache = std::make_shared<large_cache>();
  a.tier->attach("c:", cache);
  a.text("c:k");
  wait_until("it has looked", [&] { return !a.tier->advice().empty(); });
  EXPECT_EQ(a.tier->advice()[0].subject, "tracking-table-max-keys");
}

TEST(watch_cluster_test, each_primary_is_looked_at) {
  SEAWALL_NEEDS_SERVER();
  const auto nodes = servers::cluster::start(
      {.replicas = 0, .config = {"maxmemory 100mb", "maxmemory-policy allkeys-lfu", "tracking-table-max-keys 334"}});
  nodes->node(0).run({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  for (const std::size_t which : {1, 2}) nodes->node(which).run({"CONFIG", "SET", "save", "3600 1"});
  nodes->node(2).run({"CONFIG", "SET", "tracking-table-max-keys", "333"});
  member a{url_of(*nodes), patient({.heartbeat = 10ms, .canary_interval = 0s})};
  const auto cache = std::make_shared<large_cache>();
  a.tier->attach("c:", cache);
  for (const std::uint16_t slot : {slot_a, slot_b, slot_c}) a.text(key_at(slot));
  const auto at = [&](std::size_t which) { return "127.0.0.1:" + std::to_string(nodes->port(which)); };
  const auto said = [&] {
    std::vector<std::string> all;
    for (const advice& one : a.tier->advice()) {
      all.push_back(one.subject + " " + one.text.substr(0, one.text.find(": ")));
    }
    return all;
  };
  const auto shown = [&] { return fmt::format("{}", fmt::join(said(), "; ")); };
  const auto has = [&](const std::string& what) { return std::ranges::count(said(), what) == 1; };
  wait_until("all are looked at", [&] {
    return has("maxmemory-policy At " + at(0)) && has("tracking-table-max-keys At " + at(2)) &&
           (has("save At " + at(1) + ", " + at(2)) || has("save At " + at(2) + ", " + at(1)));
  });
  EXPECT_EQ(said().size(), 3) << shown();
  EXPECT_TRUE(said()[0].starts_with("maxmemory-policy")) << shown();
}

TEST_F(watch_test, canaries_come_back_over_another_connection) {
  member a{server->port(), watchful()};
  a.text("c:k");
  wait_until("canaries", [&] { return a.tier->stats().totals.canaries >= 20; });
  const tier_stats now = a.tier->stats();
  EXPECT_EQ(now.totals.lost_canaries, 0);
  EXPECT_FALSE(now.deaf);
  EXPECT_GT(now.canary_time, 0ns);
  EXPECT_GE(now.slowest_canary, now.canary_time);
  EXPECT_GT(std::stoi(server->info("connected_clients")), 2);
  RecordProperty("slowest_us", static_cast<int>(now.slowest_canary / 1us));
}

TEST_F(watch_test, canaries_survive_a_lost_connection) {
  member a{server->port(), watchful()};
  a.text("c:k");
  wait_until("canaries", [&] { return a.tier->stats().totals.canaries >= 2; });
  server->run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  const auto before = a.tier->stats().totals.canaries;
  wait_until("more", [&] { return a.tier->stats().totals.canaries >= before + 2; });
  server->restart();
  const auto after = a.tier->stats().totals.canaries;
  wait_until("more", [&] { return a.tier->stats().totals.canaries >= after + 2; });
  EXPECT_EQ(a.tier->stats().totals.lost_canaries, 0);
}

/// A client whose news are lost.
std::shared_ptr<remote_tier> deaf_tier(std::uint16_t port, tier_options how, std::atomic<bool>& drops) {
  class lossy final : public redis::tracking_listener {
   public:
    lossy(std::shared_ptr<redis::tracking_listener> to, std::atomic<bool>& drops) : to_(std::move(to)), drops_(drops) {}
    void on_tracking(std::uint64_t generation) override { to_->on_tracking(generation); }
    void on_invalidate(std::uint64_t generation, std::string_view key) override {
      if (!drops_) to_->on_invalidate(generation, key);
    }
    void on_loss(std::uint64_t generation, redis::tracking_loss why, std::uint16_t slot) override {
      to_->on_loss(generation, why, slot);
    }

   private:
    const std::shared_ptr<redis::tracking_listener> to_;
    std::atomic<bool>& drops_;
  };
  const auto make = [&](std::shared_ptr<redis::tracking_listener> feed) -> result<remote_tier::made_target> {
    auto client = redis::client::connect({.url = "redis://127.0.0.1:" + std::to_string(port),
                                          .tracking = std::make_shared<lossy>(std::move(feed), drops)});
    if (!client) return std::unexpected(client.error());
    const auto owner = std::make_shared<redis::client>(*std::move(client));
    return remote_tier::made_target{.where = &owner->target(),
                                    .owner = std::shared_ptr<void>{owner.get(), [owner](void*) { owner->close(); }}};
  };
  auto made = remote_tier::make(make, std::move(how));
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

TEST_F(watch_test, lost_news_end_what_is_kept_on_their_word) {
  std::atomic<bool> drops{false};
  member a{server->port(), watchful()};
  const auto own = a.tier;
  a.load("c:k", value_of("v"));
  a.tier = deaf_tier(server->port(), watchful(), drops);
  const auto hit = a.read("c:k");
  ASSERT_TRUE(hit->proof);
  wait_until("canaries", [&] { return a.tier->stats().totals.canaries >= 2; });
  EXPECT_TRUE(hit->proof->covers(make_steady_clock()->now()));
  drops = true;
  wait_until("it is noticed", [&] { return a.tier->stats().deaf; });
  EXPECT_FALSE(hit->proof->covers(make_steady_clock()->now()));
  const auto again = a.read("c:k");
  EXPECT_EQ(again->is, outcome::hit) << "the tier goes on";
  EXPECT_FALSE(again->proof);
  EXPECT_GT(a.tier->stats().totals.lost_canaries, 0);
  drops = false;
  wait_until("it is over", [&] { return !a.tier->stats().deaf; });
  EXPECT_TRUE(a.read("c:k")->proof);
}

}  // namespace
}  // namespace seawall

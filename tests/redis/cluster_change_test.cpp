// The client on a real cluster whose slots move and whose nodes die, under load.
#include "cluster_support.hpp"

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <future>

namespace seawall::redis {
namespace {

using servers::cluster;
using servers::key_in;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class listener final : public tracking_listener {
 public:
  void on_tracking(std::uint64_t) override {}
  void on_invalidate(std::uint64_t, std::string_view key) override {
    const std::lock_guard lock{mutex_};
    keys_.emplace(key);
  }
  void on_loss(std::uint64_t, tracking_loss why, std::uint16_t slot) override {
    const std::lock_guard lock{mutex_};
    if (why == tracking_loss::slot_moved) slots_.insert(slot);
  }
  bool lost(std::uint16_t slot) {
    const std::lock_guard lock{mutex_};
    return slots_.contains(slot);
  }
  bool invalidated(const std::string& key) {
    const std::lock_guard lock{mutex_};
    return keys_.contains(key);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> keys_;
  std::set<std::uint16_t> slots_;
};

class changing_cluster : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    nodes = cluster::start();
  }

  std::string text(const cluster_load::totals& of) {
    std::string all;
    for (const auto& one : of.failures) all += one + "\n";
    return all;
  }
  // Until the load has done so much more.
  void until_done(const cluster_load& load, std::uint64_t more) {
    const std::uint64_t goal = load.done() + more;
    servers::wait_until("the load goes on", [&] { return load.done() >= goal; });
  }
  void report(const char* what, const cluster_load::totals& total, const redis::stats& counted) {
    std::printf("[   FACT   ] %s: %llu commands, %llu failed, longest gap %lld ms, %llu redirects, %llu retries, "
                "%llu refreshes\n",
                what, static_cast<unsigned long long>(total.done), static_cast<unsigned long long>(total.failed),
                static_cast<long long>(total.longest_gap.count()), static_cast<unsigned long long>(counted.redirects),
                static_cast<unsigned long long>(counted.retries),
                static_cast<unsigned long long>(counted.topology_refreshes));
  }

  std::unique_ptr<cluster> nodes;
};

TEST_F(changing_cluster, resharding_under_load_fails_no_command) {
  auto redis = client_of(*nodes);
  std::vector<std::string> keys;
  for (std::uint16_t slot = 100; slot < 110; ++slot) keys.push_back(key_in(slot, "k"));
  keys.push_back(key_in(9'000, "k"));
  cluster_load load{redis, keys};
  until_done(load, 500);
  for (std::uint16_t slot = 100; slot < 110; ++slot) {
    auto move = nodes->move_slot(slot, slot % 2 == 0 ? 1 : 2);
    move.begin();
    until_done(load, 100);
    while (move.keys(1) != 0) until_done(load, 20);
    move.finish();
    until_done(load, 100);
  }
  const auto total = load.stop();
  report("ten slots moved", total, redis.stats());
  EXPECT_EQ(total.failed, 0U) << text(total);
  EXPECT_EQ(total.wrong, 0U);
  EXPECT_EQ(total.lost, 0U);
  EXPECT_EQ(total.late, 0U);
  EXPECT_GT(redis.stats().redirects, 0U);
}

// Bug 6: a server that loses a slot need not say that what was read from it is outdated.
TEST_F(changing_cluster, whoever_caches_hears_of_a_slot_that_moved) {
  auto heard = std::make_shared<listener>();
  auto how = cluster_options_for(*nodes);
  how.tracking = heard;
  auto redis = client_with(how);
  const std::string key = key_in(5, "k");
  ASSERT_EQ(redis.run(cmd::set(key, 1)), true);
  ASSERT_EQ(text_of(redis.run(cmd::get(key))), "1");
  auto move = nodes->move_slot(5, 1);
  move.begin();
  move.keys();
  move.finish();
  ASSERT_EQ(text_of(redis.run(cmd::get(key))), "1");
  EXPECT_TRUE(heard->lost(5));
  EXPECT_FALSE(heard->lost(6));
  // By now it is read from, and tracked by, the new owner.
  nodes->node(1).run({"SET", key, "2"});
  servers::wait_until("the new owner invalidates", [&] { return heard->invalidated(key); });
}

// Bug 6, where it bites: the old owner drops keys that it holds still, and tells nobody who has read them.
TEST_F(changing_cluster, whoever_caches_hears_of_a_slot_that_was_taken_with_its_keys_left_behind) {
  auto heard = std::make_shared<listener>();
  auto how = cluster_options_for(*nodes);
  how.tracking = heard;
  auto redis = client_with(how);
  const std::string key = key_in(5, "k");
  ASSERT_EQ(redis.run(cmd::set(key, 1)), true);
  ASSERT_EQ(text_of(redis.run(cmd::get(key))), "1");
  // Only the new owner is told; the old one hears of it from the others.
  nodes->move_slot(5, 1).begin();
  nodes->node(1).run({"CLUSTER", "SETSLOT", "5", "NODE", nodes->id(1)});
  nodes->wait_owner_other_than(5, 0);
  servers::wait_until("the old owner drops its keys", [&] { return nodes->node(0).run({"DBSIZE"}) == "0"; });
  EXPECT_FALSE(heard->lost(5)) << "nobody has told the client yet";
  EXPECT_EQ(text_of(redis.run(cmd::get(key))), "(nil)");
  EXPECT_TRUE(heard->lost(5));
  EXPECT_FALSE(heard->lost(6));
}

TEST_F(changing_cluster, a_half_moved_slot_is_served_and_split_keys_wait) {
  auto redis = client_of(*nodes);
  const std::string a = key_in(5, "a");
  const std::string b = key_in(5, "b");
  ASSERT_TRUE(redis.command({"MSET", a, "1", b, "2"}));
  auto move = nodes->move_slot(5, 1);
  move.begin();
  ASSERT_EQ(move.keys(1), 1U);
  const auto before = redis.stats();
  EXPECT_EQ(text_of(redis.run(cmd::get(a))), "1");
  EXPECT_EQ(text_of(redis.run(cmd::get(b))), "2");
  EXPECT_EQ(redis.run(cmd::incr(key_in(5, "new"))), 1);
  EXPECT_GE(redis.stats().redirects - before.redirects, 2U) << "one of the two, and the new key, are asked elsewhere";
  EXPECT_EQ(redis.stats().topology_refreshes, before.topology_refreshes) << "ASK says nothing about the map";

  // Bug 22: both keys at once, one here and one there, must wait, not fail and not refresh.
  auto both = std::async(std::launch::async, [&] { return redis.command({"MGET", a, b}); });
  servers::wait_until("it is told to try again", [&] { return redis.stats().retries >= before.retries + 3; });
  EXPECT_EQ(redis.stats().topology_refreshes, before.topology_refreshes);
  move.keys();
  const auto values = both.get();
  ASSERT_TRUE(values) << failure_of(values);
  EXPECT_EQ((**values)[0].text(), "1");
  EXPECT_EQ((**values)[1].text(), "2");

  // A transaction is asked elsewhere as a whole.
  const auto done = redis.transaction(cmd::get(a), cmd::get(b), cmd::incr(b));
  ASSERT_TRUE(done) << failure_of(done);
  EXPECT_EQ(std::get<2>(*done), 3);
  move.finish();
  EXPECT_EQ(text_of(redis.run(cmd::get(a))), "1");
  EXPECT_EQ(text_of(redis.run(cmd::get(b))), "3");
}

TEST_F(changing_cluster, a_request_that_waits_for_a_half_moved_slot_says_so_at_its_deadline) {
  auto how = cluster_options_for(*nodes);
  how.command_timeout = 300ms;
  auto redis = client_with(how);
  const std::string a = key_in(5, "a");
  const std::string b = key_in(5, "b");
  ASSERT_TRUE(redis.command({"MSET", a, "1", b, "2"}));
  auto move = nodes->move_slot(5, 1);
  move.begin();
  ASSERT_EQ(move.keys(1), 1U);
  const auto values = redis.command({"MGET", a, b});
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().code(), make_error_code(errc::timed_out));
  EXPECT_THAT(values.error().message(), AllOf(HasSubstr("slot 5"), HasSubstr("TRYAGAIN")));
}

TEST_F(changing_cluster, a_failover_on_demand_under_load_fails_no_command) {
  auto redis = client_of(*nodes);
  cluster_load load{redis, {key_in(1, "k"), key_in(8'000, "k"), key_in(16'000, "k")}};
  until_done(load, 300);
  nodes->failover(3);
  until_done(load, 1000);
  nodes->failover(4);
  until_done(load, 1000);
  const auto total = load.stop();
  report("two failovers on demand", total, redis.stats());
  EXPECT_EQ(total.failed, 0U) << text(total);
  EXPECT_EQ(total.wrong, 0U);
}

TEST_F(changing_cluster, recovers_from_a_killed_primary_while_others_go_on) {
  // Else the servers themselves refuse everything until the shard has another primary.
  for (std::size_t i = 0; i < 6; ++i) nodes->node(i).run({"CONFIG", "SET", "cluster-require-full-coverage", "no"});
  auto redis = client_of(*nodes);
  cluster_load dying{redis, {key_in(1, "k")}, 2};
  cluster_load living{redis, {key_in(8'000, "k"), key_in(16'000, "k")}, 2};
  until_done(dying, 100);
  until_done(living, 100);
  const auto refreshes = redis.stats().topology_refreshes;
  const auto begun = std::chrono::steady_clock::now();
  nodes->node(0).kill();
  const auto next = nodes->wait_owner_other_than(1, 0);
  const auto elected = std::chrono::steady_clock::now();
  until_done(dying, 10);
  const auto served = std::chrono::steady_clock::now();
  until_done(living, 100);
  const auto other = living.stop();
  const auto total = dying.stop();
  const auto ms = [](auto span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); };
  std::printf("[   FACT   ] primary killed: all nodes agree on another after %lld ms, served again %lld ms later\n",
              static_cast<long long>(ms(elected - begun)), static_cast<long long>(ms(served - elected)));
  report("the killed shard", total, redis.stats());
  report("the others", other, redis.stats());
  EXPECT_EQ(next, 3U);
  EXPECT_EQ(total.late, 0U);
  EXPECT_EQ(total.wrong, 0U);
  EXPECT_EQ(other.late, 0U);
  EXPECT_EQ(other.wrong, 0U);
  // A read or a SET may be repeated, so that nothing needs to fail.
  EXPECT_EQ(total.failed, 0U) << text(total);
  EXPECT_EQ(other.failed, 0U) << text(other);
  const auto seconds = 1 + ms(served - begun) / 1000;
  EXPECT_LE(redis.stats().topology_refreshes - refreshes, static_cast<std::uint64_t>(5 * (seconds + 1))) << "bug 19";
}

// Bug 20: a shard that hangs holds up nobody else.
TEST_F(changing_cluster, a_hanging_primary_delays_its_own_requests_only) {
  auto how = cluster_options_for(*nodes, {1});
  how.command_timeout = 400ms;
  auto redis = client_with(how);
  const std::string hanging = key_in(1, "k");
  const std::string fine = key_in(8'000, "k");
  ASSERT_EQ(redis.run(cmd::set(hanging, 1)), true);
  ASSERT_EQ(redis.run(cmd::set(fine, 1)), true);
  nodes->node(0).pause();
  auto stuck = std::async(std::launch::async, [&] { return redis.run(cmd::get(hanging)); });
  int served = 0;
  while (stuck.wait_for(0s) != std::future_status::ready) {
    ASSERT_EQ(text_of(redis.run(cmd::get(fine))), "1");
    ++served;
  }
  EXPECT_GT(served, 20);
  const auto outcome = stuck.get();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message(), HasSubstr("127.0.0.1:" + std::to_string(nodes->port(0))));
  // The replica takes over; a request in vain is the sign to look.
  nodes->wait_owner_other_than(1, 0);
  servers::wait_until("the hung shard is served", [&] { return redis.run(cmd::get(hanging)).has_value(); });
  nodes->node(0).resume();
}

// The same without a clock: no replica takes over, so that it stays stopped until the test says so.
TEST(stopped_shard, the_others_serve_everything_meanwhile) {  // bug 20
  SEAWALL_NEEDS_SERVER();
  auto nodes = cluster::start({.replicas = 0, .config = {"cluster-require-full-coverage no"}});
  auto how = cluster_options_for(*nodes);
  how.command_timeout = 60s;
  auto redis = client_with(how);
  const std::string stopped = key_in(1, "k");
  const std::vector<std::string> others{key_in(8'000, "k"), key_in(16'000, "k")};
  for (const auto& key : {stopped, others[0], others[1]}) ASSERT_EQ(redis.run(cmd::set(key, key)), true);
  nodes->node(0).pause();
  auto stuck = redis.async_run(cmd::get(stopped), boost::asio::use_future);
  auto also_stuck = redis.async_run(cmd::raw("MGET", others[0], stopped), boost::asio::use_future);
  constexpr int rounds = 200, callers = 4;
  std::atomic<int> served{0};
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        for (const auto& key : others) {
          if (redis.run(cmd::set(key, key)) == true) ++served;
          if (text_of(redis.run(cmd::get(key))) == key) ++served;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(served, callers * rounds * 4) << "all commands of the other shards";
  EXPECT_EQ(stuck.wait_for(0s), std::future_status::timeout) << "while this one has no answer";
  EXPECT_EQ(also_stuck.wait_for(0s), std::future_status::timeout);
  nodes->node(0).resume();
  EXPECT_EQ(text_of(stuck.get()), stopped);
  EXPECT_TRUE(also_stuck.get());
}

TEST_F(changing_cluster, all_known_nodes_gone_and_back_again) {
  auto how = cluster_options_for(*nodes, {0, 1, 2});
  how.command_timeout = 300ms;
  auto redis = client_with(how);
  const std::string key = key_in(1, "k");
  ASSERT_EQ(redis.run(cmd::set(key, 1)), true);
  for (std::size_t i = 0; i < 6; ++i) nodes->node(i).kill();
  const auto failed = redis.run(cmd::get(key));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message(), HasSubstr("127.0.0.1:"));
  for (std::size_t i = 0; i < 6; ++i) nodes->node(i).restart();
  nodes->wait_ok();
  servers::wait_until("the client is back", [&] { return redis.run(cmd::set(key, 2)).has_value(); });
}

TEST_F(changing_cluster, closes_under_load_with_everything_ended) {
  for (int round = 0; round < 5; ++round) {
    auto redis = client_of(*nodes);
    auto copy = redis;
    cluster_load load{copy, {key_in(1, "k"), key_in(8'000, "k"), key_in(16'000, "k")}};
    until_done(load, 50);
    redis.close();
    const auto total = load.stop();
    EXPECT_EQ(total.wrong, 0U);
    EXPECT_THAT(text(total), testing::AnyOf(IsEmpty(), HasSubstr("the Redis client is closed")));
  }
}

}  // namespace
}  // namespace seawall::redis

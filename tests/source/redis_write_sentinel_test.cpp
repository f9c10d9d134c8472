// Write-behinds over a Redis behind sentinels: what was acknowledged at redis_replicated outlives every failover.
#include "redis_write_support.hpp"
#include "servers/sentinel_group.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <thread>

namespace seawall::redis_write_test {
namespace {

using servers::sentinel_group;

// Threads that write, each with keys of its own, until they are stopped. A write that fails is not tried again.
class writers {
 public:
  explicit writers(source::write_engine& engine, std::string name = "a") : engine_(engine), name_(std::move(name)) {
    for (int i = 0; i != 3; ++i) threads_.emplace_back([this, i](const std::stop_token& stop) { work(i, stop); });
  }

  /// Waits until so many more writes are acknowledged.
  void wait_for(std::uint64_t more) {
    const std::uint64_t wanted = acknowledged_ + more;
    servers::wait_until("writes are acknowledged", [&] { return acknowledged_ >= wanted; });
  }
  /// Waits until so many more writes have failed.
  void wait_failures(std::uint64_t more) {
    const std::uint64_t wanted = failed_ + more;
    servers::wait_until("writes fail", [&] { return failed_ >= wanted; });
  }
  void stop() { threads_.clear(); }

  /// The last acknowledged write of each key. After `stop`.
  std::map<std::string, row> known() const {
    std::map<std::string, row> all;
    for (const auto& some : known_) all.insert(some.begin(), some.end());
    return all;
  }

 private:
  void work(int writer, const std::stop_token& stop) {
    auto& known = known_.at(static_cast<std::size_t>(writer));
    for (int n = 1; !stop.stop_requested(); ++n) {
      const std::string key = fmt::format("{}{}.{}", name_, writer, n % 4);
      const auto done = put(engine_, key, fmt::format("{:08}", n));
      if (!done) {
        ++failed_;
        continue;
      }
      EXPECT_GT(done->sequence, known[key].version) << key;
      known[key] = {fmt::format("{:08}", n), done->sequence};
      ++acknowledged_;
    }
  }

  source::write_engine& engine_;
  const std::string name_;  // with which its keys begin
  std::array<std::map<std::string, row>, 3> known_;  // each of its thread
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::vector<std::jthread> threads_;
};

struct RedisWritesBehindSentinels : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    group = sentinel_group::start({.replicas = 1});
    const auto url = fmt::format("redis+sentinel://127.0.0.1:{}/{}",
                                 fmt::join(group->sentinel_ports(), ",127.0.0.1:"), group->name());
    how = options_of(client_of(url, 1s), acknowledged::redis_replicated);
    how.redis.replica_timeout = 100ms;
    how.redis.partitions = 2;
    how.redis.lease = 1s;
    how.most_backlog = 1'000'000;  // nobody waits while the source is down
    how.most_backlog_bytes = 100'000'000;
  }

  // A later write of a key that got an error may have taken its place.
  void expect_all_applied(const writers& those) {
    const auto known = those.known();
    EXPECT_EQ(known.size(), 12U);
    for (const auto& [key, last] : known) {
      EXPECT_GE(rows.at(key).version, last.version) << key;
      EXPECT_GE(rows.value(key), last.value) << key;
    }
  }

  std::unique_ptr<sentinel_group> group;
  source::engine_options how;
  table rows;
};

TEST_F(RedisWritesBehindSentinels, WhatReplicasHaveOutlivesThePrimary) {
  auto engine = engine_of(how, rows);
  writers those{*engine};
  for (int times = 0; times != 2; ++times) {
    rows.down = true;  // so that only Redis has them
    those.wait_for(60);
    const std::size_t old = group->primary();
    group->server(1 - old).pause();
    those.wait_failures(6);  // nobody else has these
    group->server(old).kill();
    group->server(1 - old).resume();
    ASSERT_EQ(group->wait_primary_other_than(old), 1 - old);
    group->server(old).restart();
    group->wait_healthy();
    those.wait_for(60);
    rows.down = false;
  }
  those.stop();
  const auto flushed = engine->flush(20s, nullptr);
  ASSERT_TRUE(flushed) << text_of(flushed);
  expect_all_applied(those);
}

TEST_F(RedisWritesBehindSentinels, AFailoverOnDemandIsSurvivedWhileAllIsUnderWay) {
  auto engine = engine_of(how, rows);
  auto other = engine_of(how, rows);
  writers of_one{*engine};
  writers of_other{*other, "b"};
  for (int times = 0; times != 2; ++times) {
    of_one.wait_for(60);
    (void)group->failover();
    of_one.wait_for(60);
    of_other.wait_for(60);
    group->wait_healthy();
  }
  of_one.stop();
  of_other.stop();
  for (auto* each : {engine.get(), other.get()}) {
    const auto flushed = each->flush(20s, nullptr);
    ASSERT_TRUE(flushed) << text_of(flushed);
  }
  expect_all_applied(of_one);
  expect_all_applied(of_other);
}

}  // namespace
}  // namespace seawall::redis_write_test

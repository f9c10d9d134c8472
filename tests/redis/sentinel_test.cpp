// The client behind real sentinels: failovers, partitions, dead sentinels.
#include "sentinel_support.hpp"
#include "servers/certificates.hpp"
#include "servers/sentinel_group.hpp"

#include <cstdio>

namespace seawall::redis {
namespace {

using servers::direction;
using servers::sentinel_group;
using servers::tcp_proxy;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class redis_sentinel : public testing::Test {
 protected:
  void SetUp() override { SEAWALL_NEEDS_SERVER(); }
};

// Long enough for a failover.
constexpr auto patient = 30s;

// Until what the client writes is on this server.
void wait_served_by(client& redis, const servers::redis_server& server) {
  int mark = 0;
  servers::wait_until("the client writes to the new primary", [&] {
    return redis.run(cmd::set("mark", ++mark)) == true && server.run({"GET", "mark"}) == std::to_string(mark);
  });
}

void expect_unharmed(const callers& those, const char* what) {
  EXPECT_THAT(those.wrong(), IsEmpty());
  EXPECT_THAT(those.failures(), IsEmpty());
  EXPECT_LE(those.longest_call(), patient + 1s);
  std::printf("[ measured ] %s: %lld ms without a reply, %llu commands\n", what,
              static_cast<long long>(those.longest_gap().count()), static_cast<unsigned long long>(those.well()));
}

TEST_F(redis_sentinel, finds_the_primary_by_all_or_by_one_of_the_sentinels) {
  auto group = sentinel_group::start({.password = "secret"});
  const auto ports = group->sentinel_ports();
  for (const auto& known : {ports, {ports[1]}, {ports[0], ports[2]}}) {
    auto redis = sentinel_client(sentinel_url(known, ":secret@"), {.command_timeout = 5s});
    EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
    EXPECT_EQ(group->server(group->primary()).run({"GET", "k"}), "v");
  }
}

TEST_F(redis_sentinel, an_unknown_name_is_an_error_at_once_that_names_it_and_the_sentinels) {
  auto group = sentinel_group::start();
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports(), "", "nobody"), {.command_timeout = patient});
  for (int again = 0; again < 3; ++again) {
    EXPECT_THAT(failure_of(redis.run(cmd::get("k"))),
                AllOf(HasSubstr("'nobody'"), HasSubstr(fmt::format("127.0.0.1:{}", group->sentinel(0).port()))));
  }
}

TEST_F(redis_sentinel, a_failover_on_demand_under_load_fails_no_command) {
  auto group = sentinel_group::start();
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports()), {.command_timeout = patient});
  callers load{redis};
  load.wait_for(200);
  for (int times = 0; times < 2; ++times) {
    const auto next = group->failover();
    wait_served_by(redis, group->server(next));
    load.wait_for(200);
    group->wait_healthy();
  }
  load.stop();
  expect_unharmed(load, "SENTINEL FAILOVER, twice");
}

TEST_F(redis_sentinel, a_killed_primary_under_load_fails_no_command) {
  auto group = sentinel_group::start();
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports()), {.command_timeout = patient});
  callers load{redis};
  load.wait_for(200);
  const auto killed = std::chrono::steady_clock::now();
  group->server(0).kill();
  const auto next = group->wait_primary_other_than(0);
  const auto agreed = std::chrono::steady_clock::now();
  load.wait_for(200);
  const auto recovered = std::chrono::steady_clock::now();
  EXPECT_EQ(redis.run(cmd::set("mark", "v")), true);
  EXPECT_EQ(group->server(next).run({"GET", "mark"}), "v");

  // The old primary comes back, and is a replica.
  group->server(0).restart();
  group->wait_healthy();
  load.wait_for(200);
  EXPECT_EQ(redis.run(cmd::set("mark", "w")), true);
  EXPECT_EQ(group->server(next).run({"GET", "mark"}), "w");
  load.stop();
  expect_unharmed(load, "kill -9 of the primary");
  const auto ms = [](auto span) { return static_cast<long long>(span / 1ms); };
  std::printf("[ measured ] the sentinels agreed after %lld ms, 200 more commands had ended %lld ms later\n",
              ms(agreed - killed), ms(recovered - agreed));
}

TEST_F(redis_sentinel, a_primary_that_is_partitioned_away_is_left) {
  auto group = sentinel_group::start({.proxied = true});
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports()), {.command_timeout = patient});
  callers load{redis};
  load.wait_for(200);
  group->proxy(0).hold();
  const auto next = group->wait_primary_other_than(0);
  load.wait_for(200);
  EXPECT_EQ(redis.run(cmd::set("mark", "v")), true);
  EXPECT_EQ(group->server(next).run({"GET", "mark"}), "v");
  group->proxy(0).release();
  group->wait_healthy();
  load.wait_for(200);
  load.stop();
  expect_unharmed(load, "partition of the primary");
}

TEST_F(redis_sentinel, a_failover_that_no_sentinel_could_tell_about_is_found) {  // bug 23
  auto group = sentinel_group::start();
  std::vector<std::unique_ptr<tcp_proxy>> proxies;
  std::vector<std::uint16_t> ports;
  for (const auto port : group->sentinel_ports()) {
    ports.push_back(proxies.emplace_back(std::make_unique<tcp_proxy>(port))->port());
  }
  auto redis = sentinel_client(sentinel_url(ports), {.command_timeout = patient});
  callers load{redis};
  load.wait_for(200);
  for (auto& one : proxies) one->drop();
  const auto next = group->failover();
  for (auto& one : proxies) one->release();
  wait_served_by(redis, group->server(next));
  load.wait_for(200);
  load.stop();
  expect_unharmed(load, "failover with the sentinels out of reach");
}

TEST_F(redis_sentinel, a_primary_goes_on_without_any_sentinel) {
  auto group = sentinel_group::start();
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports()), {.command_timeout = patient});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  for (std::size_t i = 0; i < group->sentinels(); ++i) group->sentinel(i).kill();
  EXPECT_EQ(redis.run(cmd::set("k", "w")), true);
  // Also after its connection broke: it calls itself primary, and nobody objects.
  group->server(0).run({"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "w");

  group->server(0).kill();
  auto hasty = sentinel_client(sentinel_url(group->sentinel_ports()), {.command_timeout = 300ms});
  for (auto* one : {&hasty, &redis}) {
    const auto outcome = one->run(cmd::get("k").with_timeout(300ms));
    EXPECT_EQ(outcome.error().code(), cmd::errc::unreachable);
    for (const auto port : group->sentinel_ports()) {
      EXPECT_THAT(failure_of(outcome), HasSubstr(fmt::format("127.0.0.1:{}", port)));
    }
    EXPECT_THAT(failure_of(outcome), HasSubstr("refused"));
  }
}

TEST_F(redis_sentinel, a_lying_sentinel_among_three_does_not_win) {  // bug 23
  servers::fake_server impostor{servers::answers::redis()};
  auto group = sentinel_group::start();
  scripted_sentinel liar{impostor.port(), 1'000};
  liar.tell_about({impostor.port()});
  auto ports = group->sentinel_ports();
  ports[2] = liar.port();
  auto redis = sentinel_client(sentinel_url(ports), {.command_timeout = patient});
  callers load{redis};
  load.wait_for(200);
  liar.publish();
  const auto next = group->failover();
  liar.publish();
  wait_served_by(redis, group->server(next));
  load.wait_for(200);
  load.stop();
  EXPECT_GT(liar.asked(), 0U);
  EXPECT_EQ(impostor.accepted(), 0U);
  expect_unharmed(load, "failover beside a lying sentinel");
}

TEST_F(redis_sentinel, sentinels_and_servers_are_reached_by_tls_and_verified) {
  auto group = sentinel_group::start({.tls = true, .password = "secret"});
  auto url = sentinel_url(group->sentinel_ports(), ":secret@");
  url.insert(url.find('+'), "s");
  const auto& files = servers::test_certificates();
  auto redis = sentinel_client(url, {.tls = {.ca_file = files.authority}, .command_timeout = patient});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  const auto next = group->failover();
  wait_served_by(redis, group->server(next));
  auto doubting = sentinel_client(url, {.tls = {.ca_file = files.other_authority}, .command_timeout = 1s});
  EXPECT_THAT(failure_of(doubting.check()), HasSubstr("certificate"));
}

TEST_F(redis_sentinel, replicas_answer_reads_if_they_may) {
  auto group = sentinel_group::start();
  const auto gets = [&](std::size_t which) { return group->server(which).info("cmdstat_get"); };
  auto redis = sentinel_client(sentinel_url(group->sentinel_ports()),
                               {.read_from = read_from::prefer_replica, .command_timeout = 3s});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  servers::wait_until("a replica answers", [&] {
    EXPECT_THAT(text_of(redis.run(cmd::get("k"))), testing::AnyOf("v", "(nil)"));
    return !gets(1).empty() || !gets(2).empty();
  });
  // Writes go on to the primary, and reads survive the loss of replicas.
  callers load{redis};
  load.wait_for(200);
  group->server(1).kill();
  group->server(2).kill();
  load.wait_for(200);
  load.stop();
  expect_unharmed(load, "both replicas killed");
}

}  // namespace
}  // namespace seawall::redis

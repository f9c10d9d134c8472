// Servers that are absent, slow, dead, or something else.
#include "client_support.hpp"
#include "servers/ports.hpp"

#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using servers::direction;
using servers::fake_server;
using servers::redis_server;
using servers::tcp_proxy;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
namespace answers = servers::answers;

std::string address_of(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

TEST(redis_bad_input, an_unreachable_host_is_named_with_the_cause) {
  const auto port = servers::reserve_port();
  auto redis = client_of(port, {.command_timeout = 200ms});
  const auto outcome = redis.run(cmd::get("k"));
  EXPECT_EQ(outcome.error().code(), cmd::errc::unreachable);
  EXPECT_THAT(failure_of(outcome), AllOf(HasSubstr(address_of(port)), HasSubstr("refused")));
}

TEST(redis_bad_input, a_name_that_does_not_resolve_is_named) {
  auto redis = client::connect({.url = "redis://no-such-host.invalid", .command_timeout = 2s}).value();
  EXPECT_THAT(failure_of(redis.run(cmd::get("k"))), HasSubstr("no-such-host.invalid:6379"));
}

TEST(redis_bad_input, a_web_server_is_recognized_at_once) {
  fake_server web{answers::http()};
  auto redis = client_of(web.port(), {.command_timeout = 20s});
  EXPECT_THAT(failure_of(redis.run(cmd::get("k"))), AllOf(HasSubstr(address_of(web.port())), HasSubstr("HTTP")));
}

TEST(redis_bad_input, a_server_without_resp3_is_recognized_at_once) {  // bug 10
  fake_server old{answers::resp2_only(answers::redis())};
  auto redis = client_of(old.port(), {.command_timeout = 20s});
  const auto outcome = redis.run(cmd::get("k"));
  EXPECT_EQ(outcome.error().code(), cmd::errc::no_proto);
  EXPECT_THAT(failure_of(outcome), AllOf(HasSubstr(address_of(old.port())), HasSubstr("RESP3")));
}

TEST(redis_bad_input, bytes_that_are_no_reply_close_the_connection_and_say_what_came) {
  fake_server odd{[healthy = answers::redis()](servers::fake_connection& on, const servers::arguments& command) {
    return command.at(0) == "GET" ? std::string{"$-7\r\n"} : healthy(on, command);
  }};
  auto redis = client_of(odd.port(), {.max_retries = 0});
  EXPECT_THAT(failure_of(redis.run(cmd::get("k"))),
              AllOf(HasSubstr(address_of(odd.port())), HasSubstr("negative length")));
  EXPECT_TRUE(redis.check());
  EXPECT_GE(odd.accepted(), 2U);
}

TEST(redis_failures, a_loading_server_is_waited_for) {
  fake_server slow{answers::loading(3, answers::redis())};
  auto redis = client_of(slow.port(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
}

TEST(redis_failures, answers_in_single_bytes_are_put_together) {
  fake_server slow{answers::sliced(1, answers::redis())};
  auto redis = client_of(slow.port(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "v");
}

// A server that closes instead of answering the first INCR, and counts how many came.
struct closes_once {
  std::atomic<int> seen{0};
  fake_server server;

  explicit closes_once(std::string name)
      : server([this, name, healthy = answers::redis()](servers::fake_connection& on,
                                                        const servers::arguments& command) {
          if (command.at(0) != name) return healthy(on, command);
          if (seen.fetch_add(1) == 0) {
            on.close();
            return std::string{};
          }
          return std::string{name == "GET" ? "$1\r\nv\r\n" : ":1\r\n"};
        }) {}
};

TEST(redis_failures, what_may_have_been_applied_is_not_sent_twice) {
  closes_once server{"INCR"};
  auto redis = client_of(server.server.port(), {.command_timeout = 20s});
  const auto outcome = redis.run(cmd::incr("n"));
  EXPECT_EQ(outcome.error().code(), cmd::errc::connection_lost);
  EXPECT_THAT(failure_of(outcome), HasSubstr("may have been applied"));
  EXPECT_EQ(redis.run(cmd::incr("n")), 1);
  EXPECT_EQ(server.seen, 2);
}

TEST(redis_failures, a_read_is_sent_again) {
  closes_once server{"GET"};
  auto redis = client_of(server.server.port(), {.command_timeout = 20s});
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "v");
  EXPECT_EQ(server.seen, 2);
  EXPECT_EQ(redis.stats().retries, 1U);
}

TEST(redis_failures, a_replica_that_refuses_a_write_is_left) {
  std::atomic<int> refused{0};
  fake_server server{[&, healthy = answers::redis()](servers::fake_connection& on, const servers::arguments& command) {
    if (command.at(0) == "SET" && refused.fetch_add(1) < 1) {
      return std::string{"-READONLY You can't write against a read only replica.\r\n"};
    }
    return healthy(on, command);
  }};
  auto redis = client_of(server.port(), {.command_timeout = 20s});
  EXPECT_EQ(redis.run(cmd::set("k", "v")), true);
  EXPECT_GE(server.accepted(), 2U);
}

class redis_failures : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
    proxy = std::make_unique<tcp_proxy>(server->port());
  }

  std::unique_ptr<redis_server> server;
  std::unique_ptr<tcp_proxy> proxy;
};
using redis_faults = redis_failures;

TEST_F(redis_faults, a_call_ends_by_its_deadline) {
  auto redis = client_of(proxy->port(), {.command_timeout = 100ms});
  ASSERT_TRUE(redis.check());
  proxy->hold(direction::to_client);
  const auto outcome = redis.run(cmd::get("k"));
  EXPECT_EQ(outcome.error(), errc::timed_out);
  EXPECT_THAT(failure_of(outcome), HasSubstr("no reply"));
  proxy->release();
  EXPECT_EQ(text_of(redis.run(cmd::get("k").with_timeout(20s))), "(nil)");
  EXPECT_EQ(redis.stats().timeouts, 1U);
}

TEST_F(redis_faults, queueing_counts) {
  auto redis = client_of(proxy->port(), {.command_timeout = 100ms, .max_queued_commands = 1000});
  proxy->hold();
  std::vector<std::future<result<std::optional<std::string>>>> all;
  for (int i = 0; i < 100; ++i) all.push_back(redis.async_run(cmd::get("k"), asio::use_future));
  for (auto& one : all) EXPECT_FALSE(one.get());
}

TEST_F(redis_faults, a_full_queue_refuses) {
  auto redis = client_of(proxy->port(), {.command_timeout = 1s, .max_queued_commands = 3});
  ASSERT_TRUE(redis.check());
  proxy->hold();
  std::vector<std::future<result<std::optional<std::string>>>> all;
  for (int i = 0; i < 4; ++i) all.push_back(redis.async_run(cmd::get("k"), asio::use_future));
  EXPECT_EQ(all[3].get().error().code(), cmd::errc::queue_full);
}

TEST_F(redis_faults, a_dead_peer_is_noticed_within_two_intervals) {  // bug 15
  auto redis = client_of(proxy->port(), {.command_timeout = 20s, .health_interval = 100ms});
  ASSERT_TRUE(redis.check());
  proxy->drop();
  auto waiting = redis.async_run(cmd::get("k"), asio::use_future);
  servers::wait_until("the client has given the connection up", [&] { return redis.stats().disconnects == 1; });
  proxy->release();
  EXPECT_EQ(text_of(waiting.get()), "(nil)");
}

TEST_F(redis_faults, an_idle_connection_is_watched) {
  auto redis = client_of(proxy->port(), {.health_interval = 50ms});
  ASSERT_TRUE(redis.check());
  proxy->drop();
  servers::wait_until("the client has noticed", [&] { return redis.stats().disconnects == 1; });
}

TEST_F(redis_faults, every_call_ends_whatever_happens_and_no_answer_is_wrong) {  // bug 18
  auto redis = client_of(proxy->port(), {.command_timeout = 2s});
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> right{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const std::string key = std::to_string(t) + ":" + std::to_string(i % 50);
        if (i < 50) redis.run(cmd::set(key, key));
        const auto read = redis.run(cmd::get(key));
        if (read && *read && **read != key) ++wrong;
        if (read) ++right;
      }
    });
  }
  const auto progress = [&] {
    const int before = right;
    servers::wait_until("answers come again", [&] { return right > before + 200; });
  };
  progress();
  for (int round = 0; round < 3; ++round) {
    proxy->reset();
    progress();
    proxy->cut_after(direction::to_client, 7);
    progress();
    proxy->refuse();
    proxy->close();
    proxy->accept();
    progress();
    server->kill();
    server->restart();
    progress();
    server->pause();
    server->resume();
    progress();
  }
  stop = true;
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(redis.stats().disconnects, 3U);
}

}  // namespace
}  // namespace seawall::redis

// The end of a client: whatever is under way, in whatever state the connection is, and wherever the end comes from.
#include "client_support.hpp"
#include "seawall/cmd/watch.hpp"
#include "servers/ports.hpp"

#include <boost/asio/use_future.hpp>

#include <future>
#include <vector>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using servers::direction;
using servers::fake_server;
using servers::redis_server;
using servers::tcp_proxy;
namespace answers = servers::answers;

// Commands under way, and how they ended. Outlives the client.
class flights {
 public:
  void begin(client& redis, int count) {
    for (int i = 0; i < count; ++i) {
      reads_.push_back(redis.async_run(cmd::get("k"), asio::use_future));
      writes_.push_back(redis.async_run(cmd::incr("n"), asio::use_future));
    }
  }
  void expect_closed() {
    for (auto& one : reads_) EXPECT_EQ(one.get().error(), errc::closed);
    for (auto& one : writes_) EXPECT_EQ(one.get().error(), errc::closed);
  }
  void expect_ended() {
    for (auto& one : reads_) EXPECT_FALSE(one.get());
    for (auto& one : writes_) EXPECT_FALSE(one.get());
  }

 private:
  std::vector<std::future<result<std::optional<std::string>>>> reads_;
  std::vector<std::future<result<std::int64_t>>> writes_;
};

class redis_end : public testing::Test {  // bug 25
 protected:
  // Answers everything but GET and INCR.
  static servers::handler mute() {
    return [healthy = answers::redis()](servers::fake_connection& on, const servers::arguments& command) {
      return command.at(0) == "GET" || command.at(0) == "INCR" ? std::string{} : healthy(on, command);
    };
  }
  std::size_t arrived(const char* name) const {
    const auto all = server.received();
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](const auto& one) { return one.at(0) == name; }));
  }

  flights under_way;
  fake_server server{mute()};
};

TEST_F(redis_end, ends_what_is_under_way_on_a_healthy_connection) {
  {
    auto redis = client_of(server.port(), {.command_timeout = 20s});
    under_way.begin(redis, 100);
    servers::wait_until("all is on its way", [&] { return arrived("INCR") == 100; });
  }
  under_way.expect_closed();
  servers::wait_until("no connection is left", [&] { return server.open() == 0; });
}

TEST_F(redis_end, ends_what_is_under_way_before_anything_is_connected) {
  auto redis = std::make_unique<client>(client_of(server.port(), {.command_timeout = 20s}));
  under_way.begin(*redis, 100);
  redis.reset();
  under_way.expect_closed();
}

TEST_F(redis_end, ends_what_waits_for_a_server_that_is_not_there) {
  const auto nobody = servers::reserve_port();
  {
    auto redis = client_of(nobody, {.command_timeout = 20s});
    under_way.begin(redis, 100);
    servers::wait_until("it tries", [&] { return redis.stats().connect_failures > 1; });
  }
  under_way.expect_closed();
}

TEST_F(redis_end, ends_what_waits_for_a_broken_connection) {
  tcp_proxy proxy{server.port()};
  {
    auto redis = client_of(proxy.port(), {.command_timeout = 20s});
    ASSERT_TRUE(redis.check());
    proxy.refuse();
    proxy.reset();
    servers::wait_until("it is broken", [&] { return redis.stats().disconnects == 1; });
    under_way.begin(redis, 100);
    servers::wait_until("it tries", [&] { return redis.stats().connect_failures > 1; });
  }
  under_way.expect_closed();
}

TEST_F(redis_end, a_reply_may_end_the_client_while_others_are_due) {
  tcp_proxy proxy{server.port()};
  auto redis = std::make_unique<client>(client_of(proxy.port(), {.command_timeout = 20s}));
  ASSERT_TRUE(redis->check());
  proxy.hold(direction::to_client);
  std::promise<std::string> read;
  redis->async_run(cmd::raw("ECHO", "now"), [&](const auto& echo) {
    redis.reset();
    read.set_value(echo ? std::string{(*echo)->text()} : failure_of(echo));
  });
  under_way.begin(*redis, 50);
  servers::wait_until("all is on its way", [&] { return arrived("INCR") == 50; });
  proxy.release();
  EXPECT_EQ(read.get_future().get(), "now");
  under_way.expect_closed();
}

TEST_F(redis_end, a_failure_may_end_the_client) {
  auto redis = std::make_unique<client>(client_of(server.port(), {.command_timeout = 20s}));
  std::promise<result<std::int64_t>> failed;
  redis->async_run(cmd::incr("n"), [&](auto outcome) {
    redis.reset();
    failed.set_value(std::move(outcome));
  });
  auto* const still_there = redis.get();
  servers::wait_until("it is on its way", [&] { return arrived("INCR") == 1; });
  under_way.begin(*still_there, 50);
  server.close_all();
  EXPECT_EQ(failed.get_future().get().error().code(), cmd::errc::connection_lost);
  under_way.expect_ended();
}

TEST_F(redis_end, an_exception_of_the_caller_ends_what_belongs_to_it) {
  SEAWALL_NEEDS_SERVER();
  auto real = redis_server::start();
  auto redis = client_of(real->port(), {.command_timeout = 20s});
  std::future<result<resp::value>> popped;
  const auto sell = [&] {
    auto own = redis.open_session();
    const auto watched = own.run(cmd::watch("stock"));
    if (!watched) throw std::logic_error(watched.error().message());
    popped = own.async_run(cmd::raw("BLPOP", "none", 0), asio::use_future);
    servers::wait_until("BLPOP is there", [&] { return real->info("blocked_clients") == "1"; });
    throw std::runtime_error("out of luck");
  };
  EXPECT_THROW(sell(), std::runtime_error);
  EXPECT_EQ(popped.get().error(), errc::closed);
  servers::wait_until("the server has noticed", [&] { return real->info("blocked_clients") == "0"; });
  EXPECT_TRUE(redis.transaction(cmd::set("stock", 4), cmd::get("stock")));
}

}  // namespace
}  // namespace seawall::redis

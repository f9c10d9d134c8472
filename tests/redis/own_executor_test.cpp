// Blocking calls where they would wait for themselves: in handlers that run on the client's own executor.
#include "client_support.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <functional>
#include <future>
#include <thread>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using boost::system::errc::resource_deadlock_would_occur;
using servers::fake_server;
using testing::HasSubstr;
namespace answers = servers::answers;

class redis_own_executor : public testing::Test {
 protected:
  using call = std::function<error(client&)>;

  // What each kind of blocking call says.
  static inline const std::vector<std::pair<const char*, call>> calls{
      {"a command", [](client& c) { return c.run(cmd::get("k")).error(); }},
      {"a pipeline", [](client& c) { return std::get<1>(c.run(cmd::get("k"), cmd::set("k", 1))).error(); }},
      {"a transaction", [](client& c) { return c.transaction(cmd::get("k"), cmd::set("k", 1)).error(); }},
      {"words", [](client& c) { return c.command({"GET", "k"}).error(); }},
      {"check", [](client& c) { return c.check().error(); }},
      {"a session", [](client& c) { return c.open_session().run(cmd::get("k")).error(); }},
  };

  void expect_refused(client& redis) {
    for (const auto& [what, blocking] : calls) {
      const error why = blocking(redis);
      EXPECT_EQ(why.code(), resource_deadlock_would_occur) << what;
      EXPECT_THAT(why.message(), HasSubstr("async_")) << what;
    }
  }
  // How often a command arrived.
  std::ptrdiff_t arrived(const char* name) const {
    return std::ranges::count_if(server.received(), [&](const auto& one) { return one.at(0) == name; });
  }

  fake_server server{answers::redis()};
};

TEST_F(redis_own_executor, a_handler_of_a_clients_own_thread_cannot_block) {
  auto redis = client_of(server.port());
  std::promise<void> done;
  redis.async_run(cmd::raw("PING"), [&](const auto&) {
    expect_refused(redis);
    done.set_value();
  });
  done.get_future().get();
  EXPECT_EQ(arrived("GET"), 0);
  EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "(nil)") << "elsewhere it can";
}

// A caller that blocks alone runs the client's I/O, and so handlers, on its own thread.
TEST_F(redis_own_executor, a_handler_on_the_thread_of_a_caller_that_blocks_cannot_block) {
  auto redis = client_of(server.port());
  const auto caller = std::this_thread::get_id();
  for (bool was_there = false; !was_there;) {
    redis.async_run(cmd::raw("PING"), [&](const auto&) {
      was_there = std::this_thread::get_id() == caller;
      if (was_there) expect_refused(redis);
    });
    ASSERT_TRUE(redis.check());
  }
  EXPECT_EQ(arrived("GET"), 0);
}

TEST_F(redis_own_executor, a_handler_of_the_users_context_cannot_block) {
  asio::io_context context;
  const auto plain = context.get_executor();
  const std::vector<asio::any_io_executor> given{plain, asio::make_strand(plain),
                                                 asio::make_strand(asio::any_io_executor{plain})};
  for (const auto& executor : given) {
    auto redis = client_of(server.port(), {.executor = executor});
    asio::post(context, [&] { expect_refused(redis); });
    redis.async_run(cmd::raw("PING"), [&](const auto&) {
      expect_refused(redis);
      redis.close();
    });
    context.run();
    context.restart();
  }
  EXPECT_EQ(arrived("GET"), 0);
}

TEST_F(redis_own_executor, a_handler_of_another_context_may_block) {
  auto redis = client_of(server.port());
  asio::io_context other;
  asio::post(other, [&] { EXPECT_EQ(text_of(redis.run(cmd::get("k"))), "(nil)"); });
  other.run();
  // Also of another client.
  auto second = client_of(server.port());
  std::promise<std::string> read;
  redis.async_run(cmd::raw("PING"), [&](const auto&) { read.set_value(text_of(second.run(cmd::get("k")))); });
  EXPECT_EQ(read.get_future().get(), "(nil)");
}

TEST_F(redis_own_executor, subscribing_waits_for_nothing_there) {
  asio::io_context context;
  auto redis = client_of(server.port(), {.executor = context.get_executor()});
  asio::post(context, [&] {
    auto made = redis.subscribe({.channels = {"news"}}, [](const message&) {});
    ASSERT_TRUE(made) << failure_of(made);
    EXPECT_FALSE(made->active()) << "nobody has confirmed it";
    EXPECT_TRUE(made->add({.channels = {"more"}}));
    EXPECT_TRUE(made->remove({.channels = {"news"}}));
    redis.close();
  });
  context.run();
}

}  // namespace
}  // namespace seawall::redis

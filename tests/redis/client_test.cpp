// One client, one real server.
#include "client_support.hpp"
#include "seawall/cmd/scripting.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using servers::redis_server;
using testing::HasSubstr;

class redis_client : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
  }

  std::unique_ptr<redis_server> server;
};

TEST_F(redis_client, sets_and_gets) {
  auto redis = client_of(server->port());
  EXPECT_EQ(redis.run(cmd::set("user:1", "ada")), true);
  EXPECT_EQ(text_of(redis.run(cmd::get("user:1"))), "ada");
  EXPECT_EQ(text_of(redis.run(cmd::get("user:2"))), "(nil)");
}

TEST_F(redis_client, keeps_every_byte_of_a_value) {
  auto redis = client_of(server->port());
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& value : {std::string{}, std::string{"\r\n$-1\r\n"}, all, std::string(20'000'000, 'x')}) {
    ASSERT_EQ(redis.run(cmd::set("k", value)), true);
    ASSERT_EQ(text_of(redis.run(cmd::get("k"))), value);
  }
}

TEST_F(redis_client, runs_any_command) {
  auto redis = client_of(server->port());
  redis.run(cmd::set("k", "12"));
  const auto encoding = redis.command({"OBJECT", "ENCODING", "k"});
  ASSERT_TRUE(encoding) << failure_of(encoding);
  EXPECT_EQ((*encoding)->text(), "int");
  const auto wrong = redis.command({"LPUSH", "k", "x"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), cmd::errc::wrong_type);
}

TEST_F(redis_client, a_pipeline_has_a_result_for_each_command) {  // bug 25
  auto redis = client_of(server->port());
  redis.run(cmd::set("text", "abc"));
  const auto [added, wrong, read] = redis.run(cmd::incr("n"), cmd::incr("text"), cmd::get("text"));
  EXPECT_EQ(added, 1);
  EXPECT_FALSE(wrong);
  EXPECT_EQ(text_of(read), "abc");
}

TEST_F(redis_client, a_pipeline_is_one_write) {
  auto redis = client_of(server->port());
  std::vector<cmd::command<bool>> sets;
  for (int i = 0; i < 100; ++i) sets.push_back(cmd::set("k" + std::to_string(i), i));
  ASSERT_TRUE(redis.check());
  const auto before = redis.stats().writes;
  for (const auto& one : redis.run(sets)) EXPECT_EQ(one, true);
  EXPECT_EQ(redis.stats().writes - before, 1U);
}

TEST_F(redis_client, a_transaction_is_all_or_nothing) {
  auto redis = client_of(server->port());
  const auto done = redis.transaction(cmd::set("a", 1), cmd::incr("a"));
  ASSERT_TRUE(done) << failure_of(done);
  EXPECT_EQ(std::get<1>(*done), 2);
  const auto refused = redis.transaction(cmd::set("b", 1), cmd::raw("NOSUCH"));
  EXPECT_THAT(failure_of(refused), HasSubstr("NOSUCH"));
  EXPECT_EQ(text_of(redis.run(cmd::get("b"))), "(nil)");
}

// Bug 27: a server that does not know a script refuses it when EXEC runs it, and runs the rest.
TEST_F(redis_client, a_script_that_the_server_does_not_know_runs_in_a_transaction) {
  auto redis = client_of(server->port());
  const cmd::script next{"return redis.call('INCRBY', KEYS[1], ARGV[1])"};
  ASSERT_TRUE(redis.run(cmd::script_flush()));
  const auto bare = redis.transaction(cmd::set("n", 1), cmd::raw("EVALSHA", next.digest(), 1, "n", 10));
  ASSERT_TRUE(bare) << failure_of(bare);
  EXPECT_EQ(std::get<1>(*bare).error().code(), cmd::errc::no_script) << "so a digest alone is not enough";
  EXPECT_EQ(text_of(redis.run(cmd::get("n"))), "1");
  const auto done = redis.transaction(cmd::set("n", 2), cmd::eval<int>(next, "n", 10), cmd::get("n"));
  ASSERT_TRUE(done) << failure_of(done);
  EXPECT_EQ(std::get<1>(*done), 12);
  EXPECT_EQ(text_of(std::get<2>(*done)), "12");
}

TEST_F(redis_client, many_threads_share_a_connection_and_never_get_each_others_answers) {
  auto redis = client_of(server->port(), {.command_timeout = 20s});
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const std::string key = std::to_string(t) + ":" + std::to_string(i);
        if (redis.run(cmd::set(key, key)) != true) ++wrong;
        if (text_of(redis.run(cmd::get(key))) != key) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(redis.stats().connects, 1U);
}

TEST_F(redis_client, coroutines_run_on_the_users_context) {
  asio::io_context context;
  auto redis = client_of(server->port(), {.executor = context.get_executor()});
  int answers = 0;
  for (int i = 0; i < 50; ++i) {
    asio::co_spawn(
        context,
        [&redis, &answers, i]() -> asio::awaitable<void> {
          const std::string key = std::to_string(i);
          const bool set = (co_await redis.async_run(cmd::set(key, key), asio::use_awaitable)).value_or(false);
          const auto read = co_await redis.async_run(cmd::get(key), asio::use_awaitable);
          if (set && text_of(read) == key) ++answers;
          if (i == 49) redis.close();
        },
        asio::detached);
  }
  context.run();
  EXPECT_EQ(answers, 50);
}

TEST_F(redis_client, futures_and_callbacks_work_without_a_context) {
  auto redis = client_of(server->port());
  EXPECT_EQ(redis.async_run(cmd::incr("n"), asio::use_future).get(), 1);
  std::promise<std::int64_t> called;
  redis.async_run(cmd::incr("n"), [&](result<std::int64_t> n) { called.set_value(n.value_or(-1)); });
  EXPECT_EQ(called.get_future().get(), 2);
}

TEST_F(redis_client, a_cancelled_command_ends_and_the_next_gets_its_own_answer) {  // bug 1
  servers::tcp_proxy proxy{server->port()};
  auto redis = client_of(proxy.port(), {.command_timeout = 20s});
  redis.run(cmd::set("a", "A"), cmd::set("b", "B"));
  proxy.hold(servers::direction::to_client);
  asio::cancellation_signal stop;
  std::promise<result<std::optional<std::string>>> ended;
  redis.async_run(cmd::get("a"), asio::bind_cancellation_slot(stop.slot(), [&](auto outcome) {
                    ended.set_value(std::move(outcome));
                  }));
  auto next = redis.async_run(cmd::get("b"), asio::use_future);
  stop.emit(asio::cancellation_type::total);
  EXPECT_EQ(ended.get_future().get().error(), errc::cancelled);
  proxy.release();
  EXPECT_EQ(text_of(next.get()), "B");
}

TEST_F(redis_client, blocking_commands_do_not_hold_up_others) {
  auto redis = client_of(server->port());
  auto popped = redis.async_run(cmd::raw("BLPOP", "queue", 10).with_timeout(15s), asio::use_future);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(redis.run(cmd::incr("n")), i + 1);
  servers::wait_until("BLPOP is there", [&] { return server->info("blocked_clients") == "1"; });
  ASSERT_TRUE(redis.command({"RPUSH", "queue", "job"}));
  const auto got = popped.get();
  ASSERT_TRUE(got) << failure_of(got);
  EXPECT_EQ((**got)[1].text(), "job");
}

TEST_F(redis_client, a_large_reply_holds_up_small_ones_only_while_it_passes) {  // bug 26
  auto redis = client_of(server->port(), {.command_timeout = 20s});
  redis.run(cmd::set("large", std::string(10'000'000, 'x')), cmd::set("small", "s"));
  auto large = redis.async_run(cmd::get("large"), asio::use_future);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(text_of(redis.run(cmd::get("small"))), "s");
  EXPECT_EQ(text_of(large.get()).size(), 10'000'000U);
}

TEST_F(redis_client, commands_that_change_a_connection_are_refused_on_a_shared_one) {
  auto redis = client_of(server->port());
  for (const char* name : {"SUBSCRIBE", "WATCH", "MULTI", "SELECT", "RESET"}) {
    const auto refused = redis.command({name, "1"});
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error(), errc::invalid_argument) << name;
  }
}

TEST_F(redis_client, several_connections_keep_the_order_of_one_key) {
  auto redis = client_of(server->port(), {.connections = 4});
  std::vector<std::future<result<std::int64_t>>> all;
  for (int i = 0; i < 400; ++i) {
    all.push_back(redis.async_run(cmd::incr("k" + std::to_string(i % 4)), asio::use_future));
  }
  for (int i = 0; i < 400; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].get(), i / 4 + 1);
  EXPECT_GT(redis.stats().connects, 1U);
}

TEST_F(redis_client, closing_ends_what_is_under_way_and_all_later_commands) {  // bug 16
  servers::tcp_proxy proxy{server->port()};
  auto redis = client_of(proxy.port(), {.command_timeout = 20s});
  ASSERT_TRUE(redis.check());
  proxy.hold(servers::direction::to_client);
  auto pending = redis.async_run(cmd::get("a"), asio::use_future);
  redis.close();
  EXPECT_EQ(pending.get().error(), errc::closed);
  EXPECT_EQ(redis.run(cmd::get("a")).error(), errc::closed);
}

TEST_F(redis_client, may_be_destroyed_by_its_own_answer) {
  std::promise<void> done;
  {
    auto redis = std::make_shared<client>(client_of(server->port()));
    auto* held = redis.get();
    held->async_run(cmd::raw("PING"), [keep = std::move(redis), &done](const auto&) mutable {
      keep.reset();
      done.set_value();
    });
  }
  done.get_future().get();
}

}  // namespace
}  // namespace seawall::redis

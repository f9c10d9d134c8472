// What a GET allocates between the caller and the socket, once everything has its size: the caller's own value.
#include "client_support.hpp"
#include "counted_malloc.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

namespace seawall::redis {
namespace {

namespace asio = boost::asio;
using text_result = result<std::optional<std::string>>;

constexpr int gets = 2000;

class redis_allocations : public testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = servers::redis_server::start();
    server->run({"SET", "k", std::string(64, 'x')});
  }

  // Of each of `gets` GETs, after as many.
  static double of_each(const std::function<void()>& all_gets) {
    all_gets();
    const std::size_t before = allocations_so_far();
    all_gets();
    const double each = static_cast<double>(allocations_so_far() - before) / gets;
    std::printf("[ measured ] %s: %.3f allocations per GET\n",
                testing::UnitTest::GetInstance()->current_test_info()->name(), each);
    return each;
  }
  static bool right(const text_result& read) { return read && *read && (*read)->size() == 64; }

  std::unique_ptr<servers::redis_server> server;
};

// Something that happens now and then, such as PING, is none of a GET's.
constexpr double now_and_then = 0.01;
constexpr double the_value = 1 + now_and_then;

TEST_F(redis_allocations, one_caller_that_blocks) {
  auto redis = client_of(server->port());
  int wrong = 0;
  EXPECT_LE(of_each([&] {
              for (int i = 0; i < gets; ++i) wrong += !right(redis.run(cmd::get("k")));
            }),
            the_value);
  EXPECT_EQ(wrong, 0);
}

TEST_F(redis_allocations, several_callers_that_block) {
  auto redis = client_of(server->port());
  constexpr int callers = 8;
  std::atomic<int> wrong{0}, ready{0};
  std::atomic<int> round{0};
  // The threads are made once: they are not what is counted.
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&] {
      for (int seen = 0; seen < 2; ++seen) {
        round.wait(seen);
        for (int i = 0; i < gets / callers; ++i) wrong += !right(redis.run(cmd::get("k")));
        ++ready;
        ready.notify_all();
      }
    });
  }
  EXPECT_LE(of_each([&] {
              ready = 0;
              ++round;
              round.notify_all();
              for (int now = ready; now != callers; now = ready) ready.wait(now);
            }),
            the_value + 0.5);  // how often one hands the I/O over to another is for the scheduler to say
  EXPECT_EQ(wrong, 0);
}

// Each command is submitted while a reply is handed out. Asio queues the strand anew for that, and its cache is too
// small for everything that is under way at that moment.
TEST_F(redis_allocations, a_coroutine) {
  asio::io_context context;
  auto redis = client_of(server->port(), {.executor = context.get_executor()});
  int wrong = 0;
  const auto all_gets = [&]() -> asio::awaitable<void> {
    for (int i = 0; i < gets; ++i) {
      const text_result read = co_await redis.async_run(cmd::get("k"), asio::use_awaitable);
      wrong += !right(read);
    }
  };
  EXPECT_LE(of_each([&] {
              asio::co_spawn(context, all_gets, [&](const std::exception_ptr&) { context.stop(); });
              context.run();
              context.restart();
            }),
            the_value + 2);
  EXPECT_EQ(wrong, 0);
}

// The same, once for the many replies that come together.
TEST_F(redis_allocations, callbacks_with_64_commands_under_way) {
  asio::io_context context;
  auto redis = client_of(server->port(), {.executor = context.get_executor()});
  int wrong = 0, left = 0, due = 0;
  const std::function<void()> next = [&] {
    if (left == 0) return;
    --left;
    redis.async_run(cmd::get("k"), [&](const text_result& read) {
      wrong += !right(read);
      if (--due == 0) context.stop();
      next();
    });
  };
  EXPECT_LE(of_each([&] {
              left = due = gets;
              for (int i = 0; i < 64; ++i) next();
              context.run();
              context.restart();
            }),
            the_value + 0.5);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace seawall::redis

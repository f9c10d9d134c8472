// Coroutines that wait to be woken, and their context.
#include "seawall/cache/async_waiter.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace seawall::detail {
namespace {

namespace asio = boost::asio;

class AsyncWaiter : public ::testing::Test {
 protected:
  using waiters = std::vector<std::shared_ptr<async_waiter>>;

  static asio::awaitable<void> wait(std::shared_ptr<async_waiter> who) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    co_await who->async_wait(executor, asio::use_awaitable);
  }

  waiters park(int count) {
    waiters all;
    for (int i = 0; i != count; ++i) {
      all.push_back(std::make_shared<async_waiter>());
      asio::co_spawn(*context, wait(all.back()), [this, i](const std::exception_ptr&) { ended.push_back(i); });
    }
    run();
    return all;
  }
  void run() {
    context->restart();
    context->poll();
  }

  std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>();
  std::vector<int> ended;
};

TEST_F(AsyncWaiter, AWakeThatComesFirstIsNotLost) {
  const auto who = std::make_shared<async_waiter>();
  who->wake();
  asio::co_spawn(*context, wait(who), [this](const std::exception_ptr&) { ended.push_back(1); });
  run();
  EXPECT_EQ(ended.size(), 1u);
  EXPECT_TRUE(who->take_signal());
  EXPECT_FALSE(who->take_signal());
}

TEST_F(AsyncWaiter, AContextHasWorkWhileSomebodyWaits) {
  const auto who = std::make_shared<async_waiter>();
  who->async_wait(context->get_executor(), [this] { ended.push_back(0); });
  run();
  EXPECT_FALSE(context->stopped());
  who->wake();
  run();
  EXPECT_EQ(ended.size(), 1u);
  EXPECT_TRUE(context->stopped());
}

TEST_F(AsyncWaiter, ThoseThatAreWokenTogetherGoOnInTheirOrder) {
  const waiters all = park(40);
  for (const auto& one : all) one->wake();
  for (const auto& one : all) one->wake();
  EXPECT_TRUE(ended.empty());
  run();
  ASSERT_EQ(ended.size(), 40u);
  for (int i = 0; i != 40; ++i) EXPECT_EQ(ended[static_cast<std::size_t>(i)], i);
}

TEST_F(AsyncWaiter, EachGoesOnByItsOwnExecutor) {
  waiters all;
  int inside = 0;
  using strand_type = asio::strand<asio::io_context::executor_type>;
  std::vector<strand_type> strands;
  for (int i = 0; i != 4; ++i) strands.push_back(asio::make_strand(*context));
  const auto waits = [&inside](std::shared_ptr<async_waiter> who, const strand_type& strand) -> asio::awaitable<void> {
    co_await wait(std::move(who));
    if (strand.running_in_this_thread()) ++inside;
  };
  for (int i = 0; i != 8; ++i) {
    all.push_back(std::make_shared<async_waiter>());
    const auto& strand = strands[static_cast<std::size_t>(i / 2)];
    asio::co_spawn(strand, waits(all.back(), strand), asio::detached);
  }
  run();
  for (const auto& one : all) one->wake();
  run();
  EXPECT_EQ(inside, 8);
}

TEST_F(AsyncWaiter, WhatAHandlerThrowsTakesNobodyAlong) {
  const auto first = std::make_shared<async_waiter>();
  first->async_wait(context->get_executor(), [] { throw std::runtime_error("a handler's"); });
  const waiters others = park(3);
  first->wake();
  for (const auto& one : others) one->wake();
  EXPECT_THROW(run(), std::runtime_error);
  run();
  EXPECT_EQ(ended.size(), 3u);
}

TEST_F(AsyncWaiter, WhoWaitsAndWhoWasWokenDieWithTheContext) {
  const waiters all = park(3);
  all.front()->wake();
  context.reset();
  for (const auto& one : all) EXPECT_EQ(one.use_count(), 1) << "its coroutine is gone";
  for (const auto& one : all) one->wake();
  EXPECT_TRUE(ended.empty());
}

TEST_F(AsyncWaiter, ThreadsWakeWhatThreadsRun) {
  constexpr std::size_t coroutines = 20;
  constexpr std::size_t rounds = 200;
  std::atomic<std::size_t> waits{0};
  waiters all;
  std::vector<std::atomic<bool>> wants(coroutines);
  const auto waits_often = [&](std::size_t which) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    for (std::size_t i = 0; i != rounds; ++i) {
      wants[which].store(true);
      while (!all[which]->take_signal()) co_await all[which]->async_wait(executor, asio::use_awaitable);
      waits.fetch_add(1);
    }
  };
  for (std::size_t i = 0; i != coroutines; ++i) {
    all.push_back(std::make_shared<async_waiter>());
    asio::co_spawn(*context, waits_often(i), asio::detached);
  }
  std::vector<std::jthread> threads;
  for (int t = 0; t != 2; ++t) threads.emplace_back([&] { context->run(); });
  for (std::size_t left = coroutines * rounds; left != 0;) {
    for (std::size_t i = 0; i != coroutines; ++i) {
      if (!wants[i].exchange(false)) continue;
      all[i]->wake();
      --left;
    }
  }
  threads.clear();
  EXPECT_EQ(waits.load(), coroutines * rounds);
}

}  // namespace
}  // namespace seawall::detail

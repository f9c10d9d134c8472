// The asynchronous verbs. Each loop is polled by hand, so an interleaving of callers is one sequence of statements.
#include "seawall/async.hpp"

#include "seawall/testing.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::use_awaitable;
using text_loader = std::function<asio::awaitable<std::string>(int)>;

class Async : public ::testing::Test {
 protected:
  using names = cache<int, std::string>;

  // One call in progress: nothing in `said` until it has ended.
  struct call {
    std::string said;
    asio::cancellation_signal signal;

    void cancel() { signal.emit(asio::cancellation_type::terminal); }
  };

  Async() { configure({}); }

  void configure(names::options how) {
    how.clock = clock;
    how.executor = executor;
    how.jitter = 0;
    users.emplace(std::move(how));
  }

  static std::string text(const names::answer& answer) {
    if (!answer) return "error: " + answer.error().code().message();
    return *answer ? **answer : "absent";
  }

  // A coroutine on the loop that asks for the key; it begins with the next run().
  template <class Loader>
  std::shared_ptr<call> ask(int key, Loader& loader, entry_options how = {}, asio::io_context* where = nullptr) {
    const auto asked = std::make_shared<call>();
    auto done = [asked](std::exception_ptr thrown, names::answer answer) {
      asked->said = thrown ? "threw" : text(answer);
    };
    asio::co_spawn(where ? *where : *loop, users->async_get_or_load(key, loader, how, use_awaitable),
                   asio::bind_cancellation_slot(asked->signal.slot(), std::move(done)));
    return asked;
  }

  void run(asio::io_context* which = nullptr) {
    auto& polled = which ? *which : *loop;
    polled.restart();
    polled.poll();
  }
  void open_gate() {
    gate_open = true;
    gate->cancel();
    run();
  }
  std::uint64_t count(std::uint64_t class_stats::*field) { return users->stats().total.*field; }

  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>();
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  std::optional<names> users;
  std::unique_ptr<asio::io_context> loop = std::make_unique<asio::io_context>();
  std::unique_ptr<asio::steady_timer> gate =
      std::make_unique<asio::steady_timer>(*loop, asio::steady_timer::time_point::max());
  bool gate_open = false;
  int loads = 0;
  int cancelled_loads = 0;

  // Loaders that answer "v<number of the load>": at once, after a suspension, behind the gate, or never.
  std::function<std::string(int)> at_once = [this](int) { return fmt::format("v{}", ++loads); };
  text_loader suspended = [this](int) -> asio::awaitable<std::string> {
    co_await asio::post(use_awaitable);
    co_return fmt::format("v{}", ++loads);
  };
  text_loader gated = [this](int) -> asio::awaitable<std::string> {
    const std::string value = fmt::format("v{}", ++loads);
    boost::system::error_code ignored;
    if (!gate_open) co_await gate->async_wait(asio::redirect_error(use_awaitable, ignored));
    co_return value;
  };
  text_loader hanging = [this](int) -> asio::awaitable<std::string> {
    ++loads;
    asio::steady_timer never_due{co_await asio::this_coro::executor, asio::steady_timer::time_point::max()};
    try {
      co_await never_due.async_wait(use_awaitable);
    } catch (const boost::system::system_error&) {
      ++cancelled_loads;
      throw;
    }
    co_return "too late";
  };
};

// ---- joining ----

TEST_F(Async, CoroutinesJoinOneLoad) {
  const auto first = ask(1, gated);
  const auto second = ask(1, gated);
  run();
  EXPECT_EQ(first->said, "");
  const auto other = ask(2, at_once);
  run();
  EXPECT_EQ(other->said, "v2");
  open_gate();
  EXPECT_EQ(first->said, "v1");
  EXPECT_EQ(second->said, "v1");
}

TEST_F(Async, AThreadJoinsTheLoadOfACoroutine) {
  const auto leads = ask(1, gated);
  run();
  std::string answer;
  std::jthread thread{[&] { answer = text(users->get_or_load(1, at_once)); }};
  while (count(&class_stats::coalesced) == 0) std::this_thread::yield();
  open_gate();
  thread.join();
  EXPECT_EQ(answer, "v1");
}

TEST_F(Async, ACoroutineJoinsTheLoadOfAThread) {
  std::latch loading{1};
  std::latch go_on{1};
  std::jthread thread{[&] {
    users->get_or_load(1, [&](int) {
      loading.count_down();
      go_on.wait();
      return std::string("of the thread");
    });
  }};
  loading.wait();
  const auto joins = ask(1, at_once);
  run();
  EXPECT_EQ(joins->said, "");
  go_on.count_down();
  thread.join();
  run();
  EXPECT_EQ(joins->said, "of the thread");
}

// ---- answers and tokens ----

TEST_F(Async, WhatACoroutineMayAnswer) {
  configure({.backoff = {.initial = 0s}});
  const auto outcome = [&](auto loader) {
    users->clear();
    const auto asked = ask(1, loader);
    run();
    return asked->said;
  };
  using std::string;
  EXPECT_EQ(outcome([](int) -> asio::awaitable<string> { co_return "row"; }), "row");
  EXPECT_EQ(outcome([](int) -> asio::awaitable<std::optional<string>> { co_return std::nullopt; }), "absent");
  EXPECT_EQ(outcome([](int) -> asio::awaitable<result<string>> { co_return fail(errc::overloaded); }),
            "error: too many loads are running");
  EXPECT_EQ(outcome([](int) -> asio::awaitable<string> { throw std::runtime_error("no"); co_return ""; }),
            "error: the loader failed");
  EXPECT_EQ(outcome([](int, std::stop_token stop) -> asio::awaitable<string> {
              co_return stop.stop_possible() ? "may be stopped" : "";
            }), "may be stopped");
  EXPECT_EQ(outcome([](int, load_context<string>& context) -> asio::awaitable<string> {
              co_await asio::post(use_awaitable);
              context.entry.no_store = true;
              co_return context.previous() ? "again" : "the first";
            }), "the first");
  EXPECT_FALSE(users->contains(1)) << "the loader said no_store";
}

TEST_F(Async, AHitDoesNotGoThroughTheLoop) {
  users->put(1, "here");
  bool others_ran = false;
  std::string said;
  const auto body = [&]() -> asio::awaitable<void> {
    asio::post(*loop, [&] { others_ran = true; });
    said = text(co_await users->async_get_or_load(1, at_once, use_awaitable));
    EXPECT_FALSE(others_ran);
  };
  asio::co_spawn(*loop, body(), asio::detached);
  run();
  EXPECT_EQ(said, "here");
}

TEST_F(Async, CallbacksAndFutures) {
  std::string said;
  const auto on_loop = loop->get_executor();
  users->async_get_or_load(1, gated, asio::bind_executor(on_loop, [&](names::answer got) { said = text(got); }));
  auto future = users->async_get_or_load(1, gated, entry_options{}, asio::bind_executor(on_loop, asio::use_future));
  run();
  EXPECT_EQ(said, "");
  open_gate();
  EXPECT_EQ(said, "v1");
  ASSERT_EQ(future.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(text(future.get()), "v1");
  EXPECT_EQ(text(users->async_get_or_load(2, at_once, asio::use_future).get()), "v2") << "needs no loop";
}

TEST_F(Async, TheLoaderOfTheOptionsRunsOnItsExecutor) {
  EXPECT_EQ(text(users->async_get_or_load(1, asio::use_future).get()), "error: invalid argument");
  configure({.loader = at_once});
  auto future = users->async_get_or_load(1, asio::bind_executor(loop->get_executor(), asio::use_future));
  run();
  EXPECT_EQ(executor->run_all(), 1u);
  run();
  EXPECT_EQ(text(future.get()), "v1");
}

// ---- leaving early ----

TEST_F(Async, AWaiterThatIsCancelledLeavesAndTheLoadGoesOn) {
  const auto leads = ask(1, gated);
  const auto waits = ask(1, gated);
  run();
  waits->cancel();
  run();
  EXPECT_EQ(waits->said, "error: the operation was cancelled");
  open_gate();
  EXPECT_EQ(leads->said, "v1");
  EXPECT_EQ(loads, 1);
}

TEST_F(Async, ALeaderThatIsCancelledAbandonsItsLoadAndAWaiterTakesOver) {
  const auto leads = ask(1, hanging);
  const auto waits = ask(1, at_once);
  run();
  leads->cancel();
  run();
  EXPECT_EQ(cancelled_loads, 1);
  EXPECT_EQ(leads->said, "error: the operation was cancelled");
  EXPECT_EQ(waits->said, "v2");
  EXPECT_EQ(count(&class_stats::abandoned), 1u);
  EXPECT_EQ(count(&class_stats::load_failures), 0u) << "the source has not failed";
}

TEST_F(Async, ALoaderIsCancelledWhenTheTimeIsUp) {
  configure({.load_deadline = 50ms, .backoff = {.initial = 0s}});
  const auto hangs = ask(1, hanging);
  const auto waits = ask(1, hanging, {.deadline = 20ms});
  const auto in_a_hurry = ask(2, hanging, {.deadline = 10ms});
  run();
  const auto pass = [&](duration span) { return clock->advance(span), run(), cancelled_loads; };
  EXPECT_EQ(pass(10ms), 1);
  EXPECT_EQ(in_a_hurry->said, "error: the caller's deadline passed");
  EXPECT_EQ(waits->said, "");
  EXPECT_EQ(pass(10ms), 1);
  EXPECT_EQ(waits->said, "error: the caller's deadline passed");
  EXPECT_EQ(pass(30ms), 2);
  EXPECT_EQ(hangs->said, "error: the load ran longer than its deadline");
}

TEST_F(Async, ALoopMayDieWithItsCoroutines) {
  const auto leads = ask(1, hanging);
  const auto waits = ask(1, hanging);
  run();
  gate.reset();
  loop.reset();
  EXPECT_EQ(users->stats().running_loads, 0u);
  EXPECT_EQ(text(users->get_or_load(1, at_once)), "v2") << "nothing holds the key any more";
  EXPECT_EQ(leads.use_count() + waits.use_count(), 2) << "their signals may outlive the loop";
}

TEST_F(Async, ALoopMayDieWithAWaiterWhileAnotherLoopLoads) {
  const auto leads = ask(1, gated);
  run();
  auto second_loop = std::make_unique<asio::io_context>();
  const auto waits = ask(1, at_once, {}, second_loop.get());
  run(second_loop.get());
  EXPECT_EQ(count(&class_stats::coalesced), 1u);
  second_loop.reset();
  EXPECT_EQ(waits.use_count(), 1) << "the coroutine is destroyed with its loop";
  open_gate();
  EXPECT_EQ(leads->said, "v1");
}

// ---- writing ----

TEST_F(Async, APutTakesEveryKindOfToken) {
  bool called = false;
  users->async_put(1, "one", asio::bind_executor(*loop, [&] { called = true; }));
  EXPECT_FALSE(called) << "it is told on its executor";
  run();
  EXPECT_TRUE(called);
  auto promised = users->async_put(2, std::string("two"), {.ttl = 1min}, asio::bind_executor(*loop, asio::use_future));
  run();
  promised.get();
  const auto body = [this]() -> asio::awaitable<void> {
    co_await users->async_put(3, std::string("three"), use_awaitable);
    co_await users->async_put(4, nullptr, use_awaitable);
    co_await users->async_put(3, "older", {.version = 1}, use_awaitable);
    co_await users->async_put(3, "three again", {.version = 3}, use_awaitable);
    co_await users->async_put(3, "too late", {.version = 2}, use_awaitable);
  };
  asio::co_spawn(*loop, body(), asio::detached);
  run();
  const auto has = [this](int key) { return text(users->get_or_load(key, at_once)); };
  EXPECT_EQ(has(1), "one");
  EXPECT_EQ(has(2), "two");
  EXPECT_EQ(has(3), "three again");
  EXPECT_EQ(has(4), "absent");
  clock->advance(1min);
  EXPECT_EQ(has(2), "v1") << "the options are heard";
}

// ---- which code is inside a load ----

TEST_F(Async, ALoaderThatAsksForItsOwnKeyAfterASuspensionIsToldAtOnce) {
  std::vector<std::string> told;
  text_loader recursive = [&](int key) -> asio::awaitable<std::string> {
    co_await asio::post(use_awaitable);
    told.push_back(text(co_await users->async_get_or_load(key, at_once, use_awaitable)));
    told.push_back(text(users->get_or_load(key, at_once)));
    told.push_back(text(co_await users->async_get_or_load(key + 1, at_once, use_awaitable)));
    co_return "done";
  };
  const auto asked = ask(1, recursive);
  run();
  const std::string refusal = "error: a loader asked the cache for the key it is loading";
  EXPECT_EQ(told, (std::vector<std::string>{refusal, refusal, "v1"}));
  EXPECT_EQ(asked->said, "done");
}

TEST_F(Async, TheCallersCodeAfterALoadIsNotInsideIt) {
  gate_open = true;
  std::vector<std::string> told;
  const auto body = [&]() -> asio::awaitable<void> {
    told.push_back(text(co_await users->async_get_or_load(1, gated, use_awaitable)));
    users->invalidate(1);
    told.push_back(text(co_await users->async_get_or_load(1, suspended, use_awaitable)));
    users->invalidate(1);
    told.push_back(text(co_await users->async_get_or_load(1, at_once, use_awaitable)));
    users->invalidate(1);
    told.push_back(text(users->get_or_load(1, at_once)));
    EXPECT_EQ(detail::current_load(), nullptr);
  };
  asio::co_spawn(*loop, body(), asio::detached);
  run();
  EXPECT_EQ(told, (std::vector<std::string>{"v1", "v2", "v3", "v4"}));
}

TEST_F(Async, WorkThatALoaderLeavesBehindIsNotInsideItsLoad) {
  std::string said = "nothing";
  const auto afterwards = [&]() -> asio::awaitable<void> {
    while (users->get(1) == nullptr) co_await asio::post(use_awaitable);
    users->invalidate(1);
    said = text(co_await users->async_get_or_load(1, at_once, use_awaitable));
  };
  text_loader leaves_work = [&](int) -> asio::awaitable<std::string> {
    asio::co_spawn(co_await asio::this_coro::executor, afterwards(), asio::detached);
    co_return "first";
  };
  ask(1, leaves_work);
  run();
  EXPECT_EQ(said, "v1");
}

// ---- threads ----

TEST_F(Async, ManyCoroutinesAndAThreadOnManyKeys) {
  constexpr int keys = 40;
  std::atomic<int> calls{0};
  std::vector<std::shared_ptr<call>> asked;
  text_loader counted = [&](int key) -> asio::awaitable<std::string> {
    calls.fetch_add(1);
    co_await asio::post(use_awaitable);
    co_return std::to_string(key);
  };
  for (int i = 0; i != 400; ++i) asked.push_back(ask(i % keys, counted));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t != 2; ++t) threads.emplace_back([&] { loop->run(); });
    for (int key = 0; key != keys; ++key) {
      const auto answer = users->get_or_load(key, [&](int id) { return calls.fetch_add(1), std::to_string(id); });
      EXPECT_EQ(text(answer), std::to_string(key));
    }
  }
  for (int i = 0; i != 400; ++i) EXPECT_EQ(asked[i]->said, std::to_string(i % keys));
  EXPECT_EQ(calls.load(), keys);
}

}  // namespace
}  // namespace seawall

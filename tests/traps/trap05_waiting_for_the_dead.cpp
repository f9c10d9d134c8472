// Trap 5: waiting by recursion with a fixed sleep never ends when the owner of the lock has died.
#include "gate.hpp"
#include "seawall/async.hpp"
#include "usual.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <thread>

namespace {

using namespace usual;
using boost::asio::awaitable;
using boost::asio::io_context;
using boost::asio::use_awaitable;

struct out_of_patience {};

/// The snippet's sleep moves the clock; after a thousand of them the test has seen enough.
void pause_for(scene& here, seawall::duration span) {
  static thread_local int pauses = 0;
  if (++pauses > 1000) throw out_of_patience{};
  here.clock->advance(span);
}

std::string usual_get(scene& here, const std::string& key) {
  if (const auto cached = here.redis.get(key)) return *cached;
  if (here.redis.set_nx("lock:" + key, "1")) {
    std::string value = here.db.find(key).value_or("absent");
    here.redis.setex(key, 60s, value);
    here.redis.del("lock:" + key);
    return value;
  }
  pause_for(here, 50ms);
  return usual_get(here, key);
}

/// Callers on one thread; the owner has a loop of its own, so that it can die alone.
class WaitingForTheDead : public ::testing::Test {
 protected:
  void own(texts& cache, const std::string& key) {
    boost::asio::co_spawn(*owner, cache.async_get_or_load(key, hangs, use_awaitable), boost::asio::detached);
    owner->poll();
  }

  /// Asks on `loop`; the answer goes to `to`.
  void ask(texts& cache, const std::string& key, const seawall::entry_options& how, std::optional<texts::answer>& to) {
    boost::asio::co_spawn(loop, cache.async_get_or_load(key, loads, how, use_awaitable),
                          [&to](const std::exception_ptr&, texts::answer answer) { to = std::move(answer); });
    run();
  }

  /// Runs the loop until everybody on it waits.
  void run() {
    loop.restart();
    loop.poll();
  }

  texts::options options() const { return here.options<std::string, std::string>({.load_deadline = 30s}); }

  scene here;
  io_context loop;
  std::unique_ptr<io_context> owner = std::make_unique<io_context>();
  std::unique_ptr<gate> shut = std::make_unique<gate>(*owner);
  std::function<awaitable<std::string>(const std::string&)> hangs =
      [this](const std::string&) -> awaitable<std::string> {
    co_await shut->pass();
    co_return "too late";
  };
  std::function<std::optional<std::string>(const std::string&)> loads = [this](const std::string& key) {
    return here.db.find(key);
  };
};

using Trap05 = WaitingForTheDead;

TEST_F(Trap05, TheUsualWaiterWaitsForEver) {
  here.db.write("key", "value");
  here.redis.set_nx("lock:key", "1");  // its owner dies here
  const auto began = here.clock->now();
  EXPECT_THROW(usual_get(here, "key"), out_of_patience);
  EXPECT_GE(here.clock->now() - began, 50s);
}

TEST_F(Trap05, AWaiterTakesOverFromADeadOwner) {
  here.db.write("key", "value");
  texts cache{options()};
  own(cache, "key");
  std::optional<texts::answer> first;
  std::optional<texts::answer> second;
  ask(cache, "key", {}, first);
  ask(cache, "key", {}, second);
  EXPECT_FALSE(first || second);
  EXPECT_EQ(cache.stats().total.coalesced, 2u);

  shut.reset();
  owner.reset();  // the owner's coroutine is destroyed in the middle of its loader
  run();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(word(*first), "value");
  EXPECT_EQ(word(*second), "value");
  EXPECT_EQ(here.db.queries(), 1);  // one of the two took over, the other waited for it
  EXPECT_EQ(cache.stats().running_loads, 0u);
}

TEST_F(Trap05, AThreadTakesOverFromADeadCoroutine) {
  here.db.write("key", "value");
  texts cache{options()};
  own(cache, "key");
  texts::answer answer;
  std::jthread waiter{[&] { answer = cache.get_or_load("key", loads); }};
  while (cache.stats().total.coalesced == 0) std::this_thread::yield();
  shut.reset();
  owner.reset();
  waiter.join();
  EXPECT_EQ(word(answer), "value");
}

TEST_F(Trap05, AWaiterLeavesAtItsDeadline) {
  texts cache{options()};
  own(cache, "key");
  std::optional<texts::answer> patient;
  std::optional<texts::answer> hasty;
  ask(cache, "key", {}, patient);
  ask(cache, "key", {.deadline = 100ms}, hasty);
  here.clock->advance(100ms - 1ns);
  run();
  EXPECT_FALSE(hasty);
  here.clock->advance(1ns);
  run();
  ASSERT_TRUE(hasty && !*hasty);
  EXPECT_EQ(hasty->error(), seawall::errc::timed_out);

  // And the load itself is given up at its own deadline, which frees the key.
  EXPECT_FALSE(patient);
  here.clock->advance(30s - 100ms);
  run();
  ASSERT_TRUE(patient && !*patient);
  EXPECT_EQ(patient->error(), seawall::errc::load_timed_out);
  here.clock->advance(1s);
  here.db.write("key", "value");
  std::optional<texts::answer> next;
  ask(cache, "key", {}, next);
  ASSERT_TRUE(next);
  EXPECT_EQ(word(*next), "value");
}

}  // namespace

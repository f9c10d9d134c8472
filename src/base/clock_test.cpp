// The steady clock. Nothing here asserts how long something takes, only what comes before what.
#include "seawall/base/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// Runs a function when it dies; moves with a callback.
class at_death {
 public:
  explicit at_death(std::function<void()> fn) : fn_(std::move(fn)) {}
  at_death(at_death&& other) noexcept : fn_(std::exchange(other.fn_, nullptr)) {}
  ~at_death() {
    if (fn_) fn_();
  }

 private:
  std::function<void()> fn_;
};

class SteadyClock : public ::testing::Test {
 protected:
  // Keeps the timer thread inside a callback, so that what is added meanwhile runs later, in the clock's order.
  void hold() {
    time->call_at(time->now(), [this] {
      held.count_down();
      go_on.wait();
    });
    held.wait();
  }
  void release() { go_on.count_down(); }

  // Returns when every timer that was due has run.
  void settle() {
    const auto last = std::make_shared<std::promise<void>>();
    time->call_at(time->now(), [last] { last->set_value(); });
    last->get_future().wait();
  }

  std::shared_ptr<clock> time = make_steady_clock();
  std::latch held{1};
  std::latch go_on{1};
};

TEST(TimeArithmetic, AfterSaturatesAtNever) {
  const time_point noon = time_point{} + 12h;
  EXPECT_EQ(after(noon, 1h), time_point{} + 13h);
  EXPECT_EQ(after(noon, -1h), time_point{} + 11h);
  EXPECT_EQ(after(noon, forever), never);
  EXPECT_EQ(after(noon, never - noon), never);
  EXPECT_EQ(after(noon, never - noon - 1ns), never - 1ns);
  EXPECT_EQ(after(never, 0ns), never);
  EXPECT_EQ(after(never, 1ns), never);
  EXPECT_EQ(after(time_point{-1h}, 3h), time_point{2h});
  EXPECT_EQ(after(time_point{-3h}, 1h), time_point{-2h});
  EXPECT_EQ(after(time_point{-1h}, forever), never);
}

TEST_F(SteadyClock, CoarseTimeIsNeverAhead) {
  for (int i = 0; i != 200'000; ++i) {
    const time_point before = time->now();
    const time_point coarse = time->coarse_now();
    const time_point later = time->now();
    ASSERT_LE(before, later);
    ASSERT_LE(coarse, later);
  }
}

// An old kernel on a machine that others share may be late once; a lag that is too small is seen in every burst, which
// is longer than a tick.
TEST_F(SteadyClock, CoarseTimeLagsByNoMoreThanItSays) {
  const duration lag = time->coarse_lag();
  EXPECT_GE(lag, 0ns);
  EXPECT_LT(lag, 1s);
  const auto holds = [&] {
    const time_point until = time->now() + 2 * lag;
    for (time_point before = time->now(); before < until; before = time->now()) {
      if (time->coarse_now() + lag < before) return false;
    }
    return true;
  };
  bool held = false;
  for (int bursts = 0; bursts != 20 && !held; ++bursts) held = holds();
  EXPECT_TRUE(held);
}

TEST_F(SteadyClock, ATimerRunsOnceAndNotBeforeItsTime) {
  std::promise<time_point> ran;
  int runs = 0;
  const time_point when = time->now() + 2ms;
  time->call_at(when, [&] {
    if (++runs == 1) ran.set_value(time->now());
  });
  EXPECT_GE(ran.get_future().get(), when);
  settle();
  EXPECT_EQ(runs, 1);
}

TEST_F(SteadyClock, TimersRunInTheOrderOfTheirTimesThenOfTheirArrival) {
  hold();
  std::vector<int> order;
  const time_point past = time->now() - 1s;
  for (const int at : {3, 1, 2, 2, 1}) {
    time->call_at(past + at * 1ms, [&order, at, place = order.size()] { order.push_back(at); });
  }
  time->call_at(past + 2ms, [&] { order.push_back(22); });
  release();
  settle();
  EXPECT_THAT(order, ElementsAre(1, 1, 2, 2, 22, 3));
}

TEST_F(SteadyClock, AnEarlierTimerDoesNotWaitForALaterOne) {
  time->call_at(time->now() + 1h, [] { ADD_FAILURE() << "an hour has not passed"; });
  settle();
}

TEST_F(SteadyClock, TimersMayAddTimers) {
  std::promise<int> result;
  time->call_at(time->now(), [&] { time->call_at(time->now(), [&] { result.set_value(2); }); });
  EXPECT_EQ(result.get_future().get(), 2);
}

TEST_F(SteadyClock, CancelTellsWhetherItCameInTime) {
  bool ran = false;
  const auto waiting = time->call_at(time->now() + 1h, [&] { ran = true; });
  EXPECT_TRUE(time->cancel(waiting));
  EXPECT_FALSE(time->cancel(waiting)) << "it is gone";
  const auto done = time->call_at(time->now(), [] {});
  settle();
  EXPECT_FALSE(time->cancel(done)) << "it has run";
  EXPECT_FALSE(time->cancel(done + 1'000)) << "it never was";
  EXPECT_FALSE(ran);
}

TEST_F(SteadyClock, CancelOfARunningTimerIsFalseAndDoesNotWait) {
  std::latch entered{1};
  std::latch leave{1};
  const auto running = time->call_at(time->now(), [&] {
    entered.count_down();
    leave.wait();
  });
  entered.wait();
  EXPECT_FALSE(time->cancel(running));
  leave.count_down();
  settle();
}

TEST_F(SteadyClock, ATimerForNeverOnlyWaitsToBeCancelled) {
  const auto id = time->call_at(never, [] { ADD_FAILURE() << "never has come"; });
  settle();
  EXPECT_TRUE(time->cancel(id));
}

TEST_F(SteadyClock, ACancelledCallbackDiesOutsideTheClocksLock) {
  at_death asks{[this] { time->cancel(1); }};
  const auto id = time->call_at(never, [held_here = std::move(asks)] {});
  EXPECT_TRUE(time->cancel(id)) << "not a deadlock";
}

TEST_F(SteadyClock, ACallbackDiesRightAfterItsRunOutsideTheClocksLock) {
  std::promise<void> died;
  at_death asks{[&] {
    time->cancel(1);
    died.set_value();
  }};
  time->call_at(time->now(), [held_here = std::move(asks)] {});
  died.get_future().wait();
}

TEST_F(SteadyClock, ItsDestructorWaitsForTheRunningCallbackAndDropsTheRest) {
  const auto token = std::make_shared<int>();
  bool finished = false;  // plain: the destructor orders the two threads
  time->call_at(time->now() + 1h, [token] { ADD_FAILURE(); });
  time->call_at(time->now(), [&] {
    held.count_down();
    finished = true;
  });
  held.wait();
  time.reset();
  EXPECT_TRUE(finished);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(SteadyClock, ACallbackMayDestroyTheClock) {
  std::promise<void> destroyed;
  const auto token = std::make_shared<int>();
  clock& raw = *time;
  const time_point now = raw.now();
  raw.call_at(now + 1h, [token] { ADD_FAILURE(); });
  raw.call_at(now, [owner = std::move(time), &destroyed]() mutable {
    owner.reset();
    destroyed.set_value();
  });
  destroyed.get_future().wait();
}

TEST_F(SteadyClock, TheDeathOfACallbackMayDestroyTheClock) {
  std::promise<void> destroyed;
  clock& raw = *time;
  at_death last{[&destroyed] { destroyed.set_value(); }};
  raw.call_at(raw.now(), [signal = std::move(last), owner = std::move(time)] {});
  destroyed.get_future().wait();
}

TEST_F(SteadyClock, WithoutTimersItDiesAtOnce) {
  time.reset();
  SUCCEED();
}

TEST_F(SteadyClock, ManyThreadsAddAndCancel) {
  constexpr int threads = 4;
  constexpr int each = 1'000;
  std::atomic<int> ended{0};  // run or cancelled; each timer is one of them and never both
  const auto end_one = [&] {
    ended.fetch_add(1);
    ended.notify_one();
  };
  std::vector<std::jthread> workers;
  for (int t = 0; t != threads; ++t) {
    workers.emplace_back([&, t] {
      for (int i = 0; i != each; ++i) {
        const auto id = time->call_at(time->now() + (i % 3) * 100us, [&] { end_one(); });
        if ((i + t) % 2 == 0 && time->cancel(id)) end_one();
      }
    });
  }
  workers.clear();
  for (int seen = ended.load(); seen < threads * each; seen = ended.load()) ended.wait(seen);
  time.reset();
  EXPECT_EQ(ended.load(), threads * each);
}

}  // namespace
}  // namespace seawall

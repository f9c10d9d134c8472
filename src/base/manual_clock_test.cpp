#include "seawall/testing/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ManualClock : public ::testing::Test {
 protected:
  using firing = std::pair<int, duration>;  // which timer, and what the clock showed to it

  clock::timer_id add(int name, duration in) {
    return time.call_at(start + in, [this, name] { fired.emplace_back(name, time.now() - start); });
  }
  duration shown() const { return time.now() - start; }

  manual_clock time;
  const time_point start = time.now();
  std::vector<firing> fired;
};

TEST_F(ManualClock, StandsStillUntilToldToMove) {
  EXPECT_EQ(time.now(), start);
  EXPECT_EQ(time.coarse_now(), start);
  EXPECT_EQ(time.coarse_lag(), 0ns);
  time.advance(90s);
  EXPECT_EQ(shown(), 90s);
  time.advance_to(start + 100s);
  EXPECT_EQ(shown(), 100s);
  time.advance_to(start + 50s);
  EXPECT_EQ(shown(), 100s) << "time does not go back";
  EXPECT_EQ(manual_clock(time_point{} + 5s).now(), time_point{} + 5s);
}

TEST_F(ManualClock, TimersFireInOrderEachAtItsOwnTime) {
  add(3, 30s);
  add(1, 10s);
  add(2, 20s);
  add(22, 20s);
  time.advance(20s);
  EXPECT_THAT(fired, ElementsAre(firing{1, 10s}, firing{2, 20s}, firing{22, 20s}));
  time.advance(10s - 1ns);
  EXPECT_EQ(fired.size(), 3u);
  time.advance(1ns);
  EXPECT_EQ(fired.back(), (firing{3, 30s}));
  time.advance(1h);
  EXPECT_EQ(fired.size(), 4u) << "each fires once";
}

TEST_F(ManualClock, AnOverdueTimerWaitsForTheNextMoveAndDoesNotTurnTimeBack) {
  time.advance(10s);
  add(1, 5s);
  EXPECT_THAT(fired, IsEmpty());
  time.advance(0s);
  EXPECT_THAT(fired, ElementsAre(firing{1, 10s}));
}

TEST_F(ManualClock, TimersOfTimersFireInTheSameMoveWhenTheyAreDue) {
  time.call_at(start + 10s, [this] {
    add(1, 15s);
    add(2, 99s);
  });
  time.advance(20s);
  EXPECT_THAT(fired, ElementsAre(firing{1, 15s}));
  EXPECT_EQ(shown(), 20s);
  EXPECT_EQ(time.next_timer(), start + 99s);
}

TEST_F(ManualClock, ATimerMayMoveTheClockItself) {
  time.call_at(start + 10s, [this] { time.advance(30s); });
  add(1, 20s);
  time.advance(15s);
  EXPECT_THAT(fired, ElementsAre(firing{1, 20s}));
  EXPECT_EQ(shown(), 40s);
}

TEST_F(ManualClock, CancelTellsWhetherItCameInTime) {
  const auto first = add(1, 10s);
  const auto second = add(2, 20s);
  bool cancelled_itself = true;
  clock::timer_id own = 0;
  own = time.call_at(start + 10s, [&] { cancelled_itself = time.cancel(own); });
  EXPECT_TRUE(time.cancel(second));
  EXPECT_FALSE(time.cancel(second));
  time.advance(1min);
  EXPECT_FALSE(time.cancel(first));
  EXPECT_FALSE(cancelled_itself) << "it is running";
  EXPECT_THAT(fired, ElementsAre(firing{1, 10s}));
}

TEST_F(ManualClock, ATimerMayCancelTheNextOneOfTheSameMoment) {
  clock::timer_id next = 0;
  time.call_at(start + 10s, [&] { EXPECT_TRUE(time.cancel(next)); });
  next = add(1, 10s);
  time.advance(10s);
  EXPECT_THAT(fired, IsEmpty());
}

TEST_F(ManualClock, NeverDoesNotComeNotEvenForever) {
  const auto id = time.call_at(never, [] { ADD_FAILURE(); });
  EXPECT_EQ(time.next_timer(), never);
  add(1, 10s);
  EXPECT_EQ(time.next_timer(), start + 10s);
  time.advance(forever);
  EXPECT_EQ(time.now(), never);
  time.advance(1s);
  EXPECT_EQ(time.now(), never);
  EXPECT_THAT(fired, ElementsAre(firing{1, 10s}));
  EXPECT_TRUE(time.cancel(id));
}

// Asks the clock when it dies: a deadlock if that is under the clock's lock.
struct asks_when_it_dies {
  manual_clock* asked;
  explicit asks_when_it_dies(manual_clock& one) : asked(&one) {}
  asks_when_it_dies(const asks_when_it_dies&) = delete;
  asks_when_it_dies& operator=(const asks_when_it_dies&) = delete;
  ~asks_when_it_dies() { EXPECT_NE(asked->now(), never); }
};

TEST_F(ManualClock, CallbacksDieOutsideItsLock) {
  const auto id = time.call_at(start + 1s, [held = std::make_unique<asks_when_it_dies>(time)] {});
  EXPECT_TRUE(time.cancel(id));
  time.call_at(start + 1s, [held = std::make_unique<asks_when_it_dies>(time)] {});
  time.advance(1s);
}

TEST_F(ManualClock, OtherThreadsAddAndCancelWhileItMoves) {
  std::atomic<int> ran{0};
  int cancelled = 0;
  std::jthread adds{[&] {
    for (int i = 0; i != 2'000; ++i) {
      const auto id = time.call_at(start + i * 1us, [&] { ran.fetch_add(1); });
      if (i % 2 == 0 && time.cancel(id)) ++cancelled;
    }
  }};
  for (int i = 0; i != 2'000; ++i) time.advance(1us);
  adds.join();
  time.advance(1s);
  EXPECT_EQ(ran.load() + cancelled, 2'000);
}

RC_GTEST_PROP(ManualClockProperty, FiresWhatASortedListWouldFire, ()) {
  const auto delays = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 50));
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 20));
  const auto dropped = *rc::gen::inRange<std::size_t>(0, delays.size() + 1);
  manual_clock time;
  const time_point start = time.now();
  std::vector<std::pair<int, std::size_t>> expected;
  std::vector<std::pair<int, std::size_t>> fired;
  for (std::size_t i = 0; i != delays.size(); ++i) {
    const auto id = time.call_at(start + delays[i] * 1s, [&, i] {
      RC_ASSERT(time.now() == start + delays[i] * 1s);
      fired.emplace_back(delays[i], i);
    });
    if (i == dropped) RC_ASSERT(time.cancel(id));
    else expected.emplace_back(delays[i], i);
  }
  std::ranges::sort(expected);
  int passed = 0;
  for (const int step : steps) {
    time.advance(step * 1s);
    passed += step;
    const auto due = std::ranges::partition_point(expected, [&](const auto& one) { return one.first <= passed; });
    RC_ASSERT(fired == std::vector(expected.begin(), due));
  }
}

}  // namespace
}  // namespace seawall

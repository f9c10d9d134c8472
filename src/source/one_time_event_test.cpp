#include "one_time_event.hpp"

#include "steady_now.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

TEST(OneTimeEvent, IsWaitedForByAll) {
  for (int round = 0; round != 50; ++round) {
    one_time_event event;
    std::atomic<int> seen = 0;
    {
      std::vector<std::jthread> waiting;
      for (int i = 0; i != 8; ++i) waiting.emplace_back([&] { seen += event.wait_until(never) ? 1 : 0; });
      event.happen();
    }
    ASSERT_EQ(seen, 8);
  }
}

TEST(OneTimeEvent, HasAnEndToWaitingForIt) {
  one_time_event event;
  EXPECT_FALSE(event.wait_until(time_point::min()));
  const time_point until = after(steady_now(), 1ms);
  EXPECT_FALSE(event.wait_until(until));
  EXPECT_GE(steady_now(), until);
  event.happen();
  EXPECT_TRUE(event.has_happened());
  EXPECT_TRUE(event.wait_until(time_point::min()));
}

TEST(OneTimeEvent, ShowsWhatWasWrittenBeforeIt) {
  for (int round = 0; round != 50; ++round) {
    one_time_event event;
    int written = 0;
    const std::jthread writer{[&] {
      written = 7;
      event.happen();
    }};
    ASSERT_TRUE(event.wait_until(never));
    ASSERT_EQ(written, 7);
  }
}

}  // namespace
}  // namespace seawall::source

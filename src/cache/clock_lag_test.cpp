// Expiry is exact although most look-ups read a clock that lags behind.
#include "seawall/cache.hpp"

#include "seawall/testing.hpp"

#include <gtest/gtest.h>

namespace seawall {
namespace {

using namespace std::chrono_literals;

// A clock whose coarse reading is as late as it may be.
class lagging_clock final : public clock {
 public:
  static constexpr duration lag = 8ms;
  manual_clock exact;
  mutable int exact_reads = 0;

  time_point now() const noexcept override {
    ++exact_reads;
    return exact.now();
  }
  time_point read_coarse() const noexcept override { return exact.now() - lag; }
  duration coarse_lag() const noexcept override { return lag; }
  timer_id call_at(time_point when, callback fn) override { return exact.call_at(when, std::move(fn)); }
  bool cancel(timer_id id) override { return exact.cancel(id); }
};

TEST(ClockLag, NoEntryIsServedAfterItsDeadlineOrDroppedBefore) {
  const auto time = std::make_shared<lagging_clock>();
  cache<int, int> numbers{{.ttl = 1s, .jitter = 0, .clock = time}};
  numbers.put(1, 1);
  time->exact.advance(1s - 1ns);
  EXPECT_NE(numbers.get(1), nullptr);
  time->exact.advance(1ns);
  EXPECT_EQ(numbers.get(1), nullptr);
}

TEST(ClockLag, FarFromItsDeadlineAnEntryCostsNoExactReading) {
  const auto time = std::make_shared<lagging_clock>();
  cache<int, int> numbers{{.ttl = 1s, .jitter = 0, .clock = time}};
  numbers.put(1, 1);
  time->exact.advance(500ms);
  for (int i = 0; i != 10; ++i) ASSERT_NE(numbers.get(1), nullptr);
  const int before = time->exact_reads;
  for (int i = 0; i != 10'000; ++i) ASSERT_NE(numbers.get(1), nullptr);
  // Only the sampled look-ups, about 1 in 64 of them, are timed.
  EXPECT_LT(time->exact_reads - before, 1'000);
}

}  // namespace
}  // namespace seawall

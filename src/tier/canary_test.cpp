#include "canary.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace seawall::tier {
namespace {

using namespace std::chrono_literals;

time_point at(duration since) { return time_point{} + 1h + since; }

/// Read over connection 7 at 0, being changed at 10 ms, changed at 20 ms.
canary changed(duration lag = 0ms) {
  canary tested{lag};
  tested.begin("k");
  tested.read(7);
  tested.change(at(10ms));
  tested.changed(at(20ms));
  return tested;
}

TEST(canary, that_was_told_of_says_how_long_it_took) {
  canary tested = changed();
  tested.heard("other", at(11ms));
  tested.heard("k", at(13ms));
  tested.heard("k", at(15ms));
  const auto came = tested.beat(7, at(20ms));
  ASSERT_TRUE(came);
  EXPECT_TRUE(came->told);
  EXPECT_EQ(came->after, 3ms);
  EXPECT_FALSE(tested.beat(7, at(30ms))) << "once";
}

TEST(canary, that_is_not_told_of_before_a_later_answer_never_is) {
  canary tested = changed();
  EXPECT_FALSE(tested.beat(7, at(19ms))) << "asked before it was changed";
  EXPECT_FALSE(tested.beat(8, at(20ms))) << "over another connection";
  const auto came = tested.beat(7, at(20ms));
  ASSERT_TRUE(came);
  EXPECT_FALSE(came->told);
}

TEST(canary, may_be_told_of_later_where_news_lag_behind) {
  canary tested = changed(100ms);
  EXPECT_FALSE(tested.beat(7, at(119ms)));
  EXPECT_FALSE(tested.beat(7, at(120ms))->told);
  canary late = changed(100ms);
  late.heard("k", at(90ms));
  EXPECT_EQ(late.beat(7, at(90ms))->after, 80ms);
}

TEST(canary, says_nothing_when_it_could_not_be_changed) {
  canary tested = changed();
  tested.give_up();
  EXPECT_FALSE(tested.beat(7, at(1s)));
  canary unread{0ms};
  unread.begin("k");
  unread.read(0);
  unread.changed(at(0ms));
  EXPECT_FALSE(unread.beat(0, at(1s))) << "a connection that tells nothing";
}

TEST(canary, news_from_before_it_was_read_are_those_of_another_change) {
  canary tested{0ms};
  tested.begin("k");
  tested.heard("k", at(0ms));
  tested.read(7);
  tested.change(at(1ms));
  tested.changed(at(2ms));
  EXPECT_FALSE(tested.beat(7, at(3ms))->told);
}

}  // namespace
}  // namespace seawall::tier

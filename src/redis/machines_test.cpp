// The small machines: backoff, liveness, retry.
#include "backoff.hpp"
#include "liveness.hpp"
#include "retry.hpp"

#include <gtest/gtest.h>

namespace seawall::redis {
namespace {

using namespace std::chrono_literals;

TEST(backoff, doubles_up_to_its_cap_less_a_random_part_of_up_to_a_half) {
  random_source random{1};
  backoff wait{{.first = 100ms, .most = 1s}, random};
  for (const duration whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const duration next = wait.next();
    EXPECT_GT(next, whole / 2 - 1ns);
    EXPECT_LE(next, whole);
  }
  wait.reset();
  EXPECT_LE(wait.next(), 100ms);
}

TEST(backoff, two_clients_do_not_come_back_together) {
  random_source random{1};
  backoff a{{}, random};
  backoff b{{}, random};
  EXPECT_NE(a.next(), b.next());
}

TEST(liveness, asks_after_one_interval_of_silence_and_gives_up_after_two) {
  liveness health{10s};
  const time_point start{};
  health.heard(start);
  EXPECT_EQ(health.next(), start + 10s);
  EXPECT_EQ(health.tick(start + 9s), liveness::action::nothing);
  EXPECT_EQ(health.tick(start + 10s), liveness::action::ping);
  EXPECT_EQ(health.next(), start + 20s);
  EXPECT_EQ(health.tick(start + 11s), liveness::action::nothing);
  EXPECT_EQ(health.tick(start + 20s), liveness::action::dead);
}

TEST(liveness, any_byte_is_a_sign_of_life) {
  liveness health{10s};
  const time_point start{};
  health.heard(start);
  EXPECT_EQ(health.tick(start + 10s), liveness::action::ping);
  health.heard(start + 12s);
  EXPECT_EQ(health.tick(start + 20s), liveness::action::nothing);
  EXPECT_EQ(health.tick(start + 22s), liveness::action::ping);
}

TEST(retry, repeats_only_what_a_repetition_does_not_change) {
  struct row {
    cmd::effect effect;
    bool written;
    int attempts;
    bool may;
  };
  for (const row& r : std::initializer_list<row>{
           {cmd::effect::read, true, 0, true},
           {cmd::effect::write_last, true, 0, true},
           {cmd::effect::write_once, true, 0, false},
           {cmd::effect::admin, true, 0, false},
           {cmd::effect::write_once, false, 9, true},
           {cmd::effect::admin, false, 0, true},
           {cmd::effect::read, true, 2, true},
           {cmd::effect::read, true, 3, false},
       }) {
    EXPECT_EQ(may_repeat(r.effect, r.written, r.attempts, 3), r.may)
        << static_cast<int>(r.effect) << r.written << r.attempts;
  }
}

TEST(retry, errors_that_say_not_applied_have_a_remedy) {
  EXPECT_EQ(remedy_for(cmd::errc::loading), remedy::later);
  EXPECT_EQ(remedy_for(cmd::errc::try_again), remedy::later);  // bug 22: no refresh
  EXPECT_EQ(remedy_for(cmd::errc::read_only), remedy::elsewhere);
  EXPECT_EQ(remedy_for(cmd::errc::master_down), remedy::elsewhere);
  EXPECT_EQ(remedy_for(cmd::errc::moved), remedy::moved);
  EXPECT_EQ(remedy_for(cmd::errc::ask), remedy::ask);
  EXPECT_EQ(remedy_for(cmd::errc::cluster_down), remedy::cluster);
  EXPECT_EQ(remedy_for(cmd::errc::out_of_memory), remedy::none);
  EXPECT_EQ(remedy_for(cmd::errc::wrong_type), remedy::none);
}

}  // namespace
}  // namespace seawall::redis

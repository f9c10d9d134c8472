#include "cluster_slot_refresh.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;

const time_point start{1h};
const net::address seed_1{"seed", 1};
const net::address seed_2{"seed", 2};

class refresh : public testing::Test {
 protected:
  std::optional<net::address> step(time_point now) { return machine.step(now, known, seeds); }
  // Asks as soon as it may.
  net::address ask(time_point& now) {
    for (;;) {
      now = std::max(now, machine.next());
      if (const auto whom = step(now)) return *whom;
    }
  }
  // Asks, and gets an answer.
  void round(time_point now) {
    ASSERT_TRUE(step(now));
    machine.answered(now, known.size());
  }
  std::vector<slot_refresh::node> nodes(std::size_t count, bool up = true) {
    std::vector<slot_refresh::node> made;
    for (std::size_t i = 0; i < count; ++i) made.push_back({{"node", static_cast<std::uint16_t>(i + 1)}, up});
    return made;
  }

  std::vector<net::address> seeds{seed_1, seed_2};
  std::vector<slot_refresh::node> known;
  random_source random{1};
  slot_refresh machine{random, {}};
};

TEST_F(refresh, asks_nobody_before_somebody_wants_a_map) {
  EXPECT_EQ(machine.next(), never);
  EXPECT_FALSE(step(start));
}

TEST_F(refresh, the_first_map_is_asked_for_at_once_from_the_seeds) {
  machine.want(start);
  EXPECT_EQ(machine.next(), start);
  EXPECT_THAT(step(start), AnyOf(seed_1, seed_2));
}

TEST_F(refresh, one_question_at_a_time) {
  machine.want(start);
  ASSERT_TRUE(step(start));
  machine.want(start);
  EXPECT_EQ(machine.next(), never);
  EXPECT_FALSE(step(start + 1h));
}

TEST_F(refresh, a_round_asks_one_seed_after_the_other_and_then_pauses_ever_longer) {
  machine.want(start);
  time_point now = start;
  for (int round = 0; round < 10; ++round) {
    const auto first = ask(now);
    EXPECT_FALSE(machine.failed(now));
    EXPECT_NE(ask(now), first);
    EXPECT_TRUE(machine.failed(now));
    const duration whole = std::min<duration>(2s, 50ms * (1 << round));
    EXPECT_GE(machine.next() - now, whole / 2);
    EXPECT_LE(machine.next() - now, whole);
  }
}

TEST_F(refresh, nodes_that_are_up_go_first_and_seeds_follow_after_a_round_in_vain) {
  known = nodes(3, false);
  known[1].up = true;
  machine.want(start);
  EXPECT_EQ(step(start), known[1].address);
  EXPECT_TRUE(machine.failed(start));
  const time_point later = machine.next();
  EXPECT_EQ(step(later), known[1].address);
  EXPECT_FALSE(machine.failed(later));
  EXPECT_THAT(step(later), AnyOf(seed_1, seed_2));
}

TEST_F(refresh, the_node_that_redirected_is_asked_first) {
  known = nodes(50);
  for (const std::size_t which : {7U, 23U, 49U}) {
    machine.prefer(known[which].address);
    machine.want(start);
    const time_point now = std::max(start, machine.next());
    EXPECT_EQ(step(now), known[which].address);
    machine.answered(now, 50);
  }
}

TEST_F(refresh, the_same_node_is_not_asked_by_all) {
  known = nodes(6);
  std::set<std::string> asked;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    random_source other{seed};
    slot_refresh one{other, {}};
    one.want(start);
    asked.insert(one.step(start, known, seeds)->text());
  }
  EXPECT_EQ(asked.size(), 6U);
}

TEST_F(refresh, the_pause_between_maps_grows_with_the_cluster_and_is_spread) {
  for (const std::size_t size : {6U, 100U, 2000U}) {
    const duration whole = std::min<duration>(10s, 100ms + 10ms * size);
    duration least = 1h;
    duration most{};
    for (std::uint64_t seed = 0; seed < 64; ++seed) {
      random_source other{seed};
      slot_refresh one{other, {}};
      one.want(start);
      ASSERT_TRUE(one.step(start, {}, seeds));
      one.answered(start, size);
      one.want(start);
      least = std::min(least, one.next() - start);
      most = std::max(most, one.next() - start);
    }
    EXPECT_GE(least, whole / 2);
    EXPECT_LE(most, whole * 3 / 2);
    EXPECT_GE(most - least, whole / 2) << "thousands of clients do not ask together";
  }
}

TEST_F(refresh, a_wish_during_a_question_is_heard_after_it) {
  known = nodes(6);
  machine.want(start);
  ASSERT_TRUE(step(start));
  machine.want(start);
  machine.answered(start, 6);
  EXPECT_LE(machine.next(), start + 240ms);
}

TEST_F(refresh, of_a_cluster_that_is_not_whole_it_asks_again_more_and_more_slowly) {
  known = nodes(6);
  machine.want(start);
  time_point now = start;
  std::vector<duration> pauses;
  for (int i = 0; i < 100; ++i) {
    ask(now);
    machine.answered(now, 6, false);
    pauses.push_back(machine.next() - now);
  }
  EXPECT_LE(pauses.front(), 240ms);
  EXPECT_GE(pauses.back(), 500ms);
  ask(now);
  machine.answered(now, 6, true);
  EXPECT_GE(machine.next() - now, 30s);
}

TEST_F(refresh, without_any_reason_the_map_is_renewed_after_about_a_minute) {
  known = nodes(6);
  machine.want(start);
  round(start);
  EXPECT_GE(machine.next(), start + 30s);
  EXPECT_LE(machine.next(), start + 90s);
}

// Bug 19: whatever happens, no client asks more than five times in a second.
TEST_F(refresh, no_second_sees_more_than_five_questions) {
  known = nodes(6);
  for (const bool answers : {true, false}) {
    slot_refresh one{random, {.least = 0ms, .per_node = 0ms, .first_pause = 1ms, .longest_pause = 1ms}};
    std::vector<time_point> asked;
    for (time_point now = start; now < start + 10s; now += 1ms) {
      one.want(now);
      if (!one.step(now, known, seeds)) continue;
      asked.push_back(now);
      if (answers) one.answered(now, 6);
      else one.failed(now);
    }
    ASSERT_GE(asked.size(), 45U);
    for (std::size_t i = 5; i < asked.size(); ++i) EXPECT_GE(asked[i] - asked[i - 5], 1s);
  }
}

TEST_F(refresh, with_nobody_to_ask_it_looks_again_later) {
  seeds.clear();
  machine.want(start);
  EXPECT_FALSE(step(start));
  EXPECT_FALSE(machine.asking());
  EXPECT_GT(machine.next(), start);
  seeds = {seed_1};
  EXPECT_EQ(step(machine.next()), seed_1);
}

}  // namespace
}  // namespace seawall::redis

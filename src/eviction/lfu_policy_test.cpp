#include "seawall/eviction/policy.hpp"

#include "eviction_test_support.hpp"

#include "seawall/base/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace seawall::eviction {
namespace {

// Throws the same dice as the policy.
class lfu_model final : public policy_model {
 public:
  void add(handle which, std::uint32_t) override {
    all[which] = {1, ++time};
    newest = which;
  }
  void use(handle which) override {
    auto& [level, last] = all[which];
    last = ++time;
    if (level < 9 || (level < 14 && dice.next() < UINT64_MAX >> (level - 8))) ++level;
    highest = std::max(highest, level);
    if (which == newest) newest = no_handle;
  }
  void remove(handle which) override {
    all.erase(which);
    if (which == newest) newest = no_handle;
  }
  void replace(handle old, handle now) override {
    all[now] = all[old];
    all.erase(old);
    if (newest == old) newest = now;
    use(now);
  }
  handle evict() override {
    handle victim = no_handle;
    for (const auto& [which, rank] : all) {
      if (which == newest && all.size() > 1) continue;
      if (victim == no_handle || rank < all[victim]) victim = which;
    }
    remove(victim);
    return victim;
  }

  int highest = 0;

 private:
  std::map<handle, std::pair<int, int>> all;  // level, and the time of the last use
  random_source dice{1};
  int time = 0;
  handle newest = no_handle;
};

RC_GTEST_PROP(LfuModel, AgreesWithThePolicy, (const std::vector<std::uint16_t>& moves)) {
  lfu_model model;
  expect_agreement(eviction_policy::lfu, 20, model, moves);
}

TEST(LfuModel, AgreesWhereCountingIsNotExact) {
  std::mt19937 random(1);
  std::vector<std::uint16_t> moves;
  for (int i = 0; i != 10'000; ++i) {
    // Mostly uses, and those mostly of the oldest few.
    const bool use = random() % 8 != 0;
    const std::size_t argument = use ? random() % (1 + random() % 20) : random() % 1'000;
    moves.push_back(static_cast<std::uint16_t>(argument * 8 + (use ? 3 : random() % 8)));
  }
  lfu_model model;
  expect_agreement(eviction_policy::lfu, 20, model, moves);
  EXPECT_EQ(model.highest, 14);
}

class Lfu : public ::testing::Test {
 protected:
  handle add() {
    const handle fresh = entries.make();
    subject->add(fresh);
    return fresh;
  }
  void use(handle which, int times) {
    for (; times != 0; --times) subject->used(which);
  }

  test_entries entries;
  std::unique_ptr<policy> subject =
      make_policy(eviction_policy::lfu, entries.headers, {.entries = 1'000, .weight = 0}, 1);
};

TEST_F(Lfu, AKeyUsedAThousandTimesOutlivesThoseUsedTwentyTimes) {
  const handle much_used = add();
  use(much_used, 1'000);
  for (int i = 0; i != 50; ++i) use(add(), 20);
  EXPECT_THAT(evict(*subject, 50), ::testing::Not(::testing::Contains(much_used)));
  EXPECT_EQ(subject->size(), 1U);
}

TEST_F(Lfu, CountsEightUsesExactly) {
  std::vector<handle> by_uses;
  for (int more = 0; more != 9; ++more) {
    by_uses.push_back(add());
    use(by_uses.back(), more);
  }
  for (std::uint32_t i = 0; i != 9; ++i) EXPECT_EQ(entries[by_uses[i]].queue, i + 1);
  add();  // the newest is spared
  EXPECT_EQ(evict(*subject, 9), by_uses);
}

TEST_F(Lfu, EachLevelAboveTakesTwiceTheUses) {
  std::vector<double> reached(15);
  constexpr int keys = 2'000;
  for (int key = 0; key != keys; ++key) {
    const handle which = add();
    for (int uses = 1; entries[which].queue != 14; ++uses) {
      const std::uint32_t before = entries[which].queue;
      use(which, 1);
      if (entries[which].queue != before) reached[before + 1] += (uses + 1.0) / keys;
    }
  }
  double expected = 9;
  for (std::size_t level = 9; level != 15; ++level) {
    EXPECT_NEAR(reached[level], expected, 0.06 * expected) << "level " << level;
    expected += static_cast<double>(1 << (level - 8));
  }
}

TEST_F(Lfu, TheLastLevelIsTheEndOfCounting) {
  const handle earlier = add();
  use(earlier, 100'000);
  const handle later = add();
  use(later, 10'000);
  EXPECT_EQ(entries[earlier].queue, 14U);
  EXPECT_EQ(evict(*subject, 1), std::vector{earlier}) << "the least recent of equals";
}

}  // namespace
}  // namespace seawall::eviction

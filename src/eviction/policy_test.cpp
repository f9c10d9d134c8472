#include "seawall/eviction/policy.hpp"

#include "eviction_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace seawall::eviction {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

// ---- models: the front of a vector is the oldest ----

class fifo_model : public policy_model {
 public:
  void add(handle which, std::uint32_t) override { order.push_back(which); }
  void use(handle) override {}
  void remove(handle which) override { std::erase(order, which); }
  void replace(handle old, handle now) override { std::ranges::replace(order, old, now); }
  handle evict() override {
    const handle victim = order.front();
    order.erase(order.begin());
    return victim;
  }

  std::vector<handle> order;
};

class lru_model final : public fifo_model {
 public:
  void use(handle which) override {
    std::erase(order, which);
    order.push_back(which);
  }
  void replace(handle old, handle now) override {
    fifo_model::replace(old, now);
    use(now);
  }
};

class sieve_model final : public policy_model {
 public:
  void add(handle which, std::uint32_t) override { order.push_back({which, false}); }
  void use(handle which) override { find(which)->used = true; }
  void remove(handle which) override { take(static_cast<std::size_t>(find(which) - order.begin())); }
  void replace(handle old, handle now) override { *find(old) = {now, true}; }
  handle evict() override {
    for (;;) {
      // The newest is not judged, unless it is alone.
      if (hand >= order.size() || (hand + 1 == order.size() && order.size() > 1)) hand = 0;
      if (!order[hand].used) return take(hand);
      order[hand++].used = false;
    }
  }

 private:
  struct entry {
    handle which;
    bool used;
  };
  std::vector<entry>::iterator find(handle which) { return std::ranges::find(order, which, &entry::which); }
  handle take(std::size_t index) {
    const handle gone = order[index].which;
    const bool was_at_hand = index == hand;
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(index));
    if (hand > index) --hand;
    // A hand at the newest starts anew; it does not wait for the next entry to come.
    if (was_at_hand && hand + 1 >= order.size()) hand = 0;
    return gone;
  }

  std::vector<entry> order;
  std::size_t hand = 0;
};

class s3_fifo_model final : public policy_model {
 public:
  explicit s3_fifo_model(std::size_t capacity) : main_limit(capacity - std::max<std::size_t>(1, capacity / 10)) {}

  void add(handle which, std::uint32_t hash) override {
    const auto ghost = std::ranges::find(ghosts, hash);
    (ghost == ghosts.end() ? small : main).push_back({which, hash, 0});
    if (ghost != ghosts.end()) ghosts.erase(ghost);
  }
  void use(handle which) override {
    int& uses = find(which).uses;
    uses = std::min(uses + 1, 3);
  }
  void remove(handle which) override {
    for (auto* queue : {&small, &main}) std::erase_if(*queue, [&](const entry& each) { return each.which == which; });
  }
  void replace(handle old, handle now) override {
    find(old).which = now;
    use(now);
  }
  handle evict() override {
    for (;;) {
      if (main.size() > main_limit || small.empty()) return evict_main();
      const entry oldest = take(small);
      if (oldest.uses < 2) {
        ghosts.push_back(oldest.hash);
        if (ghosts.size() > main_limit) ghosts.erase(ghosts.begin());
        return oldest.which;
      }
      main.push_back({oldest.which, oldest.hash, 0});
    }
  }

 private:
  struct entry {
    handle which;
    std::uint32_t hash;
    int uses;
  };
  static entry take(std::vector<entry>& from) {
    const entry oldest = from.front();
    from.erase(from.begin());
    return oldest;
  }
  entry& find(handle which) {
    const auto in_small = std::ranges::find(small, which, &entry::which);
    return in_small != small.end() ? *in_small : *std::ranges::find(main, which, &entry::which);
  }
  handle evict_main() {
    for (;;) {
      entry oldest = take(main);
      if (oldest.uses == 0) return oldest.which;
      --oldest.uses;
      main.push_back(oldest);
    }
  }

  std::size_t main_limit;
  std::vector<entry> small;
  std::vector<entry> main;
  std::vector<std::uint32_t> ghosts;
};

RC_GTEST_PROP(PolicyModel, FifoAgreesWithItsModel, (const std::vector<std::uint16_t>& moves)) {
  fifo_model model;
  expect_agreement(eviction_policy::fifo, 20, model, moves);
}

RC_GTEST_PROP(PolicyModel, LruAgreesWithItsModel, (const std::vector<std::uint16_t>& moves)) {
  lru_model model;
  expect_agreement(eviction_policy::lru, 20, model, moves);
}

RC_GTEST_PROP(PolicyModel, SieveAgreesWithItsModel, (const std::vector<std::uint16_t>& moves)) {
  sieve_model model;
  expect_agreement(eviction_policy::sieve, 20, model, moves);
}

RC_GTEST_PROP(PolicyModel, S3FifoAgreesWithItsModel, (const std::vector<std::uint16_t>& moves)) {
  s3_fifo_model model(12);
  expect_agreement(eviction_policy::s3_fifo, 12, model, moves);
}

// ---- what holds for every policy that evicts ----

class AnyPolicy : public ::testing::TestWithParam<eviction_policy> {
 protected:
  std::unique_ptr<policy> make(std::size_t capacity, std::size_t weight = 0) {
    return make_policy(GetParam(), entries.headers, {.entries = capacity, .weight = weight}, 1);
  }
  // An entry that even the volatile policies evict.
  handle add(policy& to, std::uint32_t weight = 1) {
    const handle which = entries.make(0, weight, 1'000);
    to.add(which);
    return which;
  }

  test_entries entries;
};

TEST_P(AnyPolicy, EvictsEachEntryOnce) {
  const auto subject = make(500);
  std::set<handle> left;
  for (int i = 0; i != 500; ++i) left.insert(add(*subject));
  EXPECT_EQ(subject->size(), 500U);
  while (!left.empty()) {
    const std::vector<handle> victims = evict(*subject, 7);
    ASSERT_EQ(victims.size(), std::min<std::size_t>(7, left.size()));
    for (const handle victim : victims) {
      ASSERT_EQ(left.erase(victim), 1U);
      ASSERT_EQ(entries[victim].queue, 0U);
    }
    ASSERT_EQ(subject->size(), left.size());
  }
  EXPECT_THAT(evict(*subject, 1), IsEmpty());
}

TEST_P(AnyPolicy, EvictsUntilTheWeightIsFree) {
  const auto subject = make(1'000, 5'000);
  for (int i = 0; i != 100; ++i) add(*subject, 10 + static_cast<std::uint32_t>(i % 5));
  const std::vector<handle> victims = evict(*subject, 1, 300);
  std::size_t weight = 0;
  for (const handle victim : victims) weight += entries[victim].weight();
  EXPECT_GE(weight, 300U);
  EXPECT_LE(weight, 330U);
}

TEST_P(AnyPolicy, StopsWhenThereIsNoMoreRoomForVictims) {
  const auto subject = make(100);
  for (int i = 0; i != 100; ++i) add(*subject);
  EXPECT_EQ(evict(*subject, 50, 0, 8).size(), 8U);
  EXPECT_EQ(subject->size(), 92U);
}

TEST_P(AnyPolicy, AddsTheSuccessorOfAnEntryItDoesNotKnow) {
  const auto subject = make(100);
  const handle now = entries.make(0, 1, 1'000);
  subject->replace(entries.make(), now);
  EXPECT_EQ(subject->size(), 1U);
  EXPECT_THAT(evict(*subject, 1), ElementsAre(now));
}

TEST_P(AnyPolicy, DoesNotMindAnEntryItDoesNotKnow) {
  const auto subject = make(100);
  subject->remove(entries.make());
  subject->used(entries.make());
  EXPECT_EQ(subject->size(), 0U);
}

TEST_P(AnyPolicy, ForgetsAllAndStartsAnew) {
  const auto subject = make(100);
  for (int i = 0; i != 100; ++i) add(*subject);
  subject->clear();
  EXPECT_EQ(subject->size(), 0U);
  EXPECT_THAT(visited(*subject, true), IsEmpty());
  const handle which = add(*subject);
  EXPECT_THAT(evict(*subject, 1), ElementsAre(which));
}

TEST_P(AnyPolicy, CanBeResized) {
  const auto subject = make(10);
  for (int i = 0; i != 10; ++i) add(*subject);
  subject->resize({.entries = 100, .weight = 0});
  for (int i = 0; i != 90; ++i) add(*subject);
  subject->resize({.entries = 5, .weight = 20});
  EXPECT_EQ(evict(*subject, 64).size() + evict(*subject, 31).size(), 95U);
  EXPECT_EQ(subject->size(), 5U);
}

TEST_P(AnyPolicy, StopsVisitingWhenAsked) {
  const auto subject = make(10);
  for (int i = 0; i != 10; ++i) add(*subject);
  int seen = 0;
  subject->visit(true, [&](handle) { return ++seen != 4; });
  EXPECT_EQ(seen, 4);
}

std::string test_name(const ::testing::TestParamInfo<eviction_policy>& info) {
  std::string name(to_string(info.param));
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, AnyPolicy,
                         ::testing::Values(eviction_policy::adaptive, eviction_policy::lru, eviction_policy::lfu,
                                           eviction_policy::fifo, eviction_policy::sieve, eviction_policy::s3_fifo,
                                           eviction_policy::random, eviction_policy::volatile_lru,
                                           eviction_policy::volatile_lfu, eviction_policy::volatile_random,
                                           eviction_policy::volatile_ttl),
                         test_name);

// ---- single policies; lfu is in a file of its own ----

class Policy : public ::testing::Test {
 protected:
  std::unique_ptr<policy> make(eviction_policy which) {
    return make_policy(which, entries.headers, {.entries = 1'000, .weight = 0}, 1);
  }
  test_entries entries;
};

TEST_F(Policy, RandomGivesEveryEntryTheSameChance) {
  const auto subject = make(eviction_policy::random);
  std::map<std::uint32_t, int> evicted;
  std::vector<handle> live;
  for (std::uint32_t key = 1; key <= 10; ++key) subject->add(entries.make(key));
  for (int i = 0; i != 10'000; ++i) {
    const handle victim = evict(*subject, 1).at(0);
    ++evicted[entries[victim].hash];
    subject->add(victim);
  }
  for (std::uint32_t key = 1; key <= 10; ++key) EXPECT_NEAR(evicted[key], 1'000, 150);
}

TEST_F(Policy, RandomKnowsWhichEntriesThereAre) {
  const auto subject = make(eviction_policy::random);
  std::mt19937 random(1);
  std::vector<handle> live;
  for (int i = 0; i != 5'000; ++i) {
    const std::size_t chosen = live.empty() ? 0 : random() % live.size();
    if (random() % 16 < (i / 1'000 % 2 == 0 ? 12U : 4U) || live.empty()) {
      live.push_back(entries.make());
      subject->add(live.back());
    } else if (random() % 4 == 0) {
      const handle old = std::exchange(live[chosen], entries.make());
      subject->replace(old, live[chosen]);
      ASSERT_EQ(entries[old].queue, 0U);
    } else {
      subject->remove(live[chosen]);
      ASSERT_EQ(entries[live[chosen]].queue, 0U);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
    ASSERT_EQ(subject->size(), live.size());
    if (i % 10 == 0) { ASSERT_THAT(visited(*subject, true), UnorderedElementsAreArray(live)); }
  }
}

TEST_F(Policy, VolatilePoliciesLeaveEntriesWithoutADeadline) {
  for (const auto which : {eviction_policy::volatile_lru, eviction_policy::volatile_lfu,
                           eviction_policy::volatile_random, eviction_policy::volatile_ttl}) {
    const auto subject = make(which);
    const handle stays = entries.make();
    const handle goes = entries.make(0, 1, 1'000);
    subject->add(stays);
    subject->add(goes);
    EXPECT_EQ(entries[stays].queue, 0U);
    EXPECT_THAT(evict(*subject, 2), ElementsAre(goes));
    EXPECT_THAT(evict(*subject, 1), IsEmpty());
  }
}

TEST_F(Policy, ADeadlineMayComeAndGoWithAReplacement) {
  const auto subject = make(eviction_policy::volatile_lru);
  const handle forever = entries.make();
  const handle brief = entries.make(0, 1, 1'000);
  subject->add(forever);
  subject->replace(forever, brief);
  EXPECT_EQ(subject->size(), 1U);
  subject->replace(brief, entries.make());
  EXPECT_EQ(subject->size(), 0U);
  EXPECT_EQ(entries[brief].queue, 0U);
}

TEST_F(Policy, VolatileTtlPrefersWhatExpiresSoon) {
  const auto subject = make(eviction_policy::volatile_ttl);
  for (int i = 0; i != 1'000; ++i) subject->add(entries.make(0, 1, i * 7 % 1'000 * tick::length));
  std::int64_t sum = 0;
  for (const handle victim : evict(*subject, 50)) sum += entries[victim].deadline() / tick::length;
  EXPECT_LT(sum / 50, 150);  // a random choice would have 500
  EXPECT_TRUE(std::ranges::is_sorted(visited(*subject, false), {},
                                     [&](handle which) { return entries[which].deadline(); }));
}

TEST_F(Policy, NoevictionEvictsNothing) {
  const auto subject = make(eviction_policy::noeviction);
  subject->add(entries.make());
  EXPECT_THAT(evict(*subject, 1), IsEmpty());
}

TEST_F(Policy, OnlyOrdersByUseWantToKnowThem) {
  EXPECT_TRUE(make(eviction_policy::lru)->wants_uses());
  EXPECT_TRUE(make(eviction_policy::volatile_lfu)->wants_uses());
  EXPECT_FALSE(make(eviction_policy::adaptive)->wants_uses());
  EXPECT_FALSE(make(eviction_policy::volatile_ttl)->wants_uses());
}

}  // namespace
}  // namespace seawall::eviction

#include "seawall/eviction/lru.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <list>
#include <utility>
#include <vector>

namespace seawall::eviction {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct page : lru_hook {
  int number = 0;
};

class Lru : public ::testing::Test {
 protected:
  Lru() {
    for (int i = 0; i != 4; ++i) {
      pages[i].number = i;
      order.insert(pages[i]);
    }
  }

  // Takes all pages out, the first victim first.
  std::vector<int> drain() {
    std::vector<int> numbers;
    while (!order.empty()) {
      auto& victim = static_cast<page&>(order.victim());
      numbers.push_back(victim.number);
      order.remove(victim);
    }
    return numbers;
  }

  std::array<page, 4> pages;
  lru_list order;
};

TEST_F(Lru, TheOldestInsertionGoesFirst) { EXPECT_THAT(drain(), ElementsAre(0, 1, 2, 3)); }

TEST_F(Lru, AUseMakesANodeTheNewest) {
  order.use(pages[1]);
  order.use(pages[0]);
  order.use(pages[0]);
  EXPECT_THAT(drain(), ElementsAre(2, 3, 1, 0));
}

TEST_F(Lru, UsingTheNewestChangesNothing) {
  order.use(pages[3]);
  EXPECT_THAT(drain(), ElementsAre(0, 1, 2, 3));
}

TEST_F(Lru, TheVictimIsOnlyShown) {
  EXPECT_EQ(&order.victim(), &pages[0]);
  EXPECT_EQ(&order.victim(), &pages[0]);
}

TEST_F(Lru, ARemovedNodeIsFreeForThisListOrAnother) {
  order.remove(pages[2]);
  EXPECT_EQ(pages[2].newer, nullptr);
  EXPECT_EQ(pages[2].older, nullptr);
  lru_list other;
  other.insert(pages[2]);
  EXPECT_EQ(&other.victim(), &pages[2]);
  EXPECT_THAT(drain(), ElementsAre(0, 1, 3));
  other.remove(pages[2]);
  EXPECT_TRUE(other.empty());
}

TEST_F(Lru, ClearForgetsTheNodesWithoutTouchingThem) {
  const lru_hook before = pages[1];
  order.clear();
  EXPECT_TRUE(order.empty());
  EXPECT_THAT(drain(), IsEmpty());
  EXPECT_EQ(pages[1].newer, before.newer);
  EXPECT_EQ(pages[1].older, before.older);
  order.insert(pages[1]);
  EXPECT_THAT(drain(), ElementsAre(1));
}

RC_GTEST_PROP(LruProperty, ActsLikeAStdList, ()) {
  enum action { insert, use, remove, evict, clear };
  const auto actions = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::weightedElement<int>({{6, insert}, {6, use}, {2, remove}, {2, evict}, {1, clear}}),
                    rc::gen::inRange(0, 8)));
  std::array<page, 8> pages;
  for (int i = 0; i != 8; ++i) pages[i].number = i;
  lru_list order;
  std::list<int> model;  // the newest first
  for (const auto& [what, number] : actions) {
    const auto there = std::ranges::find(model, number);
    const bool held = there != model.end();
    if (what == insert && !held) {
      order.insert(pages[number]);
      model.push_front(number);
    } else if (what == use && held) {
      order.use(pages[number]);
      model.splice(model.begin(), model, there);
    } else if (what == remove && held) {
      order.remove(pages[number]);
      model.erase(there);
    } else if (what == evict && !model.empty()) {
      order.remove(order.victim());
      model.pop_back();
    } else if (what == clear) {
      order.clear();
      model.clear();
    }
    RC_ASSERT(order.empty() == model.empty());
    if (!model.empty()) RC_ASSERT(static_cast<page&>(order.victim()).number == model.back());
  }
  for (; !model.empty(); model.pop_back()) {
    RC_ASSERT(static_cast<page&>(order.victim()).number == model.back());
    order.remove(order.victim());
  }
  RC_ASSERT(order.empty());
}

}  // namespace
}  // namespace seawall::eviction

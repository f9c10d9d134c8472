#include "seawall/eviction/block_queue.hpp"

#include "eviction_test_support.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <list>
#include <new>
#include <random>
#include <vector>

namespace seawall::eviction {
namespace {

class Queue : public ::testing::Test {
 protected:
  // The obvious list of the same entries, the oldest first.
  std::list<handle> expected;
  test_entries entries;
  block_pool pool;
  block_queue queue{pool, entries.headers};

  void push_front() {
    expected.push_back(entries.make());
    queue.push_front(expected.back());
  }
  void push_back() {
    expected.push_front(entries.make());
    queue.push_back(expected.front());
  }
  void pop_back() {
    ASSERT_EQ(queue.pop_back(), expected.front());
    expected.pop_front();
  }
  std::list<handle>::iterator nth(std::size_t n) {
    return std::next(expected.begin(), static_cast<std::ptrdiff_t>(n % expected.size()));
  }
  void erase(std::size_t n) {
    const auto victim = nth(n);
    queue.erase(*victim);
    expected.erase(victim);
  }
  void replace(std::size_t n) {
    const auto old = nth(n);
    const handle now = entries.make();
    queue.replace(*old, now);
    *old = now;
  }

  void check() {
    ASSERT_EQ(queue.size(), expected.size());
    ASSERT_EQ(queue.empty(), expected.empty());
    ASSERT_EQ(queue.back(), expected.empty() ? no_handle : expected.front());
    ASSERT_EQ(queue.front(), expected.empty() ? no_handle : expected.back());
    std::vector<handle> order;
    for (auto at = queue.oldest(); at != block_queue::nowhere; at = queue.newer(at)) {
      ASSERT_EQ(queue.find(queue[at]), at);
      order.push_back(queue[at]);
    }
    ASSERT_EQ(order, std::vector(expected.begin(), expected.end()));
    std::vector<handle> backwards;
    for (auto at = queue.newest(); at != block_queue::nowhere; at = queue.older(at)) backwards.push_back(queue[at]);
    ASSERT_EQ(backwards, std::vector(expected.rbegin(), expected.rend()));
    ASSERT_LE(pool.in_use(), expected.size() / 11 + 3);
  }
};

TEST_F(Queue, IsEmptyAtFirst) {
  check();
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST_F(Queue, KeepsTheOrderOfArrival) {
  for (int i = 0; i != 200; ++i) push_front();
  check();
  for (int i = 0; i != 200; ++i) pop_back();
  check();
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(Queue, GrowsAtTheOldEndToo) {
  for (int i = 0; i != 200; ++i) push_back();
  check();
  for (int i = 0; i != 150; ++i) pop_back();
  check();
}

TEST_F(Queue, PeeksAtTheOldestPastHoles) {
  for (int i = 0; i != 100; ++i) push_front();
  for (int i = 0; i != 40; ++i) erase(static_cast<std::size_t>(i));
  std::vector<handle> ahead(50);
  ASSERT_EQ(queue.peek(ahead), 50U);
  EXPECT_TRUE(std::equal(ahead.begin(), ahead.end(), expected.begin()));
  std::vector<handle> more(100);
  EXPECT_EQ(queue.peek(more), 60U);
}

TEST_F(Queue, StopsVisitingWhenAsked) {
  for (int i = 0; i != 10; ++i) push_front();
  int seen = 0;
  EXPECT_FALSE(queue.for_each(true, [&](handle) { return ++seen != 3; }));
  EXPECT_EQ(seen, 3);
}

TEST_F(Queue, GivesSparseBlocksBack) {
  for (int i = 0; i != 6'100; ++i) push_front();
  EXPECT_EQ(pool.in_use(), 100U);
  std::mt19937 random(1);
  while (expected.size() > 100) erase(random());
  check();
  EXPECT_LT(pool.in_use(), 13U);
  queue.clear();
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_LE(pool.bytes(), 32 * sizeof(order_block) + 4'096);
}

TEST_F(Queue, TwoQueuesShareAPool) {
  block_queue other{pool, entries.headers};
  for (int i = 0; i != 100; ++i) {
    push_front();
    other.push_front(entries.make());
  }
  check();
  other.clear();
  check();
}

TEST_F(Queue, AReservedPoolDoesNotAllocate) {
  pool.reserve(3);
  const std::size_t before = pool.bytes();
  for (int i = 0; i != 3 * 61; ++i) push_front();
  EXPECT_EQ(pool.bytes(), before);
}

TEST_F(Queue, FindsAHandleThatLeftItsBlockBefore) {
  for (int i = 0; i != 30; ++i) push_front();
  for (int i = 0; i != 10; ++i) {
    const handle again = expected.front();
    pop_back();
    queue.push_front(again);
    expected.push_back(again);
    check();
  }
  for (std::size_t i = expected.size(); i-- != 20;) erase(i);
  check();
}

TEST_F(Queue, ThePoolHasAsManyBlocksAsItHasNumbers) {
  block_pool small{32};
  block_queue full{small, entries.headers};
  for (int i = 0; i != 32 * 61; ++i) full.push_front(entries.make());
  EXPECT_THROW(full.push_front(entries.make()), std::bad_alloc);
  EXPECT_THROW(full.push_back(entries.make()), std::bad_alloc);
  EXPECT_THROW(small.reserve(1), std::bad_alloc);
  EXPECT_EQ(full.size(), 32U * 61);
  for (int i = 0; i != 61; ++i) full.pop_back();
  full.push_front(entries.make());
  EXPECT_EQ(small.in_use(), 32U);
  full.clear();
  for (int i = 0; i != 32; ++i) EXPECT_LT(small.allocate(), 32U);
}

RC_GTEST_FIXTURE_PROP(Queue, BehavesAsAList, (const std::vector<std::uint16_t>& moves)) {
  // Enough to start with for holes and merges to happen.
  for (int i = 0; i != 150; ++i) push_front();
  for (const std::uint16_t move : moves) {
    const std::size_t argument = move / 8;
    const std::size_t kind = expected.empty() ? move % 2 : move % 8;
    if (kind == 0) {
      for (std::size_t i = 0; i != 1 + argument % 40; ++i) push_front();
    } else if (kind == 1) {
      push_back();
    } else if (kind == 2) {
      pop_back();
    } else if (kind == 3) {
      replace(argument);
    } else {
      for (std::size_t i = 0; i != 1 + argument % 20 && !expected.empty(); ++i) erase(argument * (i + 1));
    }
    check();
    RC_ASSERT(!HasFatalFailure());
  }
}

}  // namespace
}  // namespace seawall::eviction

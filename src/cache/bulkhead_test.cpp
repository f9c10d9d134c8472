#include "seawall/cache/bulkhead.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace seawall {
namespace {

TEST(Bulkhead, GivesAsManyPermitsAsItsLimit) {
  const auto source = std::make_shared<bulkhead>(2);
  auto first = bulkhead::try_acquire(source);
  const auto second = bulkhead::try_acquire(source);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(bulkhead::try_acquire(source));
  EXPECT_EQ(source->running(), 2u) << "a refusal takes nothing";
  first = {};
  EXPECT_EQ(source->running(), 1u);
  EXPECT_TRUE(bulkhead::try_acquire(source));
  EXPECT_EQ(source->running(), 1u) << "a temporary gives its own back";
  EXPECT_EQ(source->limit(), 2u);
}

TEST(Bulkhead, ALimitOfZeroRefusesAll) { EXPECT_FALSE(bulkhead::try_acquire(std::make_shared<bulkhead>(0))); }

TEST(Bulkhead, APermitMovesWithoutBeingCountedTwice) {
  const auto source = std::make_shared<bulkhead>(3);
  auto first = bulkhead::try_acquire(source);
  auto moved = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_TRUE(moved);
  EXPECT_EQ(source->running(), 1u);
  auto other = bulkhead::try_acquire(source);
  other = std::move(moved);
  EXPECT_TRUE(other);
  EXPECT_EQ(source->running(), 1u) << "what it held before is given back";
  auto& itself = other;
  other = std::move(itself);
  EXPECT_TRUE(other);
  EXPECT_EQ(source->running(), 1u);
}

TEST(Bulkhead, APermitKeepsItsBulkheadAlive) {
  auto source = std::make_shared<bulkhead>(1);
  const std::weak_ptr<bulkhead> watched = source;
  {
    const auto held = bulkhead::try_acquire(source);
    source.reset();
    EXPECT_EQ(watched.lock()->running(), 1u);
  }
  EXPECT_TRUE(watched.expired());
}

TEST(Bulkhead, ThreadsTogetherKeepToTheLimit) {
  constexpr std::size_t limit = 3;
  constexpr int threads = 6;
  const auto source = std::make_shared<bulkhead>(limit);
  std::atomic<std::size_t> inside{0};
  std::atomic<std::size_t> most{0};
  std::atomic<int> passed{0};
  std::latch all_there{threads};
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t != threads; ++t) {
      workers.emplace_back([&] {
        all_there.arrive_and_wait();
        for (int i = 0; i != 20'000; ++i) {
          const auto permit = bulkhead::try_acquire(source);
          if (!permit) continue;
          const std::size_t now = inside.fetch_add(1) + 1;
          for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          passed.fetch_add(1);
          inside.fetch_sub(1);
        }
      });
    }
  }
  EXPECT_LE(most.load(), limit);
  EXPECT_GT(passed.load(), 0);
  EXPECT_EQ(source->running(), 0u);
}

// Threads take permits and keep them: exactly the limit is given out.
TEST(Bulkhead, ARaceForTheLastPermitsHasAsManyWinnersAsPermits) {
  constexpr int threads = 8;
  for (int round = 0; round != 50; ++round) {
    const auto source = std::make_shared<bulkhead>(3);
    std::array<bulkhead::permit, threads> held;
    std::latch all_there{threads};
    {
      std::vector<std::jthread> workers;
      for (auto& mine : held) {
        workers.emplace_back([&] {
          all_there.arrive_and_wait();
          mine = bulkhead::try_acquire(source);
        });
      }
    }
    ASSERT_EQ(std::ranges::count_if(held, [](const auto& one) { return bool(one); }), 3);
    ASSERT_EQ(source->running(), 3u);
  }
}

}  // namespace
}  // namespace seawall

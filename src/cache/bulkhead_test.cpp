#include "seawall/cache/bulkhead.hpp"

#include <gtest/gtest.h>

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
  constexpr std::size_t limit = 1;  // so that two threads are enough to break it
  constexpr int threads = 4;
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
        for (int i = 0; i != 50'000; ++i) {
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

// Two threads try at about the same moment, a little apart in each round, and keep what they got until both have tried.
TEST(Bulkhead, ARaceForTheLastPermitHasOneWinner) {
  constexpr int rounds = 20'000;
  const auto source = std::make_shared<bulkhead>(1);
  std::atomic<int> ready{0};
  std::atomic<int> tried{0};
  std::atomic<int> wins{0};
  const auto meet = [](std::atomic<int>& place, int round) {
    place.fetch_add(1);
    for (int spins = 0; place.load() < 2 * (round + 1); ++spins) {
      if (spins > 1'000) std::this_thread::yield();
    }
  };
  const auto race = [&](int step) {
    for (int round = 0; round != rounds; ++round) {
      meet(ready, round);
      for (int late = step * round % 101; late > 0; --late) std::atomic_signal_fence(std::memory_order_seq_cst);
      const auto permit = bulkhead::try_acquire(source);
      if (permit) wins.fetch_add(1);
      meet(tried, round);
    }
  };
  std::jthread other{race, 7};
  race(13);
  other.join();
  EXPECT_EQ(wins.load(), rounds);
}

}  // namespace
}  // namespace seawall

#include "seawall/metrics/counter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace seawall {
namespace {

TEST(CounterBlock, StartsAtZeroAndAddsUp) {
  counter_block counters{40, 4};
  for (std::size_t i = 0; i < counters.size(); ++i) EXPECT_EQ(counters.sum(i), 0U);
  for (std::size_t i = 0; i < counters.size(); ++i) counters.add(i, i);
  counters.add(39);
  for (std::size_t i = 0; i < 39; ++i) EXPECT_EQ(counters.sum(i), i);
  EXPECT_EQ(counters.sum(39), 40U);
}

TEST(CounterBlock, RoundsTheStripesUpToAPowerOfTwoWithinItsLimits) {
  EXPECT_EQ(counter_block(1, 0).stripes(), 1U);
  EXPECT_EQ(counter_block(1, 1).stripes(), 1U);
  EXPECT_EQ(counter_block(1, 3).stripes(), 4U);
  EXPECT_EQ(counter_block(1, 64).stripes(), 64U);
  EXPECT_EQ(counter_block(1, 1000).stripes(), counter_block::max_stripes);
  EXPECT_EQ(counter_block(1).stripes(), counter_block::default_stripes());
}

TEST(CounterBlock, AnEmptyBlockIsAllowed) { EXPECT_EQ(counter_block(0).size(), 0U); }

TEST(ThreadSlot, LivingThreadsHaveSlotsOfTheirOwnAndEndedOnesGiveThemBack) {
  const auto mine = detail::this_thread_slot();
  EXPECT_EQ(detail::this_thread_slot(), mine);
  EXPECT_LT(mine, detail::max_owned_slots);
  const auto slot_of_a_thread = [] {
    std::uint32_t slot = detail::no_slot;
    std::thread([&] { slot = detail::this_thread_slot(); }).join();
    return slot;
  };
  const auto first = slot_of_a_thread();
  EXPECT_NE(first, mine);
  EXPECT_LT(first, detail::max_owned_slots);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(slot_of_a_thread(), first);
}

TEST(ThreadSlot, WithMoreThreadsThanSlotsTheRestShareAndNothingIsLost) {
  constexpr std::size_t threads = detail::max_owned_slots + 16;
  constexpr std::uint64_t rounds = 200;
  counter_block counters{1, counter_block::max_stripes};
  std::atomic<std::size_t> owners{0};
  std::barrier all_there{threads};
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        if (detail::this_thread_slot() < detail::max_owned_slots) owners.fetch_add(1);
        all_there.arrive_and_wait();
        for (std::uint64_t i = 0; i < rounds; ++i) counters.add(0);
      });
    }
  }
  EXPECT_LE(owners.load(), detail::max_owned_slots);
  EXPECT_GE(owners.load(), detail::max_owned_slots - 1) << "the main thread may own one";
  EXPECT_EQ(counters.sum(0), threads * rounds);
}

TEST(ThreadSlot, HandingSlotsOnFromThreadToThreadLosesNothing) {
  constexpr int starters = 4;
  constexpr int generations = 100;
  counter_block counters{1};
  {
    std::vector<std::jthread> workers;
    for (int s = 0; s < starters; ++s) {
      workers.emplace_back([&counters] {
        for (int g = 0; g < generations; ++g) {
          std::thread([&counters] {
            for (int i = 0; i < 100; ++i) counters.add(0);
          }).join();
        }
      });
    }
  }
  EXPECT_EQ(counters.sum(0), static_cast<std::uint64_t>(starters * generations * 100));
}

/// Counts when its thread ends, after the thread has given its slot back: it was made before the first count.
struct counts_at_the_end {
  counter_block* counters = nullptr;
  ~counts_at_the_end() {
    EXPECT_GE(detail::this_thread_slot(), detail::max_owned_slots);
    counters->add(0, 10);
  }
};

TEST(ThreadSlot, AThreadThatCountsWhileItEndsHoldsNoSlot) {
  counter_block counters{1};
  for (int i = 0; i < 100; ++i) {
    std::thread([&] {
      thread_local counts_at_the_end late;
      late.counters = &counters;
      counters.add(0);
    }).join();
  }
  EXPECT_EQ(counters.sum(0), 1100U);
}

class CounterThreads : public testing::TestWithParam<std::size_t> {};

TEST_P(CounterThreads, TheSumIsExactOnceTheThreadsAreJoined) {
  constexpr std::size_t threads = 8;
  constexpr std::uint64_t rounds = 20'000;
  counter_block counters{3, GetParam()};
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        for (std::uint64_t i = 0; i < rounds; ++i) {
          counters.add(0);
          counters.add(2, 3);
        }
      });
    }
  }
  EXPECT_EQ(counters.sum(0), threads * rounds);
  EXPECT_EQ(counters.sum(1), 0U);
  EXPECT_EQ(counters.sum(2), threads * rounds * 3);
}

TEST_P(CounterThreads, AReaderNeverSeesASumGoDown) {
  counter_block counters{1, GetParam()};
  std::atomic<int> running{2};
  std::vector<std::jthread> workers;
  for (int t = 0; t < 2; ++t) {
    workers.emplace_back([&] {
      for (int i = 0; i < 50'000; ++i) counters.add(0);
      running.fetch_sub(1);
    });
  }
  std::uint64_t last = 0;
  while (running.load() > 0) {
    const std::uint64_t now = counters.sum(0);
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_EQ(counters.sum(0), 100'000U);
}

INSTANTIATE_TEST_SUITE_P(Stripes, CounterThreads, testing::Values(1U, 2U, 64U));

}  // namespace
}  // namespace seawall

// Epochs at rest and with threads that hold them; which interleavings are safe is the matter of tests/schedules.
#include "seawall/local/epoch.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

namespace seawall::local {
namespace {

TEST(Epoch, AdvancesWhenNobodyReads) {
  epoch_domain epochs(2);
  const std::uint64_t first = epochs.current();
  EXPECT_GT(epochs.advance(), first) << "what was retired before is free";
  EXPECT_GT(epochs.current(), first);
}

TEST(Epoch, FreesNothingThatIsRetiredLater) {
  epoch_domain epochs(2);
  for (int i = 0; i != 5; ++i) {
    const std::uint64_t bound = epochs.advance();
    EXPECT_LE(bound, epochs.current()) << "a reader that pins now may see what is retired now";
  }
}

TEST(Epoch, AGuardHoldsBackWhatIsRetiredWhileItLives) {
  epoch_domain epochs(2);
  std::optional<epoch_domain::guard> guard(std::in_place, epochs);
  const std::uint64_t retired = epochs.current();
  for (int i = 0; i != 5; ++i) EXPECT_LE(epochs.advance(), retired);
  guard.reset();
  epochs.advance();
  EXPECT_GT(epochs.advance(), retired);
}

TEST(Epoch, OnlyTheOuterOfNestedGuardsCounts) {
  epoch_domain epochs(64);
  const epoch_domain::guard outer{epochs};
  const std::uint64_t retired = epochs.current();
  epochs.advance();
  { const epoch_domain::guard inner{epochs}; }
  { const epoch_domain::guard inner{epochs}; }
  for (int i = 0; i != 5; ++i) EXPECT_LE(epochs.advance(), retired) << "the outer guard is still there";
}

TEST(Epoch, AQuickGuardHoldsBackWhatIsRetiredWhileItLives) {
  epoch_domain epochs;
  { const epoch_domain::guard takes_a_slot{epochs}; }
  std::optional<epoch_domain::quick_guard> quick(std::in_place, epochs);
  ASSERT_TRUE(*quick);
  const std::uint64_t retired = epochs.current();
  { const epoch_domain::guard inner{epochs}; }
  for (int i = 0; i != 5; ++i) EXPECT_LE(epochs.advance(), retired);
  quick.reset();
  epochs.advance();
  EXPECT_GT(epochs.advance(), retired);
}

TEST(Epoch, AQuickGuardIsNoneUnderAnotherGuard) {
  epoch_domain epochs;
  const epoch_domain::guard outer{epochs};
  const std::uint64_t retired = epochs.current();
  epochs.advance();
  {
    const epoch_domain::quick_guard inner{epochs};
    EXPECT_FALSE(inner);
  }
  for (int i = 0; i != 5; ++i) EXPECT_LE(epochs.advance(), retired) << "the outer guard is still there";
}

TEST(Epoch, AQuickGuardIsNoneWhereThreadsShareLines) {
  epoch_domain epochs(2);
  { const epoch_domain::guard takes_a_slot{epochs}; }
  const epoch_domain::quick_guard quick{epochs};
  EXPECT_FALSE(quick);
}

TEST(Epoch, TalliesAddUpWhoeverAdds) {
  for (const std::uint32_t owners : {1U, 64U}) {  // 1: most threads share a counter
    epoch_domain epochs(owners);
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
      threads.emplace_back([&] {
        epochs.tally(1);
        const epoch_domain::quick_guard quick{epochs};
        for (int n = 0; n != 100; ++n) quick ? quick.tally(0) : epochs.tally(0);
      });
    }
    threads.clear();
    EXPECT_EQ(epochs.tallied(0), 400u) << owners;
    EXPECT_EQ(epochs.tallied(1), 4u) << owners;
  }
}

TEST(Epoch, DomainsKnowNothingOfEachOther) {
  epoch_domain one(2);
  epoch_domain other(2);
  const epoch_domain::guard guard{one};
  const std::uint64_t retired = other.current();
  EXPECT_GT(other.advance(), retired);
}

// `readers` threads hold a guard; most have no line of their own. None may be overlooked, whoever leaves first.
TEST(Epoch, ThreadsWithoutALineOfTheirOwnHoldBackToo) {
  for (const std::size_t readers : {1, 3, 6}) {
    epoch_domain epochs(1);
    std::vector<std::thread> threads;
    std::latch pinned(static_cast<std::ptrdiff_t>(readers));
    std::vector<std::atomic<bool>> leave(readers);
    for (std::size_t i = 0; i != readers; ++i) {
      threads.emplace_back([&, i] {
        const epoch_domain::guard guard{epochs};
        const epoch_domain::guard nested{epochs};
        pinned.count_down();
        leave[i].wait(false);
      });
    }
    pinned.wait();
    const std::uint64_t retired = epochs.current();
    for (std::size_t i = 0; i != readers; ++i) {
      for (int look = 0; look != 4; ++look) ASSERT_LE(epochs.advance(), retired) << i << " of " << readers << " left";
      leave[i] = true;
      leave[i].notify_one();
      threads[i].join();
    }
    for (int look = 0; look != 3; ++look) epochs.advance();
    EXPECT_GT(epochs.advance(), retired);
  }
}

}  // namespace
}  // namespace seawall::local

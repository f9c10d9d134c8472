#include "seawall/eviction/entry_header.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <thread>

namespace seawall::eviction {
namespace {

std::size_t stored_weight(std::size_t weight) {
  entry_header entry;
  entry.set(0, weight);
  EXPECT_EQ(entry.pinned(), weight == 0);
  return entry.weight();
}

TEST(EntryHeader, IsUnpinnedAndNeverExpiresAtFirst) {
  const entry_header entry;
  EXPECT_EQ(entry.weight(), 1U);
  EXPECT_FALSE(entry.pinned());
  EXPECT_EQ(entry.deadline(), INT64_MAX);
  EXPECT_TRUE(entry.now().forever());
  EXPECT_FALSE(entry.moves());
  EXPECT_EQ(entry.uses(), 0);
  EXPECT_EQ(entry.now().profile(), 0);
  EXPECT_EQ(entry.queue, 0U);
  EXPECT_EQ(entry.flags, 0U);
}

// ---- weights ----

TEST(EntryHeader, WeightsAreExactUpTo4095) {
  for (std::size_t weight = 0; weight != 4'096; ++weight) ASSERT_EQ(stored_weight(weight), weight);
}

void expect_rounded_up(std::size_t weight) {
  const std::size_t stored = stored_weight(weight);
  ASSERT_GE(stored, weight);
  ASSERT_LT((stored - weight) * 2'048, weight);
  ASSERT_EQ(stored_weight(stored), stored) << "what is stored can be";
}

TEST(EntryHeader, AboveThatWeightsAreRoundedUpALittle) {
  for (std::size_t weight = 4'096; weight != 70'000; ++weight) ASSERT_NO_FATAL_FAILURE(expect_rounded_up(weight));
  for (unsigned shift = 12; shift != 42; ++shift) {
    const std::size_t power = std::size_t{1} << shift;
    for (std::size_t weight = power - 2; weight != power + 3; ++weight) {
      ASSERT_NO_FATAL_FAILURE(expect_rounded_up(weight));
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_rounded_up(UINT32_MAX));
}

TEST(EntryHeader, TheHeaviestWeightsAreCutOff) {
  const std::size_t most = std::size_t{4'095} << 30;
  EXPECT_EQ(stored_weight(most), most);
  EXPECT_EQ(stored_weight(most + 1), most);
  EXPECT_EQ(stored_weight(SIZE_MAX), most);
}

RC_GTEST_PROP(EntryHeader, AHeavierWeightIsNotStoredAsALighterOne, (std::uint32_t one, std::uint32_t other)) {
  const auto [lighter, heavier] = std::minmax(one, other);
  RC_ASSERT(stored_weight(lighter) <= stored_weight(heavier));
}

// ---- deadlines ----

std::int64_t stored_deadline(std::int64_t deadline) {
  entry_header entry;
  entry.set(deadline, 1);
  return entry.deadline();
}

TEST(EntryHeader, DeadlinesAreRoundedDown) {
  for (const std::int64_t tick_start : {std::int64_t{0}, tick::length, 77 * tick::length, tick::length << 30}) {
    EXPECT_EQ(stored_deadline(tick_start), tick_start);
    EXPECT_EQ(stored_deadline(tick_start + 1), tick_start);
    EXPECT_EQ(stored_deadline(tick_start + tick::length - 1), tick_start);
  }
}

TEST(EntryHeader, ADeadlineInThePastIsOne) {
  entry_header entry;
  for (const std::int64_t past : {std::int64_t{-1}, -5 * tick::length, INT64_MIN}) {
    entry.set(past, 1);
    EXPECT_EQ(entry.deadline(), 0);
    EXPECT_TRUE(entry.expired(0));
  }
}

TEST(EntryHeader, OnlyNeverIsNever) {
  EXPECT_EQ(stored_deadline(INT64_MAX), INT64_MAX);
  const auto last = static_cast<std::int64_t>(tick::never - 1) << tick::shift;
  EXPECT_EQ(stored_deadline(last), last);
  EXPECT_EQ(stored_deadline(last + tick::length), last) << "too far, but it does come";
  EXPECT_EQ(stored_deadline(INT64_MAX - 1), last);
}

TEST(EntryHeader, ExpiresAtItsDeadline) {
  entry_header entry;
  entry.set(5 * tick::length, 1);
  EXPECT_FALSE(entry.expired(5 * tick::length - 1));
  EXPECT_TRUE(entry.expired(5 * tick::length));
  entry.set(INT64_MAX, 1);
  EXPECT_FALSE(entry.expired(INT64_MAX - 1));
}

bool outlives(std::int64_t deadline, const entry_header::horizon& of, std::uint8_t profile = 0) {
  entry_header entry;
  entry.set(deadline, 1, profile);
  entry.set_uses(entry_header::max_uses);
  return of.outlived_by(entry.now());
}

// It may say no to an entry that lives on, never yes to one that does not.
TEST(EntryHeader, OutlivesAHorizonBeforeTheTickOfItsDeadline) {
  for (const std::int64_t within : {std::int64_t{0}, std::int64_t{1}, tick::length - 1}) {
    const entry_header::horizon horizon{5 * tick::length + within};
    EXPECT_FALSE(outlives(4 * tick::length, horizon));
    EXPECT_FALSE(outlives(5 * tick::length, horizon)) << "the deadline has come";
    EXPECT_TRUE(outlives(6 * tick::length, horizon));
    EXPECT_TRUE(outlives(INT64_MAX, horizon));
    EXPECT_FALSE(outlives(6 * tick::length, horizon, 1)) << "its profile says more than its deadline";
    EXPECT_FALSE(outlives(INT64_MAX, horizon, 31));
  }
}

TEST(EntryHeader, OnlyWhatHasNoDeadlineOutlivesTheLastHorizon) {
  constexpr std::int64_t last = (static_cast<std::int64_t>(tick::never) - 1) * tick::length;
  for (const entry_header::horizon horizon :
       {entry_header::horizon{}, entry_header::horizon{last}, entry_header::horizon{INT64_MAX - 1},
        entry_header::horizon{-1}}) {
    EXPECT_FALSE(outlives(last, horizon));
    EXPECT_TRUE(outlives(INT64_MAX, horizon));
  }
}

TEST(EntryHeader, ADeadlineMovesAndTheRestStays) {
  entry_header entry;
  entry.set(9 * tick::length, 5'000, 31, true);
  entry.use();
  entry.set_deadline(4 * tick::length + 3);
  EXPECT_EQ(entry.deadline(), 4 * tick::length);
  entry.set_deadline(INT64_MAX);
  EXPECT_EQ(entry.deadline(), INT64_MAX);
  EXPECT_EQ(entry.weight(), 5'000U);
  EXPECT_EQ(entry.now().profile(), 31);
  EXPECT_TRUE(entry.moves());
  EXPECT_EQ(entry.uses(), 1);
}

TEST(EntryHeader, AnExtensionNeverGoesBack) {
  entry_header entry;
  entry.set(9 * tick::length, 1, 0, true);
  entry.extend_deadline(4 * tick::length);
  EXPECT_EQ(entry.deadline(), 9 * tick::length);
  entry.extend_deadline(10 * tick::length);
  EXPECT_EQ(entry.deadline(), 10 * tick::length);
  entry.extend_deadline(INT64_MAX);
  entry.extend_deadline(INT64_MAX - 1);
  EXPECT_EQ(entry.deadline(), INT64_MAX);
}

// ---- uses ----

class EntryHeaderUses : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { entry.set(7 * tick::length, 4'094, 21, GetParam()); }
  void expect_rest() const {
    EXPECT_EQ(entry.deadline(), 7 * tick::length);
    EXPECT_EQ(entry.weight(), 4'094U);
    EXPECT_EQ(entry.now().profile(), 21);
    EXPECT_EQ(entry.moves(), GetParam());
  }
  entry_header entry;
};

TEST_P(EntryHeaderUses, Saturate) {
  for (int i = 1; i != 7; ++i) {
    entry.use();
    EXPECT_EQ(entry.uses(), std::min<int>(i, entry_header::max_uses));
  }
  expect_rest();
}

TEST_P(EntryHeaderUses, AreSetAndTheRestStays) {
  for (std::uint8_t before = 0; before <= entry_header::max_uses; ++before) {
    for (std::uint8_t after = 0; after <= entry_header::max_uses; ++after) {
      entry.set_uses(before);
      entry.set_uses(after);
      EXPECT_EQ(entry.uses(), after);
    }
  }
  expect_rest();
}

INSTANTIATE_TEST_SUITE_P(DeadlineMoves, EntryHeaderUses, ::testing::Bool());

TEST(EntryHeader, AUseDoesNotUndoAnExtension) {
  entry_header entry;
  entry.set(0, 1, 0, true);
  std::atomic<int> rounds{0};
  std::jthread users([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); rounds.fetch_add(1, std::memory_order_relaxed)) {
      entry.use();
      if (entry.uses() == entry_header::max_uses) entry.set_uses(0);
    }
  });
  // Until both have been at it for a while, also on a machine that runs them in turn.
  for (std::int64_t ticks = 1; ticks < 200'000 || rounds.load(std::memory_order_relaxed) < 200'000; ++ticks) {
    entry.extend_deadline(ticks * tick::length);
    for (int look = 0; look != 20; ++look) ASSERT_EQ(entry.deadline(), ticks * tick::length);
  }
}

}  // namespace
}  // namespace seawall::eviction

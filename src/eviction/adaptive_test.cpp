#include "seawall/eviction/adaptive.hpp"

#include "eviction_test_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <unordered_map>
#include <vector>

namespace seawall::eviction {
namespace {

using ::testing::UnorderedElementsAreArray;

// A read-through cache of keys alone.
class key_cache {
 public:
  explicit key_cache(std::size_t capacity, double window = 0.01)
      : subject(entries.headers, {.entries = capacity, .weight = 0}, 1), capacity_(capacity) {
    subject.set_window(window);
  }

  bool get(std::uint32_t key) {
    const auto found = at_.find(key);
    if (found != at_.end()) {
      entries[found->second].use();
      return true;
    }
    const handle fresh = entries.make(key * 0x9e3779b1U);
    keys_[fresh] = key;
    at_[key] = fresh;
    subject.add(fresh);
    while (subject.size() > capacity_) {
      const handle victim = evict(subject, 1).at(0);
      at_.erase(keys_[victim]);
      entries.headers.release(victim);
    }
    return false;
  }
  bool holds(std::uint32_t key) const { return at_.contains(key); }

  test_entries entries;
  adaptive subject;

 private:
  std::size_t capacity_;
  std::unordered_map<std::uint32_t, handle> at_;
  std::unordered_map<handle, std::uint32_t> keys_;
};

TEST(Adaptive, AScanDoesNotWashTheCacheOut) {
  key_cache cache(1'000);
  for (int round = 0; round != 10; ++round) {
    for (std::uint32_t key = 1; key <= 800; ++key) cache.get(key);
  }
  for (std::uint32_t key = 10'000; key != 60'000; ++key) cache.get(key);
  int left = 0;
  for (std::uint32_t key = 1; key <= 800; ++key) left += cache.holds(key);
  EXPECT_GT(left, 700);
}

TEST(Adaptive, PartOfALoopStays) {
  key_cache cache(500);
  int hits = 0;
  for (int round = 0; round != 40; ++round) {
    for (std::uint32_t key = 1; key <= 1'000; ++key) hits += cache.get(key) && round >= 20;
  }
  EXPECT_GT(hits, 20 * 400);  // LRU has none, the best possible is 500 a round
}

TEST(Adaptive, AWideWindowKeepsWhatIsNew) {
  key_cache narrow(1'000, 0.01);
  key_cache wide(1'000, 0.9);
  for (key_cache* cache : {&narrow, &wide}) {
    for (int round = 0; round != 10; ++round) {
      for (std::uint32_t key = 1; key <= 1'000; ++key) cache->get(key);
    }
    for (std::uint32_t key = 5'000; key != 5'800; ++key) cache->get(key);
  }
  EXPECT_FALSE(narrow.holds(5'100));
  EXPECT_TRUE(wide.holds(5'100));
}

// Among residents that were asked for twice, but the oldest more often: how many of 20 newcomers stay.
int newcomers_that_stay(std::uint32_t oldest, std::uint32_t newcomers) {
  constexpr std::uint32_t spread = 0x9e3779b1;
  test_entries entries;
  frequency_sketch asked_for(1'000, 1);
  adaptive subject(entries.headers, {.entries = 100, .weight = 0}, 1, &asked_for);
  const auto add = [&](std::uint32_t key, std::uint32_t frequency) {
    asked_for.add(key * spread, frequency);
    subject.add(entries.make(key * spread));
    while (subject.size() > 100) entries.headers.release(evict(subject, 1).at(0));
  };
  add(1, oldest);
  for (std::uint32_t key = 2; key <= 100; ++key) add(key, 2);
  for (std::uint32_t key = 1'001; key <= 1'020; ++key) add(key, newcomers);
  int stay = 0;
  for (const handle each : visited(subject, true)) {
    for (std::uint32_t key = 1'001; key <= 1'020; ++key) stay += entries[each].hash == key * spread;
  }
  return stay;
}

TEST(Adaptive, AResidentFarAboveTheOthersKeepsOutNobodyElse) { EXPECT_GT(newcomers_that_stay(12, 3), 15); }

TEST(Adaptive, AResidentThatIsNearlyAsOftenAskedForIsTheMeasure) { EXPECT_LT(newcomers_that_stay(5, 3), 5); }

TEST(Adaptive, AWindowThatShrinksDrainsBitByBit) {
  key_cache cache(10'000, 0.9);
  for (std::uint32_t key = 1; key <= 20'000; ++key) cache.get(key);
  EXPECT_EQ(cache.subject.used_by(adaptive::window).entries, 9'000U);
  cache.subject.set_window(0.01);
  cache.get(30'000);
  EXPECT_GT(cache.subject.used_by(adaptive::window).entries, 8'000U);
  for (std::uint32_t key = 40'000; key != 40'100; ++key) cache.get(key);
  EXPECT_EQ(cache.subject.used_by(adaptive::window).entries, 100U);
}

TEST(Adaptive, HoldsLittleMemoryForFewEntries) {
  key_cache cache(10'000'000);
  for (std::uint32_t key = 1; key <= 100; ++key) cache.get(key);
  EXPECT_LT(cache.subject.bytes(), 16'384U);
}

TEST(Adaptive, ReadsASharedSketchAndLeavesItAlone) {
  test_entries entries;
  frequency_sketch shared(100, 1);
  adaptive subject(entries.headers, {.entries = 100, .weight = 0}, 1, &shared);
  for (std::uint32_t i = 1; i <= 300; ++i) {
    subject.add(entries.make(i * 0x9e3779b1U));
    if (subject.size() > 100) evict(subject, 1);
  }
  subject.clear();
  for (std::uint32_t i = 1; i <= 300; ++i) EXPECT_EQ(shared.estimate(i * 0x9e3779b1U), 0U);
}

// Whether a heavy candidate that was asked for `uses` times stays in a cache of light entries: every other one was
// asked for twice, the rest eight times.
bool heavy_one_stays(std::uint32_t uses) {
  test_entries entries;
  frequency_sketch shared(1'000, 1);
  shared.resize(1'000, 1'000);
  adaptive subject(entries.headers, {.entries = 1'000, .weight = 1'000}, 1, &shared);
  for (std::uint32_t i = 1; i <= 99; ++i) {
    shared.add(i * 0x9e3779b1U, i % 2 == 0 ? 2 : 8);
    subject.add(entries.make(i * 0x9e3779b1U, 10));
  }
  const handle heavy = entries.make(12'345, 400);
  shared.add(12'345, uses);
  subject.add(heavy);
  const std::vector<handle> victims = evict(subject, 0, 390, 512);
  std::size_t freed = 0;
  for (const handle each : victims) freed += entries[each].weight();
  EXPECT_GE(freed, 390U);
  return std::ranges::find(victims, heavy) == victims.end();
}

TEST(Adaptive, AHeavyCandidateMustBeatTheAverageOfWhatItDisplaces) {
  EXPECT_FALSE(heavy_one_stays(1));
  EXPECT_FALSE(heavy_one_stays(4)) << "more than every other one";
  EXPECT_TRUE(heavy_one_stays(7)) << "less than every other one";
  EXPECT_TRUE(heavy_one_stays(10));
}

// Everything that must hold between two calls.
void check(const adaptive& subject, const test_entries& entries, const std::vector<handle>& live, const limits& room) {
  std::array<std::size_t, 4> count{};
  std::array<std::size_t, 4> amount{};
  for (const handle which : live) {
    const std::uint32_t queue = entries[which].queue;
    ASSERT_GE(queue, adaptive::window);
    ASSERT_LE(queue, adaptive::protected_);
    ++count[queue];
    amount[queue] += room.weight != 0 ? entries[which].weight() : 1;
  }
  for (const auto id : {adaptive::window, adaptive::probation, adaptive::protected_}) {
    ASSERT_EQ(subject.used_by(id).entries, count[id]);
    ASSERT_EQ(subject.used_by(id).amount, amount[id]);
  }
  ASSERT_EQ(subject.size(), live.size());
  ASSERT_THAT(visited(subject, true), UnorderedElementsAreArray(live));
  auto backwards = visited(subject, false);
  std::ranges::reverse(backwards);
  ASSERT_EQ(visited(subject, true), backwards);
}

void play(limits room, const std::vector<std::uint16_t>& moves) {
  test_entries entries;
  adaptive subject(entries.headers, room, 1);
  std::vector<handle> live;
  const auto weight = [&] {
    std::size_t sum = 0;
    for (const handle which : live) sum += entries[which].weight();
    return sum;
  };
  const auto forget = [&](handle gone) {
    std::erase(live, gone);
    entries.headers.release(gone);
  };
  for (const std::uint16_t move : moves) {
    const std::size_t argument = move / 8;
    const handle chosen = live.empty() ? no_handle : live[argument % live.size()];
    if (live.empty() || move % 8 < 3) {
      live.push_back(entries.make(0, 1 + static_cast<std::uint32_t>(argument % 9)));
      subject.add(live.back());
    } else if (move % 8 < 5) {
      entries[chosen].use();
    } else if (move % 8 == 5) {
      subject.remove(chosen);
      forget(chosen);
    } else if (move % 8 == 6) {
      live.push_back(entries.make(entries[chosen].hash, 1 + static_cast<std::uint32_t>(argument % 9)));
      subject.replace(chosen, live.back());
      forget(chosen);
    } else if (argument % 3 == 0) {
      subject.set_window(static_cast<double>(argument % 100) / 100);
    } else if (argument % 16 == 1) {
      room = {.entries = 10 + argument % 50, .weight = room.weight == 0 ? 0 : 30 + argument % 300};
      subject.resize(room);
    }
    const std::size_t more = live.size() > room.entries ? live.size() - room.entries : 0;
    const std::size_t heavier = room.weight != 0 && weight() > room.weight ? weight() - room.weight : 0;
    const std::size_t before = weight();
    if (more != 0 || heavier != 0) {
      const std::size_t size = live.size();
      const std::vector<handle> victims = evict(subject, more, heavier);
      for (const handle victim : victims) {
        ASSERT_EQ(entries[victim].queue, 0U);
        forget(victim);
      }
      ASSERT_GE(size - live.size(), more);
      ASSERT_GE(before - weight(), heavier);
    }
    ASSERT_NO_FATAL_FAILURE(check(subject, entries, live, room));
    const auto window = subject.used_by(adaptive::window);
    if (room.weight == 0 && more != 0) { ASSERT_LE(window.amount, window.limit); }
  }
}

RC_GTEST_PROP(Adaptive, KeepsItsBooksByNumber, (const std::vector<std::uint16_t>& moves)) {
  play({.entries = 30, .weight = 0}, moves);
}

RC_GTEST_PROP(Adaptive, KeepsItsBooksByWeight, (const std::vector<std::uint16_t>& moves)) {
  play({.entries = 60, .weight = 150}, moves);
}

}  // namespace
}  // namespace seawall::eviction

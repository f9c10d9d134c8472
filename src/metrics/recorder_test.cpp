#include "seawall/metrics/recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

cache_stats read(const cache_recorder& recorder) {
  cache_stats stats;
  recorder.fill(stats);
  return stats;
}

std::string refusal(std::vector<std::string> names) {
  try {
    cache_recorder recorder{std::move(names)};
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

TEST(CacheRecorder, WithoutNamesThereIsOneClass) {
  cache_recorder recorder;
  recorder.count(0, cache_counter::hits);
  recorder.count(5, cache_counter::hits, 2);
  const auto stats = read(recorder);
  ASSERT_EQ(stats.classes.size(), 1U);
  EXPECT_EQ(stats.classes[0].name, "all");
  EXPECT_EQ(stats.classes[0].hits, 3U);
  EXPECT_EQ(stats.total.hits, 3U);
  EXPECT_EQ(stats.total.name, "total");
}

TEST(CacheRecorder, CountsPerClassAndTheRestAsOther) {
  cache_recorder recorder{{"user", "session"}};
  EXPECT_THAT(recorder.class_names(), ElementsAre("user", "session", "other"));
  recorder.count(0, cache_counter::hits, 1);
  recorder.count(1, cache_counter::hits, 10);
  recorder.count(2, cache_counter::hits, 100);
  recorder.count(3, cache_counter::hits, 1000);
  recorder.count(static_cast<std::size_t>(-1), cache_counter::hits, 10'000);
  const auto stats = read(recorder);
  ASSERT_EQ(stats.classes.size(), 3U);
  EXPECT_EQ(stats.classes[0].hits, 1U);
  EXPECT_EQ(stats.classes[1].hits, 10U);
  EXPECT_EQ(stats.classes[2].hits, 11'100U);
  EXPECT_EQ(stats.total.hits, 11'111U);
}

TEST(CacheRecorder, EveryCounterArrivesInItsOwnField) {
  cache_recorder recorder{{"user"}};
  for (const auto& counter : counter_table) {
    recorder.count(0, counter.id, 1 + static_cast<std::uint64_t>(counter.id));
    recorder.count(1, counter.id, 100);
  }
  const auto stats = read(recorder);
  for (const auto& counter : counter_table) {
    EXPECT_EQ(stats.classes[0].*counter.field, 1 + static_cast<std::uint64_t>(counter.id)) << counter.name;
    EXPECT_EQ(stats.classes[1].*counter.field, 100U) << counter.name;
    EXPECT_EQ(stats.total.*counter.field, 101 + static_cast<std::uint64_t>(counter.id)) << counter.name;
    EXPECT_EQ(recorder.sum(counter.id), stats.total.*counter.field) << counter.name;
  }
}

TEST(CacheRecorder, FillReplacesWhatItOwnsAndLeavesTheRest) {
  cache_recorder recorder;
  recorder.load_time().record(5ms);
  recorder.lookup_time().record(50ns);
  cache_stats stats;
  stats.name = "users";
  stats.entries = 7;
  stats.total.hits = 99;
  stats.classes.resize(9);
  recorder.fill(stats);
  recorder.fill(stats);
  EXPECT_EQ(stats.name, "users");
  EXPECT_EQ(stats.entries, 7U);
  EXPECT_EQ(stats.total.hits, 0U);
  EXPECT_EQ(stats.classes.size(), 1U);
  EXPECT_EQ(stats.load_time.max, 5ms);
  EXPECT_EQ(stats.load_time.count, 1U);
  EXPECT_EQ(stats.lookup_time.max, 50ns);
}

TEST(CacheRecorder, RefusesClassNamesThatCannotBeToldApart) {
  std::vector<std::string> many;
  for (std::size_t i = 0; i < cache_recorder::max_classes - 1; ++i) many.push_back("class" + std::to_string(i));
  EXPECT_EQ(refusal(many), "accepted");
  many.push_back("one more");
  EXPECT_EQ(refusal(many), "key classes: at most 63 names, got 64");
  EXPECT_EQ(refusal({"a", "b", "a"}), "key classes: the name 'a' is repeated");
  EXPECT_EQ(refusal({"a", ""}), "key classes: a name is empty");
  EXPECT_EQ(refusal({"a", "other"}), "key classes: the name 'other' is reserved");
}

TEST(CacheRecorder, SamplesOneLookupInSixtyFourOnAverage) {
  int sampled = 0;
  int since = 0;
  int longest = 0;
  std::thread([&] {
    EXPECT_FALSE(cache_recorder::sample_lookup()) << "the first lookup of a thread is a cold one";
    for (int i = 0; i < 640'000; ++i) {
      ++since;
      if (!cache_recorder::sample_lookup()) continue;
      ++sampled;
      longest = std::max(longest, since);
      since = 0;
    }
  }).join();
  EXPECT_NEAR(sampled, 10'000, 300);
  EXPECT_LE(longest, 127);
}

TEST(CacheRecorder, TakingTurnsBetweenCachesSamplesThemAll) {
  int sampled[4] = {};
  for (int i = 0; i < 640'000; ++i) sampled[i % 4] += cache_recorder::sample_lookup() ? 1 : 0;
  for (const int n : sampled) EXPECT_NEAR(n, 2500, 300);
}

TEST(CacheRecorder, ThreadsCountExactly) {
  cache_recorder recorder{{"a"}, 2};
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < 4; ++t) {
      workers.emplace_back([&recorder, t] {
        for (int i = 0; i < 10'000; ++i) {
          recorder.count(t % 2, cache_counter::misses);
          if (cache_recorder::sample_lookup()) recorder.lookup_time().record(1us);
        }
      });
    }
    for (int i = 0; i < 100; ++i) {
      const auto stats = read(recorder);
      ASSERT_EQ(stats.total.misses, stats.classes[0].misses + stats.classes[1].misses);
    }
  }
  const auto stats = read(recorder);
  EXPECT_EQ(stats.classes[0].misses, 20'000U);
  EXPECT_EQ(stats.classes[1].misses, 20'000U);
  EXPECT_GT(stats.lookup_time.count, 0U);
}

}  // namespace
}  // namespace seawall

#include "seawall/metrics/advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace seawall {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// 10'000 lookups of which so many percent hit.
cache_stats cache_hitting(std::uint64_t percent) {
  cache_stats stats;
  stats.total.hits = percent * 100;
  stats.total.misses = 10'000 - percent * 100;
  stats.total.loads = stats.total.misses;
  stats.capacity = 100;
  return stats;
}

auto says(advice_level level, const std::string& subject, const std::string& text) {
  return AllOf(Field(&advice::level, level), Field(&advice::subject, subject), Field(&advice::text, HasSubstr(text)));
}

TEST(Advice, IsSilentWhenAllIsWell) { EXPECT_THAT(advise(cache_hitting(90)), IsEmpty()); }

TEST(Advice, IsSilentBeforeAThousandLookups) {
  cache_stats stats;
  stats.total.misses = 999;
  stats.total.loads = 999;
  stats.total.load_failures = 999;
  stats.total.overload_rejections = 5;
  EXPECT_THAT(advise(stats), IsEmpty());
  stats.total.misses = 1000;
  EXPECT_THAT(advise(stats), Not(IsEmpty()));
}

TEST(Advice, GradesTheHitRate) {
  EXPECT_THAT(advise(cache_hitting(89)), ElementsAre(says(advice_level::good, "hit_rate", "is 89.0 %.")));
  EXPECT_THAT(advise(cache_hitting(70)), ElementsAre(says(advice_level::good, "hit_rate", "is 70.0 %.")));
  EXPECT_THAT(advise(cache_hitting(69)), ElementsAre(says(advice_level::fair, "hit_rate", "is 69.0 %.")));
  EXPECT_THAT(advise(cache_hitting(50)), ElementsAre(says(advice_level::fair, "hit_rate", "is 50.0 %.")));
  EXPECT_THAT(advise(cache_hitting(49)), ElementsAre(says(advice_level::poor, "hit_rate", "is 49.0 %.")));
  EXPECT_THAT(advise(cache_hitting(0)), ElementsAre(says(advice_level::poor, "hit_rate", "is 0.0 %.")));
}

TEST(Advice, StaleAnswersAndAbsencesAreHits) {
  auto stats = cache_hitting(0);
  stats.total.misses = 0;
  stats.total.negative_hits = 5000;
  stats.total.stale_served = 5000;
  EXPECT_THAT(advise(stats), IsEmpty());
}

TEST(Advice, NamesTheCausesOfMisses) {
  EXPECT_THAT(advise(cache_hitting(40)), ElementsAre(says(advice_level::poor, "hit_rate", "first reads")));

  const auto with = [](removal_cause cause, std::uint64_t removed) {
    auto stats = cache_hitting(40);
    stats.evicted(cause) = removed;
    return advise(stats);
  };
  EXPECT_THAT(with(removal_cause::capacity, 1200), ElementsAre(says(advice_level::poor, "hit_rate", "capacity")));
  EXPECT_THAT(with(removal_cause::capacity, 1199), ElementsAre(says(advice_level::poor, "hit_rate", "first reads")));
  EXPECT_THAT(with(removal_cause::expired, 5000), ElementsAre(says(advice_level::poor, "hit_rate", "ttl")));
  EXPECT_THAT(with(removal_cause::invalidated, 5000), ElementsAre(says(advice_level::poor, "hit_rate", "expire()")));
  EXPECT_THAT(with(removal_cause::cleared, 5000), ElementsAre(says(advice_level::poor, "hit_rate", "cleared")));
  EXPECT_THAT(with(removal_cause::replaced, 5000), ElementsAre(says(advice_level::poor, "hit_rate", "first reads")));
}

TEST(Advice, NamesTheClassThatPullsTheHitRateDown) {
  auto stats = cache_hitting(80);
  stats.classes = {{.name = "user", .hits = 7500, .misses = 500},
                   {.name = "search", .hits = 500, .misses = 1500},
                   {.name = "rare", .misses = 10}};
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::good, "hit_rate",
                                              "The lowest is class 'search' with 25.0 % of 2000 lookups.")));
  stats.classes = {{.name = "all", .hits = 8000, .misses = 2000}};
  EXPECT_THAT(advise(stats)[0].text, Not(HasSubstr("class")));
}

TEST(Advice, WarnsOfFullnessOnlyWhenEntriesWereEvictedForIt) {
  auto stats = cache_hitting(80);
  stats.entries = 100;
  stats.bytes = 1000;
  stats.max_bytes = 1000;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::good, "hit_rate", "")));

  stats.evicted(removal_cause::capacity) = 1;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::poor, "entries", "100 entries are 100.0 % of capacity"),
                                         says(advice_level::poor, "bytes", "1000 bytes are 100.0 % of max_bytes"),
                                         says(advice_level::good, "hit_rate", "")));
  stats.entries = 89;
  stats.bytes = 749;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::fair, "entries", "89.0 %"),
                                         says(advice_level::good, "hit_rate", "")));
  stats.entries = 74;
  stats.max_bytes = 0;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::good, "hit_rate", "")));
}

TEST(Advice, AFullCacheThatHitsIsNoAlarm) {
  auto stats = cache_hitting(95);
  stats.entries = 100;
  stats.evicted(removal_cause::capacity) = 1;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::good, "entries", "100.0 % of capacity")));
}

TEST(Advice, ReportsFailingLoads) {
  auto stats = cache_hitting(90);
  stats.total.load_failures = 4;
  stats.total.load_timeouts = 5;
  EXPECT_THAT(advise(stats), IsEmpty());
  stats.total.load_timeouts = 6;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::fair, "load_failures",
                                              "1.0 % of the loads failed (4 with an error, 6 by timeout)")));
  stats.total.load_failures = 94;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::poor, "load_failures", "10.0 % of the loads")));
}

TEST(Advice, ReportsRefusedLookupsAndLateAnswersTheWorstFirst) {
  auto stats = cache_hitting(90);
  stats.total.overload_rejections = 1;
  stats.total.caller_timeouts = 99;
  EXPECT_THAT(advise(stats),
              ElementsAre(says(advice_level::fair, "overload_rejections", "1 lookups (under 0.1 %)"),
                          says(advice_level::fair, "caller_timeouts", "99 callers (0.9 % of the lookups)")));
  stats.total.caller_timeouts = 100;
  EXPECT_THAT(advise(stats), ElementsAre(says(advice_level::poor, "caller_timeouts", "100 callers (1.0 %"),
                                         says(advice_level::fair, "overload_rejections", "1 lookups")));
}

TEST(Advice, LevelsHaveNames) {
  EXPECT_EQ(to_string(advice_level::good), "good");
  EXPECT_EQ(to_string(advice_level::fair), "fair");
  EXPECT_EQ(to_string(advice_level::poor), "poor");
}

}  // namespace
}  // namespace seawall

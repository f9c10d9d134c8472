#include "seawall/metrics/cache_stats.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace seawall {
namespace {

using namespace std::chrono_literals;

/// The names, help sentences and ids of a table must be usable as they are.
template <class Table>
void expect_good_names(const Table& table) {
  std::set<std::string_view> names;
  std::set<std::string_view> helps;
  for (const auto& row : table) {
    EXPECT_TRUE(std::regex_match(std::string(row.name), std::regex("[a-z]+(_[a-z]+)*"))) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(helps.insert(row.help).second) << row.help;
    EXPECT_TRUE(row.help.ends_with('.')) << row.help;
  }
}

TEST(StatsTables, NamesAndSentencesAreDistinctAndWellFormed) {
  expect_good_names(counter_table);
  expect_good_names(gauge_table);
  expect_good_names(removal_cause_table);
}

TEST(StatsTables, EveryCounterHasAFieldOfItsOwn) {
  class_stats stats;
  for (const auto& counter : counter_table) stats.*counter.field += 1;
  for (const auto& counter : counter_table) EXPECT_EQ(stats.*counter.field, 1U) << counter.name;
}

TEST(StatsTables, EveryGaugeHasAFieldOfItsOwn) {
  cache_stats stats;
  for (const auto& gauge : gauge_table) stats.*gauge.field += 1;
  for (const auto& gauge : gauge_table) EXPECT_EQ(stats.*gauge.field, 1U) << gauge.name;
}

// Nothing ties the name of a row to its field but this: the fields in the order of their declaration, by name.
TEST(StatsTables, NamesAreThoseOfTheFields) {
  const auto counter_at = [](std::string_view name) {
    const auto row = std::ranges::find(counter_table, name, &counter_info::name);
    return row == counter_table.end() ? nullptr : row->field;
  };
#define EXPECT_NAMED(field) EXPECT_TRUE(counter_at(#field) == &class_stats::field)
  EXPECT_NAMED(hits);
  EXPECT_NAMED(negative_hits);
  EXPECT_NAMED(stale_served);
  EXPECT_NAMED(misses);
  EXPECT_NAMED(loads);
  EXPECT_NAMED(refreshes);
  EXPECT_NAMED(coalesced);
  EXPECT_NAMED(not_modified);
  EXPECT_NAMED(load_failures);
  EXPECT_NAMED(load_timeouts);
  EXPECT_NAMED(abandoned);
  EXPECT_NAMED(superseded);
  EXPECT_NAMED(unlinearized_reads);
  EXPECT_NAMED(backoff_rejections);
  EXPECT_NAMED(overload_rejections);
  EXPECT_NAMED(caller_timeouts);
  EXPECT_NAMED(store_failures);
  EXPECT_NAMED(shared_hits);
  EXPECT_NAMED(kept_refreshes);
  EXPECT_NAMED(kept_failures);
  EXPECT_NAMED(kept_stops);
#undef EXPECT_NAMED
}

TEST(StatsTables, TheGuideSaysTheSame) {
  const auto guide = std::filesystem::path(__FILE__).parent_path() / "../../docs/guide/metrics.md";
  std::ifstream file(guide);
  ASSERT_TRUE(file) << guide;
  std::stringstream text;
  text << file.rdbuf();
  const auto expect_row = [&](std::string_view name, std::string_view help) {
    const std::string row = "| `" + std::string(name) + "` | " + std::string(help) + " |";
    EXPECT_NE(text.str().find(row), std::string::npos) << "docs/guide/metrics.md lacks the row\n" << row;
  };
  for (const auto& row : counter_table) expect_row(row.name, row.help);
  for (const auto& row : gauge_table) expect_row(row.name, row.help);
  for (const auto& row : removal_cause_table) expect_row(row.name, row.help);
}

TEST(ClassStats, HitRateCountsEveryAnswerOfTheCache) {
  EXPECT_EQ(class_stats{}.hit_rate(), 0.0);
  EXPECT_EQ((class_stats{.misses = 5}).hit_rate(), 0.0);
  EXPECT_EQ((class_stats{.hits = 5}).hit_rate(), 1.0);
  const class_stats mixed{.hits = 5, .negative_hits = 2, .stale_served = 1, .misses = 2, .loads = 1000};
  EXPECT_DOUBLE_EQ(mixed.hit_rate(), 0.8);
  EXPECT_EQ(mixed.answered(), 8U);
  EXPECT_EQ(mixed.lookups(), 10U);
}

TEST(CacheStats, MergeAddsEverythingAndMatchesClassesByName) {
  cache_stats a;
  a.name = "users";
  a.total.hits = 3;
  a.classes = {{.name = "x", .hits = 1}, {.name = "y", .hits = 2}};
  a.entries = 10;
  a.evicted(removal_cause::expired) = 4;
  a.load_time.count = 1;
  cache_stats b;
  b.name = "other";
  b.total.hits = 30;
  b.classes = {{.name = "y", .hits = 10}, {.name = "z", .hits = 20}};
  b.entries = 5;
  b.max_bytes = 100;
  b.evicted(removal_cause::expired) = 1;
  b.load_time.max = 5ms;
  b.lookup_time.count = 2;
  a.merge(b);
  EXPECT_EQ(a.name, "users");
  EXPECT_EQ(a.total.hits, 33U);
  EXPECT_EQ(a.classes, (std::vector<class_stats>{{.name = "x", .hits = 1}, {.name = "y", .hits = 12},
                                                 {.name = "z", .hits = 20}}));
  EXPECT_EQ(a.entries, 15U);
  EXPECT_EQ(a.max_bytes, 100U);
  EXPECT_EQ(a.evicted(removal_cause::expired), 5U);
  EXPECT_EQ(a.load_time.count, 1U);
  EXPECT_EQ(a.load_time.max, 5ms);
  EXPECT_EQ(a.lookup_time.count, 2U);
}

}  // namespace
}  // namespace seawall

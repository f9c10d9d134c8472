#include "seawall/prometheus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

namespace seawall {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class fixed_source final : public stats_source {
 public:
  explicit fixed_source(cache_stats stats) : stats_(std::move(stats)) {}
  cache_stats stats() const override { return stats_; }

 private:
  cache_stats stats_;
};

class fixed_counters final : public counter_source {
 public:
  explicit fixed_counters(counter_set set) : set_(std::move(set)) {}
  counter_set counters() const override { return set_; }

 private:
  counter_set set_;
};

auto client(std::string name, std::uint64_t commands, std::uint64_t retries) {
  return std::make_shared<const fixed_counters>(counter_set{.prefix = "seawall_redis_",
                                                            .label = "client",
                                                            .label_value = std::move(name),
                                                            .counters = {{"commands", "Commands that ended.", commands},
                                                                         {"retries", "Written again.", retries}}});
}

auto source(cache_stats stats) { return std::make_shared<const fixed_source>(std::move(stats)); }

cache_stats one_class(std::string cache, std::uint64_t hits) {
  cache_stats stats;
  stats.name = std::move(cache);
  stats.classes = {{.name = "all", .hits = hits}};
  return stats;
}

std::string page(const prometheus_collector& collector) {
  return ::prometheus::TextSerializer{}.Serialize(collector.Collect());
}

/// Series (names with their labels) that are on the page more than once.
std::vector<std::string> repeated_series(const std::string& text) {
  std::set<std::string> seen;
  std::vector<std::string> repeated;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    line.resize(line.rfind(' '));
    if (!seen.insert(line).second) repeated.push_back(line);
  }
  return repeated;
}

TEST(Prometheus, WithoutSourcesThePageIsEmpty) {
  prometheus_collector collector;
  EXPECT_THAT(collector.Collect(), IsEmpty());
  collector.add(std::shared_ptr<const stats_source>{});
  collector.add(std::shared_ptr<const counter_source>{});
  EXPECT_EQ(page(collector), "");
}

TEST(Prometheus, EveryNumberOfTheTablesIsOnThePage) {
  cache_stats stats;
  stats.name = "users";
  stats.classes = {{.name = "user"}, {.name = "other"}};
  std::uint64_t n = 1;
  for (const auto& counter : counter_table) {
    stats.classes[0].*counter.field = n++;
    stats.classes[1].*counter.field = n++;
  }
  for (const auto& gauge : gauge_table) stats.*gauge.field = n++;
  for (auto& removed : stats.evictions) removed = n++;
  const auto users = source(stats);
  prometheus_collector collector;
  collector.add(users);
  const std::string text = page(collector);

  for (const auto& counter : counter_table) {
    const std::string name = "seawall_cache_" + std::string(counter.name) + "_total";
    const auto value = [&](std::size_t c) { return std::to_string(stats.classes[c].*counter.field); };
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " " + std::string(counter.help) + "\n# TYPE " + name +
                                " counter\n" + name + "{cache=\"users\",class=\"user\"} " + value(0) + "\n" + name +
                                "{cache=\"users\",class=\"other\"} " + value(1) + "\n"));
  }
  for (const auto& gauge : gauge_table) {
    const std::string name = "seawall_cache_" + std::string(gauge.name);
    EXPECT_THAT(text, HasSubstr("# TYPE " + name + " gauge\n" + name + "{cache=\"users\"} " +
                                std::to_string(stats.*gauge.field) + "\n"));
  }
  for (const auto& cause : removal_cause_table) {
    EXPECT_THAT(text, HasSubstr("seawall_cache_evictions_total{cache=\"users\",cause=\"" + std::string(cause.name) +
                                "\"} " + std::to_string(stats.evicted(cause.id)) + "\n"));
  }
  EXPECT_THAT(repeated_series(text), IsEmpty());
}

TEST(Prometheus, HistogramsAreCumulativeInSeconds) {
  histogram loads;
  histogram lookups;
  for (const nanoseconds time : std::vector<nanoseconds>{50us, 900us, 2ms, 2ms, 1min}) loads.record(time);
  lookups.record(60ns);
  cache_stats stats = one_class("users", 1);
  stats.load_time = loads.snapshot();
  stats.lookup_time = lookups.snapshot();
  const auto users = source(stats);
  prometheus_collector collector;
  collector.add(users);
  const std::string text = page(collector);
  const std::string load = "seawall_cache_load_seconds";
  EXPECT_THAT(text, HasSubstr("# TYPE " + load + " histogram\n" + load + "_count{cache=\"users\"} 5\n" + load +
                              "_sum{cache=\"users\"} 60.00495"));
  for (const auto& [le, count] : std::vector<std::pair<std::string, int>>{
           {"0.0001", 1}, {"0.0005", 1}, {"0.001", 2}, {"0.0025", 4}, {"0.25", 4}, {"1", 4}, {"10", 4}, {"+Inf", 5}}) {
    EXPECT_THAT(text,
                HasSubstr(load + "_bucket{cache=\"users\",le=\"" + le + "\"} " + std::to_string(count) + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("seawall_cache_lookup_seconds_bucket{cache=\"users\",le=\"5e-08\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("seawall_cache_lookup_seconds_bucket{cache=\"users\",le=\"1e-07\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("seawall_cache_lookup_seconds_bucket{cache=\"users\",le=\"2.5e-07\"} 1\n"));
  EXPECT_THAT(repeated_series(text), IsEmpty());
}

TEST(Prometheus, ABucketNeverCountsALongerSampleAndMissesOnlyThoseNearItsBound) {
  std::mt19937_64 random{42};
  std::vector<nanoseconds> samples(5000);
  histogram loads;
  for (auto& sample : samples) {
    sample = nanoseconds{random() >> (23 + random() % 40)};
    loads.record(sample);
  }
  cache_stats stats = one_class("users", 1);
  stats.load_time = loads.snapshot();
  stats.lookup_time = stats.load_time;
  const auto users = source(stats);
  prometheus_collector collector;
  collector.add(users);
  int histograms = 0;
  for (const auto& family : collector.Collect()) {
    if (family.type != ::prometheus::MetricType::Histogram) continue;
    ++histograms;
    for (const auto& bucket : family.metric.at(0).histogram.bucket) {
      const auto within = [&](double share) {
        return static_cast<std::uint64_t>(std::ranges::count_if(samples, [&](nanoseconds sample) {
          return static_cast<double>(sample.count()) <= bucket.upper_bound * 1e9 * share * (1 + 1e-12);
        }));
      };
      EXPECT_LE(bucket.cumulative_count, within(1)) << family.name << " le " << bucket.upper_bound;
      EXPECT_GE(bucket.cumulative_count, within(0.875)) << family.name << " le " << bucket.upper_bound;
    }
    EXPECT_TRUE(std::isinf(family.metric.at(0).histogram.bucket.back().upper_bound));
    EXPECT_EQ(family.metric.at(0).histogram.bucket.back().cumulative_count, samples.size());
  }
  EXPECT_EQ(histograms, 2);
}

TEST(Prometheus, ADestroyedSourceIsGone) {
  prometheus_collector collector;
  auto users = source(one_class("users", 1));
  const auto orders = source(one_class("orders", 2));
  collector.add(users);
  collector.add(orders);
  EXPECT_THAT(page(collector), HasSubstr("cache=\"users\""));
  users.reset();
  EXPECT_THAT(page(collector), Not(HasSubstr("cache=\"users\"")));
  EXPECT_THAT(page(collector), HasSubstr("seawall_cache_hits_total{cache=\"orders\",class=\"all\"} 2\n"));
}

TEST(Prometheus, CachesOfOneNameAreAddedUpAndOneSourceCountsOnce) {
  prometheus_collector collector;
  const auto first = source(one_class("users", 1));
  const auto second = source(one_class("users", 10));
  collector.add(first);
  collector.add(second);
  collector.add(first);
  const std::string text = page(collector);
  EXPECT_THAT(text, HasSubstr("seawall_cache_hits_total{cache=\"users\",class=\"all\"} 11\n"));
  EXPECT_THAT(repeated_series(text), IsEmpty());
}

TEST(Prometheus, CountersOfClientsHaveOneFamilyForAllClients) {
  prometheus_collector collector;
  const auto shop = client("shop", 7, 1);
  const auto jobs = client("jobs", 30, 2);
  collector.add(shop);
  collector.add(jobs);
  EXPECT_EQ(page(collector),
            "# HELP seawall_redis_commands_total Commands that ended.\n"
            "# TYPE seawall_redis_commands_total counter\n"
            "seawall_redis_commands_total{client=\"shop\"} 7\n"
            "seawall_redis_commands_total{client=\"jobs\"} 30\n"
            "# HELP seawall_redis_retries_total Written again.\n"
            "# TYPE seawall_redis_retries_total counter\n"
            "seawall_redis_retries_total{client=\"shop\"} 1\n"
            "seawall_redis_retries_total{client=\"jobs\"} 2\n");
}

TEST(Prometheus, ClientsOfOneNameAreAddedUpAndOneClientCountsOnce) {
  prometheus_collector collector;
  const auto first = client("shop", 7, 1);
  const auto second = client("shop", 10, 0);
  collector.add(first);
  collector.add(second);
  collector.add(first);
  EXPECT_THAT(page(collector), HasSubstr("seawall_redis_commands_total{client=\"shop\"} 17\n"));
  EXPECT_THAT(repeated_series(page(collector)), IsEmpty());
}

TEST(Prometheus, GaugesOfCounterSourcesHaveNoTotal) {
  prometheus_collector collector;
  const auto drains = [](std::string name, std::uint64_t partitions) {
    return std::make_shared<const fixed_counters>(counter_set{.prefix = "seawall_write_behind_",
                                                              .label = "write_behind",
                                                              .label_value = std::move(name),
                                                              .counters = {{"applied", "Were taken.", 5}},
                                                              .gauges = {{"partitions", "Are drained.", partitions}}});
  };
  const auto first = drains("orders", 3);
  const auto second = drains("orders", 1);
  const auto third = drains("users", 0);
  for (const auto& one : {first, second, third}) collector.add(one);
  EXPECT_EQ(page(collector),
            "# HELP seawall_write_behind_applied_total Were taken.\n"
            "# TYPE seawall_write_behind_applied_total counter\n"
            "seawall_write_behind_applied_total{write_behind=\"orders\"} 10\n"
            "seawall_write_behind_applied_total{write_behind=\"users\"} 5\n"
            "# HELP seawall_write_behind_partitions Are drained.\n"
            "# TYPE seawall_write_behind_partitions gauge\n"
            "seawall_write_behind_partitions{write_behind=\"orders\"} 4\n"
            "seawall_write_behind_partitions{write_behind=\"users\"} 0\n");
}

TEST(Prometheus, CachesAndClientsShareAPageAndLeaveItApart) {
  prometheus_collector collector;
  const auto users = source(one_class("users", 3));
  auto shop = client("shop", 7, 1);
  collector.add(users);
  collector.add(shop);
  EXPECT_THAT(page(collector), HasSubstr("seawall_cache_hits_total{cache=\"users\",class=\"all\"} 3\n"));
  EXPECT_THAT(page(collector), HasSubstr("seawall_redis_commands_total{client=\"shop\"} 7\n"));
  shop.reset();
  EXPECT_THAT(page(collector), HasSubstr("seawall_cache_hits_total"));
  EXPECT_THAT(page(collector), Not(HasSubstr("seawall_redis_")));
}

TEST(Prometheus, OddNamesAreEscaped) {
  prometheus_collector collector;
  const auto odd = source(one_class("a\"b\\c\nd", 1));
  collector.add(odd);
  EXPECT_THAT(page(collector), HasSubstr(R"(seawall_cache_entries{cache="a\"b\\c\nd"} 0)"));
}

TEST(Prometheus, SourcesComeAndGoWhileThePageIsRead) {
  prometheus_collector collector;
  const auto steady = source(one_class("steady", 1));
  collector.add(steady);
  std::jthread adding([&] {
    for (int i = 0; i < 200; ++i) {
      const auto passing = source(one_class("passing", 1));
      collector.add(passing);
      const auto guest = client("guest", 1, 1);
      collector.add(guest);
    }
  });
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(collector.Collect().empty());
}

TEST(Prometheus, TheGrafanaDashboardAsksForSeriesThatExist) {
  const auto dashboard = std::filesystem::path(__FILE__).parent_path() / "../../deploy/grafana/seawall.json";
  std::ifstream file(dashboard);
  ASSERT_TRUE(file) << dashboard;
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();

  prometheus_collector collector;
  const auto users = source(one_class("users", 1));
  collector.add(users);
  const std::string served = page(collector);
  const std::regex series("seawall_cache_[a-z_]+");
  std::set<std::string> asked;
  for (std::sregex_iterator match(text.begin(), text.end(), series), end; match != end; ++match)
    asked.insert(match->str());
  EXPECT_GT(asked.size(), 10U);
  for (const std::string& name : asked) EXPECT_THAT(served, HasSubstr("\n" + name + "{")) << name;
}

}  // namespace
}  // namespace seawall

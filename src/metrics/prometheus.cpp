#include "seawall/prometheus.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace seawall {
namespace {

using ::prometheus::ClientMetric;
using ::prometheus::MetricFamily;
using ::prometheus::MetricType;
using std::chrono::nanoseconds;

/// The upper bound of a bucket: as it is compared, and as it is printed.
struct fold_bound {
  nanoseconds at;
  double seconds;
};

constexpr std::array<fold_bound, 14> load_bounds{{{nanoseconds{100'000}, 1e-4},
                                                  {nanoseconds{500'000}, 5e-4},
                                                  {nanoseconds{1'000'000}, 1e-3},
                                                  {nanoseconds{2'500'000}, 2.5e-3},
                                                  {nanoseconds{5'000'000}, 5e-3},
                                                  {nanoseconds{10'000'000}, 1e-2},
                                                  {nanoseconds{25'000'000}, 2.5e-2},
                                                  {nanoseconds{50'000'000}, 5e-2},
                                                  {nanoseconds{100'000'000}, 1e-1},
                                                  {nanoseconds{250'000'000}, 2.5e-1},
                                                  {nanoseconds{500'000'000}, 5e-1},
                                                  {nanoseconds{1'000'000'000}, 1},
                                                  {nanoseconds{2'500'000'000}, 2.5},
                                                  {nanoseconds{10'000'000'000}, 10}}};

constexpr std::array<fold_bound, 12> lookup_bounds{{{nanoseconds{50}, 5e-8},
                                                    {nanoseconds{100}, 1e-7},
                                                    {nanoseconds{250}, 2.5e-7},
                                                    {nanoseconds{500}, 5e-7},
                                                    {nanoseconds{1'000}, 1e-6},
                                                    {nanoseconds{2'500}, 2.5e-6},
                                                    {nanoseconds{5'000}, 5e-6},
                                                    {nanoseconds{10'000}, 1e-5},
                                                    {nanoseconds{100'000}, 1e-4},
                                                    {nanoseconds{1'000'000}, 1e-3},
                                                    {nanoseconds{10'000'000}, 1e-2},
                                                    {nanoseconds{100'000'000}, 1e-1}}};

ClientMetric labelled(const cache_stats& cache) {
  ClientMetric metric;
  metric.label.push_back({"cache", cache.name});
  return metric;
}

ClientMetric labelled(const cache_stats& cache, std::string_view label, std::string_view value) {
  ClientMetric metric = labelled(cache);
  metric.label.push_back({std::string(label), std::string(value)});
  return metric;
}

MetricFamily family(std::string_view name, std::string_view help, MetricType type) {
  MetricFamily result;
  result.name = "seawall_cache_" + std::string(name);
  result.help = help;
  result.type = type;
  return result;
}

MetricFamily counter_family(const counter_info& counter, std::span<const cache_stats> caches) {
  auto result = family(std::string(counter.name) + "_total", counter.help, MetricType::Counter);
  for (const cache_stats& cache : caches) {
    for (const class_stats& key_class : cache.classes) {
      ClientMetric metric = labelled(cache, "class", key_class.name);
      metric.counter.value = static_cast<double>(key_class.*counter.field);
      result.metric.push_back(std::move(metric));
    }
  }
  return result;
}

MetricFamily gauge_family(const gauge_info& gauge, std::span<const cache_stats> caches) {
  auto result = family(gauge.name, gauge.help, MetricType::Gauge);
  for (const cache_stats& cache : caches) {
    ClientMetric metric = labelled(cache);
    metric.gauge.value = static_cast<double>(cache.*gauge.field);
    result.metric.push_back(std::move(metric));
  }
  return result;
}

MetricFamily evictions_family(std::span<const cache_stats> caches) {
  auto result = family("evictions_total", "Entries and values removed, by cause.", MetricType::Counter);
  for (const cache_stats& cache : caches) {
    for (const removal_cause_info& cause : removal_cause_table) {
      ClientMetric metric = labelled(cache, "cause", cause.name);
      metric.counter.value = static_cast<double>(cache.evicted(cause.id));
      result.metric.push_back(std::move(metric));
    }
  }
  return result;
}

/// Adds the fine buckets up into cumulative ones; a fine bucket counts from the first bound that none of it exceeds.
ClientMetric::Histogram fold(const histogram_snapshot& snapshot, std::span<const fold_bound> bounds) {
  ClientMetric::Histogram result;
  result.sample_count = snapshot.count;
  result.sample_sum = std::chrono::duration<double>(snapshot.sum).count();
  std::uint64_t cumulative = 0;
  std::size_t fine = 0;
  for (const fold_bound& bound : bounds) {
    while (histogram_layout::upper_bound(fine) <= bound.at) cumulative += snapshot.buckets[fine++];
    result.bucket.push_back({cumulative, bound.seconds});
  }
  result.bucket.push_back({snapshot.count, std::numeric_limits<double>::infinity()});
  return result;
}

MetricFamily histogram_family(std::string_view name, std::string_view help, histogram_snapshot cache_stats::*field,
                              std::span<const fold_bound> bounds, std::span<const cache_stats> caches) {
  auto result = family(name, help, MetricType::Histogram);
  for (const cache_stats& cache : caches) {
    ClientMetric metric = labelled(cache);
    metric.histogram = fold(cache.*field, bounds);
    result.metric.push_back(std::move(metric));
  }
  return result;
}

MetricFamily& family_of(std::vector<MetricFamily>& families, const std::string& name, std::string_view help,
                        MetricType type) {
  const auto there = std::ranges::find(families, name, &MetricFamily::name);
  if (there != families.end()) return *there;
  return families.emplace_back(MetricFamily{name, std::string(help), type, {}});
}

/// The one of these labels, or a new one.
ClientMetric& series_of(MetricFamily& family, const std::vector<ClientMetric::Label>& labels) {
  const auto there = std::ranges::find(family.metric, labels, &ClientMetric::label);
  if (there != family.metric.end()) return *there;
  ClientMetric& made = family.metric.emplace_back();
  made.label = labels;
  return made;
}

void add_counters(std::vector<MetricFamily>& families, const counter_set& set) {
  const std::vector<ClientMetric::Label> labels{{std::string(set.label), set.label_value}};
  const std::string prefix{set.prefix};
  for (const counter_sample& one : set.counters) {
    auto& all = family_of(families, prefix + std::string(one.name) + "_total", one.help, MetricType::Counter);
    series_of(all, labels).counter.value += static_cast<double>(one.value);
  }
  for (const counter_sample& one : set.gauges) {
    auto& all = family_of(families, prefix + std::string(one.name), one.help, MetricType::Gauge);
    series_of(all, labels).gauge.value += static_cast<double>(one.value);
  }
}

template <class Source>
void remember(std::vector<std::weak_ptr<Source>>& known, const std::shared_ptr<Source>& source) {
  std::erase_if(known, [](const auto& one) { return one.expired(); });
  const auto same = [&](const auto& one) { return !one.owner_before(source) && !source.owner_before(one); };
  if (std::ranges::none_of(known, same)) known.emplace_back(source);
}

template <class Source>
std::vector<std::shared_ptr<Source>> living(std::vector<std::weak_ptr<Source>>& known) {
  std::erase_if(known, [](const auto& one) { return one.expired(); });
  std::vector<std::shared_ptr<Source>> found;
  for (const auto& one : known)
    if (auto source = one.lock()) found.push_back(std::move(source));
  return found;
}

}  // namespace

void prometheus_collector::add(const std::shared_ptr<const stats_source>& source) {
  if (!source) return;
  const std::lock_guard lock(mutex_);
  remember(sources_, source);
}

void prometheus_collector::add(const std::shared_ptr<const counter_source>& source) {
  if (!source) return;
  const std::lock_guard lock(mutex_);
  remember(counting_, source);
}

std::vector<cache_stats> prometheus_collector::read_sources() const {
  const auto sources = [this] {
    const std::lock_guard lock(mutex_);
    return living(sources_);
  }();
  std::vector<cache_stats> caches;
  for (const auto& source : sources) {
    cache_stats stats = source->stats();
    const auto same_name = std::ranges::find(caches, stats.name, &cache_stats::name);
    if (same_name == caches.end()) {
      caches.push_back(std::move(stats));
    } else {
      same_name->merge(stats);
    }
  }
  return caches;
}

void prometheus_collector::collect_caches(std::vector<::prometheus::MetricFamily>& families) const {
  const std::vector<cache_stats> caches = read_sources();
  if (caches.empty()) return;
  for (const counter_info& counter : counter_table) families.push_back(counter_family(counter, caches));
  for (const gauge_info& gauge : gauge_table) families.push_back(gauge_family(gauge, caches));
  families.push_back(evictions_family(caches));
  families.push_back(histogram_family("load_seconds", "Time of every load that ended, from its start to its end.",
                                      &cache_stats::load_time, load_bounds, caches));
  families.push_back(histogram_family("lookup_seconds",
                                      "Time of looking into the cache, without loading; about 1 in 64 lookups.",
                                      &cache_stats::lookup_time, lookup_bounds, caches));
}

void prometheus_collector::collect_counters(std::vector<::prometheus::MetricFamily>& families) const {
  const auto sources = [this] {
    const std::lock_guard lock(mutex_);
    return living(counting_);
  }();
  for (const auto& source : sources) add_counters(families, source->counters());
}

std::vector<::prometheus::MetricFamily> prometheus_collector::Collect() const {
  std::vector<MetricFamily> families;
  collect_caches(families);
  collect_counters(families);
  return families;
}

}  // namespace seawall

// prometheus_collector: the numbers of caches and Redis clients for prometheus-cpp (CMake target seawall::prometheus).
//
//   auto collector = std::make_shared<seawall::prometheus_collector>();
//   collector->add(users.stats_handle());      // a cache
//   collector->add(redis.stats_handle());      // a redis::client
//   exposer.RegisterCollectable(collector);    // a prometheus::Exposer; it holds a weak pointer: keep the collector
//
// The collector holds its sources weakly: a destroyed cache or client drops out of the next collection. Sources of the
// same name are added up, because two series with the same labels make Prometheus refuse the whole page.
//
// Families: seawall_cache_<counter>_total{cache,class}, seawall_cache_<gauge>{cache},
// seawall_cache_evictions_total{cache,cause}, seawall_cache_load_seconds{cache} and seawall_cache_lookup_seconds{cache}
// (histograms). A histogram's `le` bucket leaves out samples up to 12.5 % below its bound that share a fine bucket with
// the bound; it never counts one above. Clients: seawall_redis_<counter>_total{client}, see redis::stats_table.
//
// Thread safety: add() and Collect() may be called at the same time by any threads.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "seawall/metrics/counter_source.hpp"
#include "seawall/metrics/stats_source.hpp"

namespace seawall {

class prometheus_collector final : public ::prometheus::Collectable {
 public:
  /// Adds a source; one that is null or already there changes nothing.
  void add(const std::shared_ptr<const stats_source>& source);
  void add(const std::shared_ptr<const counter_source>& source);

  /// The families of all living sources, in a fixed order; empty without sources.
  std::vector<::prometheus::MetricFamily> Collect() const override;

 private:
  std::vector<cache_stats> read_sources() const;
  void collect_caches(std::vector<::prometheus::MetricFamily>& families) const;
  void collect_counters(std::vector<::prometheus::MetricFamily>& families) const;

  mutable std::mutex mutex_;
  mutable std::vector<std::weak_ptr<const stats_source>> sources_;     // guarded by mutex_
  mutable std::vector<std::weak_ptr<const counter_source>> counting_;  // guarded by mutex_
};

}  // namespace seawall

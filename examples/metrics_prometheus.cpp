// Serves the numbers of a cache and of a Redis client to Prometheus. docs/guide/metrics.md and redis.md quote it.
#include <prometheus/exposer.h>
#include <seawall/cache.hpp>
#include <seawall/prometheus.hpp>
#include <seawall/redis.hpp>

#include <memory>
#include <string>

int main() {
  seawall::cache<int, std::string> users{{.name = "users"}};
  auto db = seawall::redis::client::connect({.url = "redis://127.0.0.1:6379", .client_name = "shop"});
  if (!db) return 1;  // a wrong option; nothing has been connected

  auto collector = std::make_shared<seawall::prometheus_collector>();
  collector->add(users.stats_handle());  // a cache
  collector->add(db->stats_handle());    // a client

  prometheus::Exposer exposer{"127.0.0.1:9464"};
  exposer.RegisterCollectable(collector);  // holds it weakly: keep the collector
}

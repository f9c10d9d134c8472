// Serves the numbers of a cache to Prometheus. docs/guide/metrics.md quotes it.
#include <prometheus/exposer.h>
#include <seawall/cache.hpp>
#include <seawall/prometheus.hpp>

#include <memory>
#include <string>

int main() {
  seawall::cache<int, std::string> users{{.name = "users"}};

  auto collector = std::make_shared<seawall::prometheus_collector>();
  collector->add(users.stats_handle());

  prometheus::Exposer exposer{"127.0.0.1:9464"};
  exposer.RegisterCollectable(collector);  // holds it weakly: keep the collector
}

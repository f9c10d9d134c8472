// client_counters: what exporters hold of a client: its counters, and nothing of its I/O.
#pragma once

#include "seawall/metrics/counter_source.hpp"
#include "seawall/redis/stats.hpp"

#include <memory>
#include <string>
#include <utility>

namespace seawall::redis {

class client_counters final : public counter_source {
 public:
  client_counters(std::string client, std::shared_ptr<const stats_counters> counted)
      : client_(std::move(client)), counted_(std::move(counted)) {}

  counter_set counters() const override {
    const stats now = counted_->read();
    counter_set set{.prefix = "seawall_redis_", .label = "client", .label_value = client_};
    for (const stats_info& one : stats_table) set.counters.push_back({one.name, one.help, now.*one.field});
    return set;
  }

 private:
  const std::string client_;
  const std::shared_ptr<const stats_counters> counted_;
};

}  // namespace seawall::redis

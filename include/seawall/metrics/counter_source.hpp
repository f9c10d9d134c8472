// counter_source: what counts and is no cache; what exporters hold of a Redis client (redis::client::stats_handle()).
// Thread safety: counters() may be called at any time by any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seawall {

/// One number at one moment.
struct counter_sample {
  std::string_view name;  ///< of static storage; Prometheus: <prefix><name>, and _total behind that of a counter
  std::string_view help;  ///< of static storage: a sentence
  std::uint64_t value = 0;
};

/// All numbers of one source. Those of sources that share the prefix and the label's value are added up.
struct counter_set {
  std::string_view prefix;         ///< of static storage: what the names have in common, "seawall_redis_"
  std::string_view label;          ///< of static storage: what tells sources apart, "client"
  std::string label_value = {};    ///< the name of this source
  std::vector<counter_sample> counters = {};  ///< start at 0 and only grow
  std::vector<counter_sample> gauges = {};    ///< how much there is now
};

class counter_source {
 public:
  virtual ~counter_source() = default;
  virtual counter_set counters() const = 0;

 protected:
  counter_source() = default;
  counter_source(const counter_source&) = default;
  counter_source& operator=(const counter_source&) = default;
};

}  // namespace seawall

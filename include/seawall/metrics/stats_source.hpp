// stats_source: anything that can say how a cache is doing; what exporters hold (cache::stats_handle()).
// Thread safety: stats() may be called at any time by any thread.
#pragma once

#include "seawall/metrics/cache_stats.hpp"

namespace seawall {

class stats_source {
 public:
  virtual ~stats_source() = default;
  virtual cache_stats stats() const = 0;

 protected:
  stats_source() = default;
  stats_source(const stats_source&) = default;
  stats_source& operator=(const stats_source&) = default;
};

}  // namespace seawall

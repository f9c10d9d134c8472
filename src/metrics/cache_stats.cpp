#include "seawall/metrics/cache_stats.hpp"

#include <algorithm>

namespace seawall {

double class_stats::hit_rate() const noexcept {
  const std::uint64_t asked = lookups();
  return asked == 0 ? 0.0 : static_cast<double>(answered()) / static_cast<double>(asked);
}

void class_stats::merge(const class_stats& other) noexcept {
  for (const counter_info& counter : counter_table) this->*counter.field += other.*counter.field;
}

void cache_stats::merge(const cache_stats& other) {
  total.merge(other.total);
  for (const class_stats& theirs : other.classes) {
    const auto ours = std::ranges::find(classes, theirs.name, &class_stats::name);
    if (ours == classes.end()) {
      classes.push_back(theirs);
    } else {
      ours->merge(theirs);
    }
  }
  for (const gauge_info& gauge : gauge_table) this->*gauge.field += other.*gauge.field;
  for (std::size_t i = 0; i < evictions.size(); ++i) evictions[i] += other.evictions[i];
  load_time.merge(other.load_time);
  lookup_time.merge(other.lookup_time);
}

}  // namespace seawall

#include "seawall/metrics/recorder.hpp"

#include <stdexcept>
#include <utility>

namespace seawall {

bool detail::restart_sampler() noexcept {
  lookup_sampler& sampler = this_thread_sampler;
  const bool first = sampler.random == 0;
  if (first) sampler.random = (this_thread_slot() + 1) * 2654435769U | 1U;
  // xorshift32 (Marsaglia, 2003): never becomes 0.
  sampler.random ^= sampler.random << 13;
  sampler.random ^= sampler.random >> 17;
  sampler.random ^= sampler.random << 5;
  sampler.left = 1 + sampler.random % 127;
  return !first;
}

namespace {

std::vector<std::string> checked(std::vector<std::string> names) {
  if (names.empty()) return {"all"};
  if (names.size() >= cache_recorder::max_classes) {
    throw std::invalid_argument("key classes: at most " + std::to_string(cache_recorder::max_classes - 1) +
                                " names, got " + std::to_string(names.size()));
  }
  names.emplace_back("other");
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty()) throw std::invalid_argument("key classes: a name is empty");
    if (std::find(names.begin(), name, *name) == name) continue;
    throw std::invalid_argument(*name == "other" ? "key classes: the name 'other' is reserved"
                                                 : "key classes: the name '" + *name + "' is repeated");
  }
  return names;
}

}  // namespace

cache_recorder::cache_recorder(std::vector<std::string> class_names, std::size_t stripes)
    : names_(checked(std::move(class_names))), last_class_(names_.size() - 1),
      counters_(names_.size() * counter_count, stripes) {}

void cache_recorder::fill(cache_stats& stats) const {
  stats.total = class_stats{.name = "total"};
  stats.classes.assign(names_.size(), {});
  for (std::size_t c = 0; c < names_.size(); ++c) {
    class_stats& counted = stats.classes[c];
    counted.name = names_[c];
    for (const counter_info& counter : counter_table)
      counted.*counter.field = counters_.sum(c * counter_count + static_cast<std::size_t>(counter.id));
    stats.total.merge(counted);
  }
  stats.load_time = load_time_.snapshot();
  stats.lookup_time = lookup_time_.snapshot();
}

}  // namespace seawall

// cache_face: what transactions and a relay need of a seawall::cache, over the core of a simulated process.
#pragma once

#include "seawall/cache.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace simulation {

class cache_face {
 public:
  using core = seawall::core<int, int, seawall::hash<int>, std::equal_to<>>;
  using key_type = int;
  using mapped_type = seawall::value_ptr<int>;

  cache_face(std::shared_ptr<core> of, const seawall::entry_policy& policy) : core_(std::move(of)), policy_(policy) {}

  const std::string& name() const noexcept { return core_->options().name; }
  void invalidate(int key) { core_->invalidate(key, core_->hash_of(key)); }
  void invalidate_tag(std::string_view tag) { core_->invalidate_tag(seawall::tag_list::hash_of(tag)); }
  bool clear() {
    const bool well = core_->clear();
    if (!well) ++failed_clears;
    return well;
  }
  std::size_t undelivered() const { return core_->undelivered(); }
  void put(int key, seawall::value_ptr<int> value, const seawall::entry_options& how) {
    core_->put(key, core_->hash_of(key), std::move(value), policy_.with(how), how.tags, how.version.value_or(0));
  }

  int failed_clears = 0;

 private:
  const std::shared_ptr<core> core_;
  const seawall::entry_policy policy_;
};

}  // namespace simulation

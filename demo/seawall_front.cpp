// Everything that the demo's service does to have a cache.
#include "front.hpp"

#include <seawall/cache.hpp>

#include <chrono>

namespace seawall::demo {
namespace {

using namespace std::chrono_literals;

class through_seawall final : public front {
 public:
  explicit through_seawall(const seawall_front_options& options)
      : cache_({.name = "shop",
                .capacity = 500'000,
                .ttl = 24h,
                .max_concurrent_loads = options.threads,
                .key_classes = {.names = {kind_names.begin(), kind_names.end()},
                                .of = [](const request_key& key) { return static_cast<std::size_t>(key.kind); }}}),
        forget_to_invalidate_(options.break_invalidation) {}

  result<answer_ptr> read(shop_session& session, const request_key& key) override {
    return cache_.get_or_load(key, [&session](const request_key& missing) { return session.load(missing); });
  }

  void changed(const shop_change& change) override {
    if (!forget_to_invalidate_) cache_.invalidate_many(change.derived);
  }

 private:
  cache<request_key, answer> cache_;
  bool forget_to_invalidate_;
};

}  // namespace

std::unique_ptr<front> seawall_front(const seawall_front_options& options) {
  return std::make_unique<through_seawall>(options);
}

}  // namespace seawall::demo

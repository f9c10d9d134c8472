// Everything that the demo's service does to have a cache.
#include "answer_codec.hpp"
#include "front.hpp"

#include <seawall/cache.hpp>
#include <seawall/tier.hpp>

#include <chrono>
#include <utility>

namespace seawall::demo {
namespace {

using namespace std::chrono_literals;

class through_seawall final : public front {
 public:
  explicit through_seawall(const seawall_front_options& options)
      : tier_(options.shared), cache_(with_tier(options)), forget_to_invalidate_(options.break_invalidation) {}

  result<answer_ptr> read(shop_session& session, const request_key& key, consistency how) override {
    const auto load = [&session](const request_key& missing) { return session.load(missing); };
    return cache_.get_or_load(key, load, {.consistency = how});
  }

  void changed(const shop_change& change) override {
    if (!forget_to_invalidate_) cache_.invalidate_many(change.derived);
  }

  bool delivered() const override { return !tier_ || tier_->stats().undelivered == 0; }

  tier_shares answered() const override {
    const class_stats all = cache_.stats().total;
    return {all.answered() - all.shared_hits, all.shared_hits, all.misses};
  }

  bool without_shared() const override {
    return tier_ && tier_->stats().breaker != tier::breaker_state::closed;
  }

 private:
  static cache_options<request_key, answer> with_tier(const seawall_front_options& options) {
    cache_options<request_key, answer> how{
        .name = options.name,
        .capacity = 500'000,
        .ttl = 24h,
        .max_concurrent_loads = options.threads,
        .key_classes = {.names = {kind_names.begin(), kind_names.end()},
                        .of = [](const request_key& key) { return static_cast<std::size_t>(key.kind); }}};
    if (options.shared) how.shared = options.shared;
    return how;
  }

  const std::shared_ptr<remote_tier> tier_;
  cache<request_key, answer> cache_;
  bool forget_to_invalidate_;
};

}  // namespace

std::unique_ptr<front> seawall_front(const seawall_front_options& options) {
  return std::make_unique<through_seawall>(options);
}

}  // namespace seawall::demo

#include "seawall/tier/remote_tier.hpp"

#include "core.hpp"
#include "fill_call.hpp"
#include "plain_calls.hpp"
#include "prefix_walk.hpp"
#include "read_call.hpp"
#include "releases.hpp"
#include "write_calls.hpp"

namespace seawall {
namespace {

template <class Call, class What>
void start(const std::shared_ptr<tier::core>& core, std::shared_ptr<What> what) {
  tier::operation::start(std::make_unique<Call>(core, std::move(what)));
}

}  // namespace

result<std::shared_ptr<remote_tier>> remote_tier::over(cmd::target& where, tier_options how, find_capabilities can) {
  return make([&](const auto&) { return made_target{.where = &where, .can = std::move(can)}; }, std::move(how));
}

result<std::shared_ptr<remote_tier>> remote_tier::make(const make_target& target, tier_options how) {
  if (auto valid = validate(how); !valid) return std::unexpected(valid.error());
  auto core = std::make_shared<tier::core>(std::move(how));
  auto made = target(core);
  if (!made) return std::unexpected(made.error());
  core->use(*made->where, std::move(made->can));
  if (made->cluster) core->divide(std::move(made->look_for_moves));
  core->watching().use(std::move(made->aside), std::move(made->channel));
  return std::shared_ptr<remote_tier>{new remote_tier(std::move(core), std::move(made->owner))};
}

remote_tier::~remote_tier() {
  core_->close();
  owner_.reset();
}

void remote_tier::attach(std::string prefix, std::weak_ptr<tier_listener> listener) {
  core_->listeners().attach(std::move(prefix), std::move(listener));
}

void remote_tier::read(std::shared_ptr<tier_read> what) {
  if (what->format == shared_format::plain) start<tier::plain_read_call>(core_, std::move(what));
  else start<tier::read_call>(core_, std::move(what));
}

void remote_tier::fill(std::shared_ptr<tier_fill> what) {
  if (what->format == shared_format::plain) start<tier::plain_fill_call>(core_, std::move(what));
  else start<tier::fill_call>(core_, std::move(what));
}

// With `refresh`, the entry may have been gone, and a lease was given all the same.
void remote_tier::release(std::string key, const tier_nonce& lease, bool refresh) {
  if (refresh) tier::release_lock(core_, key);
  tier::release_lease(core_, std::move(key), lease);
}

void remote_tier::release_plain(std::string key, const tier_nonce& lease) {
  tier::release_plain_lease(core_, key, lease);
}

void remote_tier::invalidate(std::shared_ptr<tier_invalidation> what) {
  start<tier::invalidation_call>(core_, std::move(what));
}

void remote_tier::change_tag(std::shared_ptr<tier_tag_change> what) {
  start<tier::tag_call>(core_, std::move(what));
}

void remote_tier::put(std::shared_ptr<tier_put> what) {
  start<tier::put_call>(core_, std::move(what));
}

void remote_tier::wait(const std::atomic<bool>& done) { core_->target().wait(done); }
void remote_tier::hurry() noexcept { core_->target().hurry(); }
duration remote_tier::bound() const noexcept { return core_->options().bound; }
std::size_t remote_tier::undelivered() const { return core_->owed(); }

result<prefix_removal> remote_tier::remove_prefix(std::string_view prefix, prefix_options how) {
  return tier::prefix_walk{core_, prefix, std::move(how)}.run();
}

tier_stats remote_tier::stats() const { return core_->read_stats(); }
std::vector<seawall::advice> remote_tier::advice() const { return core_->watching().said(core_->may_hold()); }
std::shared_ptr<const counter_source> remote_tier::stats_handle() const { return core_; }
std::shared_ptr<redis::tracking_listener> remote_tier::feed() const { return core_; }

}  // namespace seawall

#include "write_calls.hpp"

#include "scripts.hpp"
#include "seawall/cmd/keys.hpp"
#include "seawall/resp/value.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seawall::tier {
namespace {

// A server does nothing else meanwhile.
constexpr std::size_t keys_at_once = 256;

}  // namespace

invalidation_call::invalidation_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_invalidation> what)
    : call(std::move(core), std::move(what)), parts_((what_->keys.size() + keys_at_once - 1) / keys_at_once) {}

std::vector<std::string_view> invalidation_call::keys_of(std::size_t part) const {
  const auto& keys = what_->keys;
  const std::size_t first = part * keys_at_once;
  return {keys.begin() + static_cast<std::ptrdiff_t>(first),
          keys.begin() + static_cast<std::ptrdiff_t>(std::min(first + keys_at_once, keys.size()))};
}

void invalidation_call::begin() {
  // Even where it is not tried, the keys are not forgotten.
  const std::vector<std::string_view> all{what_->keys.begin(), what_->keys.end()};
  if (auto why = refused()) {
    core_->undeliver(all);
    what_->undelivered = all.size();
    return end(std::move(why));
  }
  if (parts_.empty()) return end(std::nullopt);
  std::vector<step*> steps;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].set(*this, cmd::unlink(keys_of(i)));
    steps.push_back(&parts_[i]);
  }
  send(steps, what_->caller_waits);
}

void invalidation_call::round_ended() {
  std::optional<error> failure;
  std::size_t delivered = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::vector<std::string_view> keys = keys_of(i);
    if (parts_[i].failure()) {
      failure = parts_[i].failure();
      core_->undeliver(keys);
      what_->undelivered += keys.size();
    } else {
      delivered += keys.size();
      what_->removed += static_cast<std::size_t>(parts_[i].number().value_or(0));
    }
  }
  core_->count(&tier_totals::invalidated_keys, delivered);
  end(std::move(failure));
}

tag_call::tag_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_tag_change> what)
    : call(std::move(core), std::move(what)), key_(tag_key_of(what_->prefix, what_->tag)) {}

void tag_call::begin() {
  if (auto why = refused()) return end_change(std::move(why));
  set_.set(*this, cmd::command<resp::value>{cmd::builder{"SET"}
                                                .key(key_)
                                                .text(core_->new_generation())
                                                .text("PX")
                                                .number(milliseconds_of(core_->options().tag_life))
                                                .effect(cmd::effect::write_last)});
  send(std::array{&set_}, what_->caller_waits);
}

void tag_call::end_change(std::optional<error> failure) {
  if (failure) core_->undeliver(std::array{std::string_view{key_}});
  else core_->count(&tier_totals::tag_changes);
  end(std::move(failure));
}

put_call::put_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_put> what)
    : call(std::move(core), std::move(what)) {}

void put_call::begin() {
  if (auto why = refused()) return end_put(std::move(why));
  if (what_->entry.version == 0) return end_put(error{errc::invalid_argument, "a put needs a version"});
  if (what_->entry.payload.size() > core_->options().max_payload) {
    return end_put(error{errc::invalid_argument, "the value is too large for the tier"});
  }
  // Without a reign, no entry can be of the same: what is there goes.
  const std::string bytes =
      encode_entry(what_->entry, core_->nonce(), core_->last_reign().value_or(0),
                   core_->server_now_ms(core_->ahead_ms()), core_->options().compression);
  if (bytes.empty()) return end_put(error{errc::invalid_argument, "the entry has too many tags"});
  put_.set(*this, cmd::command<resp::value>{cmd::eval(put_script(), what_->key, bytes,
                                                      milliseconds_of(what_->entry.keep_for))});
  send(std::array{&put_}, what_->caller_waits);
}

void put_call::round_ended() {
  if (send_sources(std::array{&put_})) return;
  what_->replaced = put_.number() == 1;
  if (what_->replaced) core_->count(&tier_totals::puts);
  end_put(put_.failure());
}

void put_call::end_put(std::optional<error> failure) {
  if (failure) core_->undeliver(std::array{std::string_view{what_->key}});
  end(std::move(failure));
}

}  // namespace seawall::tier

#include "write_calls.hpp"

#include "scripts.hpp"
#include "seawall/cmd/keys.hpp"
#include "seawall/resp/value.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seawall::tier {
namespace {

// A server does nothing else meanwhile. In a cluster each key goes by itself: those of a slot that is half moved cannot
// go together, and what fails is known for each.
std::size_t keys_of_a_call(const core& of) { return of.records().divided() ? 1 : 256; }

std::vector<std::string> lease_keys_of(const std::vector<std::string>& keys) {
  std::vector<std::string> leases;
  leases.reserve(keys.size());
  for (const std::string& key : keys) leases.push_back(lease_key_of(key));
  return leases;
}

}  // namespace

// Leases first: one that outlives its key for a moment could bring back what was there.
invalidation_call::invalidation_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_invalidation> what)
    : call(std::move(core), std::move(what)), names_of_key_(what_->format == shared_format::plain ? 2 : 1),
      leases_(names_of_key_ == 2 ? lease_keys_of(what_->keys) : std::vector<std::string>{}),
      names_(what_->keys.size() * names_of_key_), at_once_(keys_of_a_call(*core_)),
      parts_((names_ + at_once_ - 1) / at_once_) {}

std::vector<std::string_view> invalidation_call::names_of(std::size_t part) const {
  std::vector<std::string_view> names;
  const std::size_t end = std::min((part + 1) * at_once_, names_);
  for (std::size_t i = part * at_once_; i < end; ++i) {
    const bool is_lease = names_of_key_ == 2 && i % 2 == 0;
    names.push_back(is_lease ? leases_[i / 2] : key_of(i));
  }
  return names;
}

void invalidation_call::begin() {
  // Even where it is not tried, the keys are not forgotten.
  const std::vector<std::string_view> all{what_->keys.begin(), what_->keys.end()};
  if (auto why = refused()) {
    core_->undeliver(all, what_->format);
    what_->undelivered = all.size();
    return end(std::move(why));
  }
  if (parts_.empty()) return end(std::nullopt);
  std::vector<step*> steps;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].set(*this, cmd::unlink(names_of(i)));
    steps.push_back(&parts_[i]);
  }
  send(steps, what_->caller_waits);
}

void invalidation_call::round_ended() {
  std::optional<error> failure;
  std::vector<std::string_view> missed;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!parts_[i].failure()) {
      what_->removed += static_cast<std::size_t>(parts_[i].number().value_or(0));
      continue;
    }
    failure = parts_[i].failure();
    const std::size_t end = std::min((i + 1) * at_once_, names_);
    for (std::size_t name = i * at_once_; name < end; ++name) {
      const std::string_view key = key_of(name);
      if (missed.empty() || missed.back().data() != key.data()) missed.push_back(key);
    }
  }
  if (!missed.empty()) core_->undeliver(missed, what_->format);
  what_->undelivered = missed.size();
  core_->count(&tier_totals::invalidated_keys, what_->keys.size() - missed.size());
  end(std::move(failure));
}

tag_call::tag_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_tag_change> what)
    : call(std::move(core), std::move(what)), keys_(core_->records().tag_keys(what_->prefix, what_->tag)),
      parts_(keys_.size()) {}

// Not to be repeated by the client: a copy that comes after another change would bring back a generation that entries
// may have been stored with. What fails waits as undelivered, and takes the record away.
void tag_call::begin() {
  if (auto why = refused()) return end_change(keys_, std::move(why));
  std::vector<step*> steps;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    parts_[i].set(*this, cmd::command<resp::value>{cmd::builder{"SET"}
                                                       .key(keys_[i])
                                                       .text(core_->new_generation())
                                                       .text("PX")
                                                       .number(milliseconds_of(core_->options().tag_life))
                                                       .effect(cmd::effect::write_once)});
    steps.push_back(&parts_[i]);
  }
  send(steps, what_->caller_waits);
}

void tag_call::round_ended() {
  std::optional<error> failure;
  std::vector<std::string> missed;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (!parts_[i].failure()) continue;
    failure = parts_[i].failure();
    missed.push_back(keys_[i]);
  }
  // The news of it may come later than the next answer of another server.
  core_->tags_changed(keys_);
  end_change(missed, std::move(failure));
}

void tag_call::end_change(const std::vector<std::string>& missed, std::optional<error> failure) {
  if (failure) core_->undeliver(std::vector<std::string_view>{missed.begin(), missed.end()});
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
  const core::slot_number slot = core_->records().slot_of(what_->key);
  // Without a reign, no entry can be of the same: what is there goes.
  const std::string bytes =
      encode_entry(what_->entry, core_->nonce(), core_->last_reign(slot).value_or(0),
                   core_->server_now_ms(core_->ahead_ms(slot)), core_->options().compression);
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

#include "plain_calls.hpp"

#include "plain_scripts.hpp"
#include "releases.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/strings.hpp"
#include "seawall/resp/value.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::tier {
namespace {

// A value that stays has the same name for all that read it.
tier_nonce name_of(std::string_view value) {
  const digest128 digest = hash_bytes128(value);
  return {.high = digest.high, .low = static_cast<std::uint32_t>(digest.low)};
}

// Both must be touched by one program.
std::optional<error> unfit(const core& of, std::string_view key, std::string_view lease) {
  if (of.records().slot_of(key) == of.records().slot_of(lease)) return std::nullopt;
  return error{errc::invalid_argument, "the slot of a key with '}' and without a hash tag has no room for its lease"};
}

}  // namespace

void release_plain_lease(const std::shared_ptr<core>& of, std::string_view key, const tier_nonce& lease) {
  release_by(of, cmd::command<resp::value>{cmd::eval(plain_release_script(), lease_key_of(key), bytes_of(lease))});
}

plain_read_call::plain_read_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_read> what)
    : call(std::move(core), std::move(what)), key_(what_->key), lease_(lease_key_of(key_)),
      slot_(core_->records().slot_of(key_)) {}

void plain_read_call::begin() {
  if (auto why = refused(key_, &tier_totals::reads)) return end(std::move(why));
  if (auto why = unfit(*core_, key_, lease_)) return end(std::move(why));
  get_.set(*this, cmd::get(key_));
  ttl_.set(*this, cmd::command<resp::value>{cmd::builder{"PTTL"}.key(key_)});
  if (what_->expects_miss && what_->takes_lease && !what_->refresh) next_ = claim::absent;
  begin_round();
}

void plain_read_call::begin_round() {
  if (rounds_ != 0 && out_of_time()) return end_without_answer();
  ++rounds_;
  asked_at_ = core_->now();
  const std::optional<footing> on = open_round(round_, beat_, slot_, asked_at_, unverified_);
  beat_sent_ = !on;
  // A lease says under which reign it was taken, so that waits for the beat.
  taking_ = std::exchange(next_, claim::none);
  if (!on) taking_ = claim::none;
  holds_ = unverified_ = false;
  if (taking_ != claim::none) add_claim(on->reign);
  round_.push_back(&get_);
  round_.push_back(&ttl_);
  send(round_, what_->caller_waits && rounds_ == 1);
}

void plain_read_call::add_claim(std::uint64_t reign) {
  std::string earlier;
  for (const tier_nonce& nonce : claims_) earlier += bytes_of(nonce);
  const tier_nonce own = claims_.emplace_back(core_->nonce());
  const std::string lease = encode_header({.nonce = own, .reign = reign}).substr(nonce_at, nonce_size + 8);
  claim_.set(*this, cmd::command<resp::value>{cmd::eval(plain_claim_script(), cmd::names(key_, lease_), lease,
                                                        milliseconds_of(lease_length(what_->lease_for)),
                                                        taking_ == claim::replace ? "1" : "0", earlier)});
  round_.push_back(&claim_);
}

void plain_read_call::replied(step& which, resp::view reply) noexcept {
  if (&which == beat_.get()) return core_->heard_beat(which.generation, slot_, asked_at_, reply);
  if (&which == &claim_) {
    holds_ = which.number() == 1;
    return;
  }
  if (&which == &ttl_) return keep_for(which.number());
  if (claim_.misses_script()) return;  // the round will be repeated
  const std::optional<footing> on = core_->stand_on(which.generation, slot_, asked_at_);
  unverified_ = !on;
  if (on) judge(*on, reply);
}

// Decides, or sets what the next round does.
void plain_read_call::judge(const footing& on, resp::view reply) {
  if (reply.is_null()) return want(claim::absent, on);
  const std::string_view value = reply.text();
  const tier_nonce name = name_of(value);
  if (!is_wanted(value, name)) return want(claim::replace, on);
  what_->nonce = name;
  what_->entry.payload = value;
  decide(outcome::hit, on);
}

bool plain_read_call::is_wanted(std::string_view value, const tier_nonce& name) {
  const bool unusable = what_->unusable == name || value.size() > core_->options().max_payload;
  if (unusable && !what_->refresh && taking_ != claim::replace) core_->count(&tier_totals::undecodable);
  return !unusable && !(what_->refresh && what_->early);
}

// The lease that a round takes is good for what the round then finds; else it is taken again, for that.
void plain_read_call::want(claim how, const footing& on) {
  if (!what_->takes_lease) return decide(outcome::held, on);
  if (holds_ && taking_ == how) {
    if (how == claim::replace && !what_->refresh) core_->count(&tier_totals::takeovers);
    what_->nonce = claims_.back();
    return decide(outcome::leased, on);
  }
  if (taking_ == how && claim_.failure()) return;
  if (taking_ == how) return decide(outcome::held, on);
  next_ = how;
}

// In the order of the wire, so that the feed tells of later changes later.
void plain_read_call::decide(outcome is, const footing& on) {
  decided_ = true;
  what_->is = is;
  what_->proof = on.proof;
  what_->asked_at = asked_at_;
  what_->on_read();
}

// Counted from when it was asked: what is kept in the process ends before the key does.
void plain_read_call::keep_for(std::optional<std::int64_t> milliseconds) {
  if (!decided_ || !milliseconds) return;
  const duration left = std::chrono::milliseconds{std::max<std::int64_t>(*milliseconds, 0)};
  what_->entry.fresh_for = *milliseconds == -1 ? forever : std::max(left - (core_->now() - asked_at_), duration{1});
}

void plain_read_call::round_ended() {
  if (send_sources(round_)) return;
  if (decided_ && (what_->is != outcome::hit || !ttl_.failure())) return end_decided();
  if (decided_ || get_.failure()) return end_without_answer();
  if (unverified_) {
    if (beat_sent_ && beat_->failure()) core_->missed_beat(beat_->generation, *beat_->failure());
    if (rounds_ >= most_rounds || (beat_sent_ && beat_->failure())) return end_without_answer();
    return begin_round();
  }
  if (taking_ != claim::none && claim_.failure()) return end_without_answer();
  if (rounds_ >= most_rounds) {
    what_->is = outcome::held;
    return end_decided();
  }
  begin_round();
}

void plain_read_call::end_decided() {
  if (what_->is != outcome::leased) release_claims();
  end(std::nullopt, core::counter_of(what_->is));
}

void plain_read_call::end_without_answer() {
  std::optional<error> why = get_.failure();
  if (!why) why = ttl_.failure();
  if (!why && beat_sent_) why = beat_->failure();
  if (!why && taking_ != claim::none) why = claim_.failure();
  if (!why && out_of_time()) why = late();
  if (!why) why = error{cmd::errc::connection_lost, "the connection changed while the tier was asked"};
  what_->is = outcome::failed;
  release_claims();
  end(std::move(why));
}

// Any of them may be what is stored.
void plain_read_call::release_claims() {
  for (const tier_nonce& nonce : claims_) release_plain_lease(core_, key_, nonce);
}

plain_fill_call::plain_fill_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_fill> what)
    : call(std::move(core), std::move(what)), key_(what_->key), slot_(core_->records().slot_of(key_)) {}

void plain_fill_call::begin() {
  if (auto why = refused(key_)) return end(std::move(why));
  if (auto why = too_large(*core_, what_->entry)) {
    release_plain_lease(core_, key_, what_->lease);
    return end(std::move(why));
  }
  const std::string lease = lease_key_of(key_);
  const std::string record = core_->records().reign_key(slot_);
  store_.set(*this, cmd::command<resp::value>{cmd::eval(plain_fill_script(), cmd::names(key_, lease, record),
                                                        bytes_of(what_->lease), what_->entry.payload,
                                                        milliseconds_of(what_->entry.fresh_for))});
  look_.set(*this, cmd::get(key_));
  asked_at_ = core_->now();
  open_round(round_, beat_, slot_, asked_at_);
  round_.push_back(&store_);
  round_.push_back(&look_);
  unhurried_ = what_->unhurried;
  send(round_, what_->caller_waits);
}

void plain_fill_call::replied(step& which, resp::view reply) noexcept {
  if (&which == beat_.get()) return core_->heard_beat(which.generation, slot_, asked_at_, reply);
  const auto on = core_->stand_on(which.generation, slot_, asked_at_);
  if (&which == &store_) {
    what_->accepted = on && which.number() == 1;
    return;
  }
  if (!what_->accepted || !on || reply.text() != what_->entry.payload || reply.is_null()) return;
  what_->proof = on->proof;
  what_->on_read();
}

void plain_fill_call::round_ended() {
  if (send_sources(round_)) return;
  if (store_.failure()) {
    release_plain_lease(core_, key_, what_->lease);
    return end(store_.failure());
  }
  core_->count(what_->accepted ? &tier_totals::fills : &tier_totals::rejected_fills);
  end(std::nullopt);
}

}  // namespace seawall::tier

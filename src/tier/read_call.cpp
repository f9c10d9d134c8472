#include "read_call.hpp"

#include "releases.hpp"
#include "scripts.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/cmd/strings.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::tier {
namespace {

cmd::any_command set_if_absent(std::string_view key, std::string_view value, duration length) {
  return cmd::command<resp::value>{cmd::builder{"SET"}
                                       .key(key)
                                       .text(value)
                                       .text("NX")
                                       .text("PX")
                                       .number(milliseconds_of(length))
                                       .effect(cmd::effect::write_once)};
}

}  // namespace

read_call::read_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_read> what)
    : call(std::move(core), std::move(what)), key_(what_->key), slot_(core_->records().slot_of(key_)) {}

void read_call::begin() {
  if (auto why = refused(key_, &tier_totals::reads)) return end(std::move(why));
  get_.set(*this, cmd::get(key_));
  if (what_->refresh && what_->takes_lease) next_ = claim::refresh;
  else if (what_->expects_miss && what_->takes_lease) next_ = claim::absent;
  begin_round();
}

void read_call::begin_round() {
  asked_at_ = rounds_ == 0 ? begun_ : core_->now();
  if (rounds_ != 0 && asked_at_ >= deadline_) return end_without_answer();
  ++rounds_;
  // Where an answer was not to be trusted, another server has the slot than the last beat was answered by.
  const std::optional<footing> on = open_round(round_, beat_, slot_, asked_at_, unverified_);
  beat_sent_ = !on;
  add_tags(on);
  looks_again_ = claim_told_ = false;
  taking_ = std::exchange(next_, claim::none);
  // A lease says under which reign it was taken, so that waits for the beat.
  if (!on && taking_ != claim::refresh) taking_ = claim::none;
  if (on) reign_ = on->reign;
  if (taking_ != claim::none) add_claim();
  round_.push_back(&get_);
  unverified_ = false;
  send(round_, what_->caller_waits && rounds_ == 1, asked_at_);
}

template <class F>
bool read_call::for_lease_tags(F&& each) const {
  if (what_->prefix.empty()) return true;
  return each(std::uint64_t{0}) && std::ranges::all_of(what_->tags, each);
}

auto read_call::find_tag(std::uint64_t tag) -> tag_query* {
  const auto found = std::ranges::find(tags_, tag, &tag_query::tag);
  return found == tags_.end() ? nullptr : &*found;
}

auto read_call::need_tag(std::uint64_t tag) -> tag_query& {
  if (tag_query* const known = find_tag(tag)) return *known;
  tag_query& query = tags_.emplace_back();
  query.tag = tag;
  query.key = core_->records().key_of(record_of(tag));
  query.slot = core_->records().slot_of(query.key);
  return query;
}

// In front of everything else, so that they are known when the lease is taken.
void read_call::add_tags(const std::optional<footing>& on) {
  const auto due = [&](std::uint64_t tag) { return core_->tag_due(record_of(tag), asked_at_, on, what_->fresh); };
  if (what_->takes_lease) {
    for_lease_tags([&](std::uint64_t tag) {
      if (!find_tag(tag) && due(tag)) need_tag(tag).again = true;
      return true;
    });
  }
  for (tag_query& query : tags_) {
    if (!what_->fresh || query.again) query.told.reset();
    if (query.told) continue;
    if (std::exchange(query.again, false) || due(query.tag)) add_tag(query);
  }
}

void read_call::add_tag(tag_query& query) {
  query.asked_at = asked_at_;
  if (!query.asks) query.asks = std::make_unique<tag_query::steps>();
  auto& [beat, make, read] = *query.asks;
  if (query.slot != slot_ && (query.distrusted || !core_->expected(query.slot, asked_at_))) {
    beat.set(*this, core_->beat_command(query.slot));
    round_.push_back(&beat);
  }
  if (query.missing) {
    const duration life = core_->options().tag_life;
    make.set(*this, set_if_absent(query.key, core_->new_generation(), life));
    round_.push_back(&make);
  }
  read.set(*this, cmd::get(query.key));
  round_.push_back(&read);
}

bool read_call::stamp_lease() {
  what_->stamps.clear();
  return for_lease_tags([&](std::uint64_t tag) {
    const auto generation = generation_of(tag);
    if (generation) what_->stamps.push_back({tag, generation->number});
    return generation.has_value();
  });
}

// Nothing also while a change of the tag waits for its delivery.
auto read_call::generation_of(std::uint64_t tag) -> std::optional<tag_generation> {
  const tag_query* const query = find_tag(tag);
  const std::uint64_t here = get_.generation;
  const core::tag_state state = core_->tag(here, record_of(tag));
  tag_pending_ |= state.pending;
  if (state.pending) return std::nullopt;
  if (query && query->told) {
    depends_on(query->connection, query->asked_at);
    return tag_generation{*query->told, true};
  }
  if (!state.generation || (what_->fresh && state.connection != here)) return std::nullopt;
  depends_on(state.connection, state.as_of);
  return tag_generation{*state.generation, state.connection == here || (query && query->was_told)};
}

void read_call::depends_on(std::uint64_t connection, time_point as_of) {
  if (connection == get_.generation) return;
  others_.push_back(connection);
  as_of_ = std::min(as_of_, as_of);
}

auto read_call::check_tags(const tier_entry& entry) -> validity {
  validity all = validity::valid;
  for (const tag_stamp& stamp : entry.tags) {
    const auto generation = generation_of(stamp.tag);
    if (generation && generation->number == stamp.generation) continue;
    if (generation && generation->new_enough) return validity::invalid;
    need_tag(stamp.tag).again |= generation.has_value();
    all = validity::unknown;
  }
  return all;
}

void read_call::add_claim() {
  const duration length = lease_length(what_->lease_for);
  if (!claim_) claim_ = std::make_unique<step>();
  switch (taking_) {
    case claim::none: return;
    case claim::absent: claim_->set(*this, set_if_absent(key_, new_lease(), length)); break;
    case claim::replace:
      claim_->set(*this, cmd::eval(takeover_script(), key_, seen_, new_lease(), milliseconds_of(length)));
      break;
    case claim::refresh: claim_->set(*this, set_if_absent(lock_key_of(key_), core_->token(), length)); break;
  }
  round_.push_back(claim_.get());
}

std::string read_call::new_lease() { return encode_lease(claims_.emplace_back(core_->nonce()), reign_, 0); }

void read_call::replied(step& which, resp::view reply) noexcept {
  if (&which == beat_.get()) return core_->heard_beat(which.generation, slot_, asked_at_, reply);
  if (&which == claim_.get()) {
    claim_told_ = true;
    if (taking_ == claim::refresh && which.done()) has_lock_ = true;
    if (taking_ == claim::replace && which.number() == 1) core_->count(&tier_totals::takeovers);
    return;
  }
  if (&which != &get_) return tag_replied(which, reply);
  if (claim_ && claim_->misses_script()) return;  // the round will be repeated
  const std::optional<footing> on = core_->stand_on(which.generation, slot_, asked_at_);
  unverified_ = !on;
  others_.clear();
  as_of_ = asked_at_;
  if (on) judge(*on, reply);
}

void read_call::tag_replied(step& which, resp::view reply) {
  for (tag_query& query : tags_) {
    if (!query.asks) continue;
    if (&which == &query.asks->make) return;
    if (&which == &query.asks->beat) return core_->heard_beat(which.generation, query.slot, query.asked_at, reply);
    if (&which != &query.asks->read) continue;
    query.missing = reply.is_null();
    query.told = core_->learn_tag(which.generation, record_of(query.tag), query.slot, reply);
    query.distrusted = !query.told && !query.missing;
    query.connection = which.generation;
    query.was_told |= query.told.has_value();
    return;
  }
}

// Decides, or sets what the next round does.
void read_call::judge(const footing& on, resp::view reply) {
  if (reply.is_null()) return want(claim::absent, on);
  const std::string_view bytes = reply.text();
  const std::optional<stored_header> header = decode_header(bytes);
  if (!header) {
    core_->count(&tier_totals::undecodable);
    return take_away(bytes, on);
  }
  if (header->reign != on.reign) return take_away(bytes, on);
  switch (header->kind) {
    case stored_kind::tombstone: return take_away(bytes, on);
    case stored_kind::lease:
      what_->nonce = header->nonce;
      if (std::ranges::find(claims_, header->nonce) == claims_.end()) return decide(outcome::held, on);
      if (!stamp_lease()) {
        looks_again_ = true;
        return;
      }
      // The right to replace may be that of another load of this process, which is not to be given back with the lease.
      what_->refresh = has_lock_;
      return decide(outcome::leased, on);
    case stored_kind::value:
    case stored_kind::absence: return judge_entry(on, bytes, *header);
  }
}

void read_call::judge_entry(const footing& on, std::string_view bytes, const stored_header& header) {
  const bool unusable = what_->unusable == header.nonce;
  if (unusable && !what_->refresh) return take_away(bytes, on);
  tier_entry entry;
  if (!decode_entry(header, bytes, core_->server_now_ms(on.ahead_ms), core_->options().max_payload, entry)) {
    core_->count(&tier_totals::undecodable);
    return take_away(bytes, on);
  }
  switch (check_tags(entry)) {
    case validity::invalid: return take_away(bytes, on);
    case validity::unknown: looks_again_ = true; return;
    case validity::valid: break;
  }
  what_->nonce = header.nonce;
  const bool fresh = entry.fresh_for > duration::zero() && !unusable && !what_->early;
  if (what_->refresh && !fresh) {
    // In a cluster the right of a few keys lies on another server than they do, whose answer may be later.
    if (taking_ == claim::refresh && !claim_told_ && !claim_->failure()) {
      looks_again_ = true;
      return;
    }
    // A failed SET is no answer: whoever holds the right is unknown.
    if (!has_lock_ && taking_ == claim::refresh && claim_->failure()) return want(claim::refresh, on);
    if (has_lock_ && !stamp_lease()) {
      looks_again_ = true;
      return;
    }
    return decide(has_lock_ ? outcome::leased : outcome::held, on);
  }
  what_->entry = std::move(entry);
  decide(outcome::hit, on);
}

void read_call::take_away(std::string_view bytes, const footing& on) {
  seen_ = bytes.substr(0, header_size);
  want(claim::replace, on);
}

void read_call::want(claim how, const footing& on) {
  if (!what_->takes_lease) return decide(outcome::held, on);
  next_ = how;
}

// In the order of the wire, so that the feed tells of later changes later.
void read_call::decide(outcome is, const footing& on) {
  decided_ = true;
  what_->is = is;
  what_->proof = prove(on);
  what_->asked_at = as_of_;
  what_->on_read();
}

// What is to be loaded has the tags that were asked for, as what was found has its own.
const tier_proof* read_call::prove(const footing& on) {
  if (!core_->records().divided()) return on.proof;
  if (what_->is == outcome::held && what_->takes_lease && !what_->prefix.empty() && !stamp_lease()) return nullptr;
  if (others_.empty()) return on.proof;
  others_.push_back(on.generation);
  return what_->fresh ? nullptr : core_->prove(others_);
}

void read_call::round_ended() {
  if (decided_) return end_decided();
  if (send_sources(round_)) return;
  if (get_.failure()) return end_without_answer();
  if (unverified_) {
    if (beat_sent_ && beat_->failure()) core_->missed_beat(beat_->generation, *beat_->failure());
    if (rounds_ >= most_rounds || (beat_sent_ && beat_->failure())) return end_without_answer();
    next_ = taking_ == claim::refresh && !has_lock_ ? claim::refresh : claim::none;
    return begin_round();
  }
  if (looks_again_) {
    if (rounds_ >= most_rounds + 2 || tag_pending_ || tag_failure()) return end_without_answer();
    return begin_round();
  }
  // Not taken in this round, and the next would meet the same.
  const bool refused = taking_ != claim::none && claim_->failure();
  if (rounds_ >= most_rounds) {
    what_->is = outcome::held;
    return end_decided();
  }
  if (refused) return end_without_answer();
  begin_round();
}

std::optional<error> read_call::tag_failure() const {
  for (const tag_query& query : tags_) {
    if (!query.asks) continue;
    for (const step* one : {&query.asks->beat, &query.asks->make, &query.asks->read}) {
      if (one->failure()) return one->failure();
    }
  }
  return std::nullopt;
}

void read_call::end_decided() {
  if (has_lock_ && what_->is != outcome::leased) release_lock(core_, key_);
  end(std::nullopt, core::counter_of(what_->is));
}

void read_call::end_without_answer() {
  std::optional<error> why = get_.failure();
  if (!why && beat_sent_) why = beat_->failure();
  if (!why && taking_ != claim::none) why = claim_->failure();
  if (!why && tag_pending_) {
    why = error{cmd::errc::unreachable, "the invalidation of a tag has not reached the server yet"};
  }
  if (!why && looks_again_) why = tag_failure();
  if (!why && out_of_time()) why = late();
  if (!why && unverified_ && core_->records().divided()) {
    why = error{cmd::errc::try_again, "the slot is on its way to another server"};
  }
  if (!why) why = error{cmd::errc::connection_lost, "the connection changed while the tier was asked"};
  what_->is = outcome::failed;
  // Any of them may have been stored all the same, and others would wait for its end.
  for (const tier_nonce& nonce : claims_) release_lease(core_, key_, nonce);
  if (has_lock_) release_lock(core_, key_);
  end(std::move(why));
}

}  // namespace seawall::tier

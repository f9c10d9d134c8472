#include "fill_call.hpp"

#include "releases.hpp"
#include "scripts.hpp"
#include "seawall/cmd/strings.hpp"
#include "seawall/resp/value.hpp"

#include <utility>

namespace seawall::tier {

fill_call::fill_call(std::shared_ptr<tier::core> core, std::shared_ptr<tier_fill> what)
    : call(std::move(core), std::move(what)), key_(what_->key), slot_(core_->records().slot_of(key_)),
      written_(core_->nonce()) {}

void fill_call::begin() {
  if (auto why = refused(key_)) return end(std::move(why));
  const auto reign = core_->last_reign(slot_);
  if (!reign) return end(error{errc::invalid_argument, "a fill without a lease of this tier"});
  reign_ = *reign;
  if (auto why = too_large(*core_, what_->entry)) return end_fill(std::move(why));
  // The reign is the one that the lease names, or the store rejects it: also when another has begun meanwhile.
  bytes_ = encode_entry(what_->entry, written_, reign_, core_->server_now_ms(core_->ahead_ms(slot_)),
                        core_->options().compression);
  if (bytes_.empty()) return end_fill(error{errc::invalid_argument, "the entry has too many tags"});
  begin_round(!what_->refresh && core_->can().set_ifeq);
}

void fill_call::begin_round(bool natively) {
  natively_ = natively;
  if (natively) store_natively();
  else store_by_script();
  look_.set(*this, cmd::command<resp::value>{cmd::builder{"GETRANGE"}.key(key_).number(0).number(header_size - 1)});
  asked_at_ = core_->now();
  open_round(round_, beat_, slot_, asked_at_);
  round_.push_back(&store_);
  round_.push_back(&look_);
  if (what_->refresh) {
    unlock_.set(*this, unlock_command(*core_, key_));
    round_.push_back(&unlock_);
  }
  unhurried_ = what_->unhurried;
  send(round_, what_->caller_waits);
}

void fill_call::store_natively() {
  cmd::builder made{"SET"};
  made.key(key_).text(bytes_).text("IFEQ").text(encode_lease(what_->lease, reign_, 0));
  if (const auto ms = milliseconds_of(what_->entry.keep_for)) made.text("PX").number(ms);
  store_.set(*this, cmd::command<resp::value>{made.effect(cmd::effect::write_once)});
}

void fill_call::store_by_script() {
  const std::string lease = encode_lease(what_->lease, reign_, 0);
  store_.set(*this, cmd::command<resp::value>{cmd::eval(fill_script(), key_, lease, bytes_,
                                                        milliseconds_of(what_->entry.keep_for))});
}

void fill_call::replied(step& which, resp::view reply) noexcept {
  if (&which == beat_.get()) return core_->heard_beat(which.generation, slot_, asked_at_, reply);
  if (&which == &unlock_) return;
  const auto on = core_->stand_on(which.generation, slot_, asked_at_);
  const bool same_reign = on && on->reign == reign_;
  if (&which == &store_) {
    stored_ = natively_ ? which.done() : which.number() == 1;
    // A server that went back in time may have brought a lease back that was taken away. What is stored over it belongs
    // to the reign before, so that no reader takes it; nor may the caller.
    what_->accepted = stored_ && same_reign;
    return;
  }
  if (!what_->accepted || !same_reign) return;
  const auto header = decode_header(reply.text());
  if (!header || header->nonce != written_) return;
  what_->proof = core_->prove_entry(*on, key_, what_->entry.tags);
  what_->on_read();
}

void fill_call::round_ended() {
  // The right to replace is given back once: by now it may be that of another load of this process.
  if (what_->refresh && unlock_.done() && round_.back() == &unlock_) round_.pop_back();
  if (send_sources(round_)) return;
  if (store_.failure()) return end_fill(store_.failure());
  // The bytes of a lease change when its floor is raised or kept: only the program can tell.
  if (natively_ && !stored_ && !out_of_time()) return begin_round(false);
  core_->count(what_->accepted ? &tier_totals::fills : &tier_totals::rejected_fills);
  end(std::nullopt);
}

void fill_call::end_fill(std::optional<error> failure) {
  release_lease(core_, key_, what_->lease);
  end(std::move(failure));
}

}  // namespace seawall::tier

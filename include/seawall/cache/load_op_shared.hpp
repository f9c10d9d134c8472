// The steps of load_op that have to do with the shared tier. Part of load_op.hpp; not to be included by itself.
#pragma once

#include "seawall/cache/load_op.hpp"

#include <algorithm>
#include <utility>

namespace seawall {

template <class Core>
step load_op<Core>::ask(question_options how) {
  if (deadline_ != never) {
    const time_point now = core_->time().now();
    if (now >= deadline_) return give_way();
    how.patience = deadline_ - now;
  }
  how.caller_waits = how_.blocks;
  how.takes_lease = !how_.only_looks;
  try {
    asked_ = core_->ask(led_, self_, how);
  } catch (...) {  // the key's codec, or no memory
    return how_.only_looks ? nothing_there() : load();
  }
  return step::ask;
}

// The caller's time is up before anything was loaded: somebody else may go on.
template <class Core>
step load_op<Core>::give_way() {
  cancel();
  return time_out();
}

template <class Core>
step load_op<Core>::answered() {
  const auto asked = std::exchange(asked_, nullptr);
  core_->note_answer(asked->is == tier_read::outcome::leased);
  switch (asked->is) {
    case tier_read::outcome::hit: return hit(*asked);
    case tier_read::outcome::leased:
      asked->accept_lease();
      // The entry that is replaced is the one that was seen: who comes meanwhile may have it.
      if (seen_.value && asked->nonce == seen_nonce_) {
        core_->with_locked(*led_, [&](auto& flight) { flight.spare = seen_; });
      }
      return load();
    case tier_read::outcome::held: return somebody_loads();
    case tier_read::outcome::failed: why_ = served_why::tier_failed; break;
  }
  return how_.only_looks ? nothing_there() : load();
}

template <class Core>
step load_op<Core>::hit(const tier_question<Core>& asked) {
  if (asked.entry.version < how_.at_least) {
    why_ = served_why::asked;
    return ask({.unusable = asked.nonce});
  }
  answer value = core_->decode(asked);
  if (!value) return ask({.unusable = asked.nonce});
  const bool absent = *value == nullptr;
  const duration overdue = -asked.entry.fresh_for;
  if (overdue >= duration::zero()) {  // stale: whoever gets the right to refresh it does, all others take it as it is
    if (how_.only_looks) return nothing_there();
    if (!std::exchange(saw_stale_, true)) {
      stale_was_proved_ = asked.proof != nullptr;
      seen_nonce_ = asked.nonce;
      const time_point now = core_->time().now();
      seen_ = {*value, now - overdue, asked.entry.version, now - asked.entry.age};
      for (const tag_stamp& stamp : asked.entry.tags) {
        if (stamp.tag != 0) led_->expects.add(stamp.tag);
      }
      if (!absent && overdue < how_.policy.stale_if_error) on_error_ = *value;
      if (!absent && overdue < how_.policy.stale_for) in_hand_ = *std::move(value);
      return ask({.refresh = true});
    }
    if (!in_hand_) return ask({.unusable = asked.nonce});
  }
  if (why_ != served_why::waited) why_ = served_why::hit;
  const auto ended = core_->settle_hit(std::exchange(led_, nullptr), asked, *std::move(value), how_.policy);
  return finish_hit(ended, overdue >= duration::zero(), asked.entry.age);
}

template <class Core>
step load_op<Core>::finish_hit(const typename Core::settlement& ended, bool stale, duration age) {
  if (ended.is == fate::superseded && retries_left_ > 0) {
    --retries_left_;
    return again();
  }
  if (ended.is == fate::late) return given_up();
  if (ended.is == fate::superseded) core_->count(core_->class_of(key_), cache_counter::unlinearized_reads);
  if (!counted_) core_->count(core_->class_of(key_), cache_counter::shared_hits);
  tell(served_from::shared, stale ? served_why::stale_while_refresh : why_, ended.version, age);
  if (stale) count_once(cache_counter::stale_served);
  else count_once(*ended.value ? cache_counter::hits : cache_counter::negative_hits);
  if (ended.is == fate::superseded) return finish_unkept(*ended.value, ended.version);
  return finish(*ended.value);
}

// Another process holds the lease. Its fill, and every other end of the lease but its time, is told by the feed;
// where that does not work, and for a holder that died, this looks again by itself.
template <class Core>
step load_op<Core>::somebody_loads() {
  if (led_->refresh) {
    core_->forsake(std::exchange(led_, nullptr));
    lookup<V> found = look();
    return found.servable() ? serve(std::move(found)) : decide(std::move(found));
  }
  if (how_.only_looks) return nothing_there();
  if (in_hand_) {
    core_->forsake(std::exchange(led_, nullptr));
    return serve_in_hand();
  }
  const time_point now = core_->time().now();
  if (polls_ == 0) gives_up_waiting_ = after(now, 2 * core_->lease_time());
  if (now >= gives_up_waiting_) return load();  // without a lease: the value goes to this process only
  core_->arm(led_);
  held_ = true;
  why_ = served_why::waited;
  core_->with_locked(*led_, [&](auto& flight) { flight.looks_again = self_; });
  const duration pause = std::min<duration>(std::chrono::milliseconds{5} * (1 << std::min(polls_++, 5)),
                                            std::chrono::milliseconds{100});
  poll_at_ = after(now, core_->jittered(pause));
  poll_ = core_->time().call_at(std::min(poll_at_, deadline_), [self = self_] { self->wake(); });
  return step::wait;
}

// For a caller that loads nothing.
template <class Core>
step load_op<Core>::nothing_there() {
  core_->forsake(std::exchange(led_, nullptr));
  return in_hand_ ? serve_in_hand() : finish(nullptr);
}

template <class Core>
step load_op<Core>::look_again() {
  const time_point now = core_->time().now();
  if (now >= deadline_) return give_way();
  bool over = false;
  const bool told = core_->with_locked(*led_, [&](auto& flight) {
    over = flight.phase == flight_phase::settled || flight.phase == flight_phase::abandoned;
    return flight.looks_again != self_;
  });
  if (!over && !told && now < poll_at_) return step::wait;
  stop_polling();
  if (over) {
    led_ = nullptr;
    return given_up();
  }
  return ask({.refresh = saw_stale_});
}

template <class Core>
void load_op<Core>::stop_polling() {
  held_ = false;
  if (poll_ != 0) core_->time().cancel(std::exchange(poll_, 0));
}

}  // namespace seawall

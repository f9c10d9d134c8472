// The machine behind get_or_load: it decides every step of one call and performs none. A driver runs it:
//
//   for (step next = op.start();;)
//     switch (next) {
//       case step::done:       return op.take();
//       case step::run_loader: next = op.loaded(<call the loader with op.key() and op.context()>); break;
//       case step::ask:        // as wait; a thread may help the shared tier with op.await_tier() instead
//       case step::wait:       <wait for the waiter's wake>; next = op.woken(); break;
//     }
//
// The blocking driver waits on a semaphore, the Asio driver suspends; threads and coroutines so join one flight.
// Thread safety: one call at a time; the waiter given at construction is woken from other threads.
#pragma once

#include "seawall/cache/core.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace seawall {

enum class step { done, run_loader, ask, wait };

template <class Core>
class load_op {
 public:
  using K = typename Core::key_type;
  using V = typename Core::value_type;
  using answer = typename Core::answer;

  struct settings {
    const bound_loader<K, V>* loader = nullptr;  ///< Runs on the executor; null: the driver runs one of its own.
    entry_policy policy{};
    duration deadline = forever;                 ///< From now.
    bool inline_loader = false;                  ///< Run even a bound loader on the driver's thread.
    load_permits* batch = nullptr;               ///< Shared by the operations of a batch.
    tag_list tags{};
    bool only_looks = false;                     ///< In the shared tier too, but loads nothing and waits for nobody.
    bool fresh = false;                          ///< Not from this process, and linearizable over all of them.
    bool blocks = false;                         ///< The driver calls `await_tier` at step::ask.
    std::uint64_t at_least = 0;                  ///< Nothing of a lower version.
    served* report = nullptr;

    /// Whether what is in the process may be an answer.
    bool takes(const lookup<V>& found, bool shared) const noexcept {
      return !(fresh && shared) && found.version >= at_least;
    }
  };

  load_op(std::shared_ptr<Core> owner, K key, std::size_t hash, std::shared_ptr<waiter> self, const settings& how)
      : core_(std::move(owner)),
        key_(std::move(key)),
        hash_(hash),
        self_(std::move(self)),
        how_(how),
        deadline_(how.deadline == forever ? never : after(core_->time().now(), how.deadline)),
        alone_(core_->shared() && (how.fresh || core_->tier().tier().bound() <= duration::zero())) {
    if (how_.deadline <= duration::zero()) deadline_ = time_point::min();
    why_ = alone_ ? served_why::asked : served_why::miss;
  }

  load_op(const load_op&) = delete;
  load_op& operator=(const load_op&) = delete;
  ~load_op() { cancel(); }

  step start() { return decide(look()); }
  /// The same for a caller that has looked already.
  step start(lookup<V> found) { return decide(suiting(std::move(found))); }

  /// The loader's answer, after step::run_loader.
  step loaded(seawall::loaded<V> given) {
    const entry_policy policy = how_.policy.with(context_->entry);
    given.add(context_->entry);
    if (alone_) core_->with_locked(*led_, [&](auto& flight) { flight.waiters.insert(self_); });
    const auto opened = std::exchange(led_, nullptr);
    const auto ended = core_->complete(opened, std::move(given), policy);
    const auto too_old = [&] { return ended.value && ended.version != 0 && ended.version < how_.at_least; };
    if (ended.is == fate::filling) return alone_ ? wait_for(opened) : finish_loaded(*ended.value, ended.version);
    if (ended.is != fate::accepted) lose_stale();
    else lose_stale_of(*opened);
    if (ended.is == fate::accepted) {
      if (!ended.value) return fail_with(ended.value.error());
      if (too_old()) return behind(ended.version);
      return finish_loaded(*ended.value, ended.version, !alone_);
    }
    // Superseded, or given up meanwhile: the value may be older than what others have already been told.
    // A loader's own failure is its answer all the same: it is not run again for that.
    if (ended.is == fate::superseded && ended.value && retries_left_ > 0) {
      --retries_left_;
      return again();
    }
    if (!ended.value) return ended.is == fate::late ? given_up() : fail_with(ended.value.error());
    if (too_old()) return behind(ended.version);
    return finish_loaded(*ended.value, ended.version, false);
  }

  /// After step::wait, whenever the waiter was woken.
  step woken() {
    if (asked_) return asked_->ended() ? answered() : keeps_asking();
    if (held_) return look_again();
    if (joined_->phase.load(std::memory_order_acquire) == flight_phase::settled) return settled();
    const bool late = out_of_time();
    const flight_phase phase = core_->with_locked(*joined_, [&](auto& flight) {
      const flight_phase now = flight.phase.load(std::memory_order_relaxed);
      const bool stays = now == flight_phase::loading || (now == flight_phase::superseded && retries_left_ == 0);
      if (stays && !late) flight.waiters.insert(self_);
      else flight.waiters.erase(self_);
      return now;
    });
    if (phase == flight_phase::settled) return settled();
    if (late) {
      leave();
      return time_out();
    }
    if (phase == flight_phase::loading) return step::wait;
    if (phase == flight_phase::superseded) {
      if (retries_left_ == 0) return step::wait;
      --retries_left_;
    }
    leave();
    return again();
  }

  /// Ends the call early: the flight it leads is abandoned, the one it waits for goes on without it.
  void cancel() {
    if (asked_) std::exchange(asked_, nullptr)->drop();
    stop_polling();
    if (led_) core_->forsake(std::exchange(led_, nullptr));
    if (joined_) {
      core_->with_locked(*joined_, [&](auto& flight) { flight.waiters.erase(self_); });
      leave();
    }
    disarm();
  }

  /// Waits, on this thread, until the shared tier has answered. Requires: step::ask.
  void await_tier() { core_->tier().tier().wait(asked_->done()); }

  /// The outcome, after step::done.
  answer take() { return std::move(*outcome_); }
  bool done() const noexcept { return outcome_.has_value(); }

  const K& key() const noexcept { return key_; }
  /// For the loader, after step::run_loader.
  load_context<V>& context() noexcept { return *context_; }
  /// The mark of the load that it leads, for the scopes that a driver opens around the loader.
  detail::load_mark mark(std::shared_ptr<const detail::running_load> outer) const {
    return core_->mark(led_, std::move(outer));
  }
  /// The loader to run after step::run_loader when it is not the driver's own.
  const bound_loader<K, V>* bound() const noexcept { return how_.loader; }

 private:
  using admission = typename Core::admission;

  step again() { return decide(look()); }

  // Most callers have no deadline, and read no clock.
  bool out_of_time() const noexcept { return deadline_ != never && core_->time().now() >= deadline_; }

  // What is in the process, as far as this caller may have it.
  lookup<V> look() { return alone_ ? lookup<V>{} : suiting(core_->look(key_, hash_)); }
  lookup<V> suiting(lookup<V> found) {
    if (how_.takes(found, alone_)) return found;
    why_ = served_why::asked;
    return {};
  }

  bool runs_inline() const noexcept { return how_.loader == nullptr || how_.inline_loader; }

  step decide(lookup<V> found) {
    switch (found.is) {
      case standing::fresh: return serve(std::move(found));
      case standing::refresh_due:
      case standing::stale: return serve_and_refresh(std::move(found));
      case standing::missing:
      case standing::on_error: break;
    }
    missed_ = true;
    if (out_of_time()) return time_out();
    admission flight = core_->admit(key_, hash_,
                                    {.joins = how_.only_looks ? nullptr : self_,
                                     .joins_own = !runs_inline(),
                                     .batch = how_.batch,
                                     .leader_deadline = runs_inline() ? deadline_ : never,
                                     .tags = how_.tags,
                                     .alone = alone_,
                                     .at_least = how_.at_least});
    switch (flight.is) {
      case admitted::answered:
        missed_ = false;
        return decide(std::move(flight.found));
      case admitted::refused: return refused(*flight.why);
      case admitted::leads:
        if (why_ == served_why::joined) why_ = served_why::miss;
        return lead(std::move(flight.flight));
      case admitted::joins:
        if (auto there = core_->spare_of(*flight.flight, self_, how_.policy, how_.at_least); there.value) {
          return serve_spare(std::move(there));
        }
        core_->count(core_->class_of(key_), cache_counter::coalesced);
        why_ = served_why::joined;
        return wait_for(std::move(flight.flight));
      case admitted::busy: break;  // only looks
    }
    return finish(nullptr);
  }

  // The value in hand is good enough for this caller. With a bound loader the refresh runs in the background; with the
  // caller's own loader this one caller pays for it, all others are served meanwhile.
  step serve_and_refresh(lookup<V> found) {
    if (!runs_inline()) {
      core_->refresh(key_, hash_, found.written, *how_.loader, how_.policy);
      return serve(std::move(found));
    }
    if (out_of_time()) return serve(std::move(found));
    admission flight = core_->admit(key_, hash_, {.refresh = true, .replaces = found.written, .batch = how_.batch,
                                                  .leader_deadline = deadline_, .tags = how_.tags});
    if (flight.is == admitted::leads) return lead(std::move(flight.flight));
    if (flight.is == admitted::answered) return serve(std::move(flight.found));
    return serve(std::move(found));
  }

  step lead(std::shared_ptr<flight<K, V>> opened) {
    led_ = std::move(opened);
    if (core_->shared()) return ask({.refresh = led_->refresh, .early = led_->early});
    return load();
  }

  // The source is to be asked for the key of the flight that this leads.
  step load() {
    if (core_->shared()) {
      const auto full = core_->begin_load(led_, how_.batch);
      if (full) {
        led_ = nullptr;
        return refused(*full);
      }
    }
    if (!runs_inline()) {
      auto opened = std::exchange(led_, nullptr);
      core_->launch(opened, *how_.loader, how_.policy);  // first: from here on the flight ends without this caller
      if (in_hand_) return serve_in_hand();
      wait_for(std::move(opened));
      return core_->shared() ? woken() : step::wait;  // an invalidation during the question has used the waiter up
    }
    context_.emplace(core_->context_of(*led_));
    return step::run_loader;
  }

  // ---- the shared tier: load_op_shared.hpp ----

  step ask(question_options how);
  step keeps_asking() { return out_of_time() ? give_way() : step::ask; }
  step give_way();
  step nothing_there();
  step answered();
  step hit(const tier_question<Core>& asked);
  step finish_hit(const typename Core::settlement& ended, bool stale, duration age);
  step somebody_loads();
  step look_again();
  void stop_polling();

  step wait_for(std::shared_ptr<flight<K, V>> joined) {
    joined_ = std::move(joined);
    if (core_->shared()) {
      joined_at_ = core_->time().now();
      core_->tier().tier().hurry();
    }
    if (timer_ == 0 && deadline_ != never) {
      timer_ = core_->time().call_at(deadline_, [self = self_] { self->wake(); });
    }
    return step::wait;
  }

  // ---- its ends: load_op_ends.hpp ----

  step settled();
  step behind(std::uint64_t version);
  step refused(const error& why);
  step time_out();
  step given_up();
  step fail_with(const error& why);
  step serve(lookup<V> found, served_why if_stale = served_why::stale_while_refresh);
  step serve_in_hand(served_why why = served_why::stale_while_refresh);
  step serve_spare(spare_value<V> there);
  step finish_unkept(value_ptr<V> value, std::uint64_t version);
  step finish_loaded(value_ptr<V> value, std::uint64_t version, bool linear = true);
  step finish(value_ptr<V> value);

  void tell(served_from from, served_why why, std::uint64_t version = 0, duration age = {}) noexcept {
    if (how_.report) *how_.report = {from, why, age, version};
  }
  // For the report: without one, no clock is read.
  duration age_of(time_point written) const noexcept {
    return how_.report ? core_->time().now() - written : duration::zero();
  }

  // What the tier had is not to be served any more: it was invalidated meanwhile.
  void lose_stale() noexcept { in_hand_ = on_error_ = nullptr; }
  void lose_stale_of(const flight<K, V>& ended) noexcept {
    if (stale_was_proved_ && !ended.proof.load(std::memory_order_relaxed)) lose_stale();
  }

  void count_miss() { count_once(cache_counter::misses); }

  // Each call counts as one look-up, whatever it goes through.
  void count_once(cache_counter counter) {
    if (!std::exchange(counted_, true)) core_->count(core_->class_of(key_), counter);
  }

  void leave() noexcept { joined_ = nullptr; }

  void disarm() {
    if (timer_ != 0) core_->time().cancel(std::exchange(timer_, 0));
  }

  const std::shared_ptr<Core> core_;
  const K key_;
  const std::size_t hash_;
  const std::shared_ptr<waiter> self_;
  const settings how_;
  time_point deadline_;

  // How often an invalidation may send this caller back to the start before it takes what a load that began before the
  // last one answers: a key that is written faster than it loads must not keep its readers for ever.
  int retries_left_ = 3;
  bool missed_ = false;   // the first look found nothing to serve
  bool counted_ = false;
  std::shared_ptr<flight<K, V>> led_;
  std::shared_ptr<flight<K, V>> joined_;
  std::optional<load_context<V>> context_;
  clock::timer_id timer_ = 0;
  std::optional<answer> outcome_;
  served_why why_;        // for the report, if it comes from further away than this process

  // With a shared tier.
  const bool alone_;                                ///< see core::request
  std::shared_ptr<tier_question<Core>> asked_;      ///< under way, for the flight that this leads
  bool held_ = false;                               ///< waits for another process's load
  bool saw_stale_ = false;                          ///< the tier has an entry that is to be refreshed
  value_ptr<V> in_hand_;                            ///< its value, if it may be served
  value_ptr<V> on_error_;                           ///< its value, if it may be served should the load fail
  spare_value<V> seen_;                             ///< the same, with when it went stale, and what names the entry
  tier_nonce seen_nonce_;
  bool stale_was_proved_ = false;
  time_point joined_at_{};
  int polls_ = 0;
  time_point poll_at_{};
  time_point gives_up_waiting_{};
  clock::timer_id poll_ = 0;
};

}  // namespace seawall

#include "seawall/cache/load_op_ends.hpp"
#include "seawall/cache/load_op_shared.hpp"

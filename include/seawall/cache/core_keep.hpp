// The members of core that keep hot keys fresh. Part of core.hpp; not to be included by itself.
//
// An entry is stored as not used yet (entry::watch), which costs its first use a closer look and the others nothing. So
// its moment finds out whether it was used since the last one. The key of an entry that was is put on the schedule.
#pragma once

#include "seawall/cache/core.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace seawall {

template <class K, class V, class Hash, class Eq>
std::shared_ptr<fresh_schedule> core<K, V, Hash, Eq>::schedule_of(const cache_options<K, V>& options,
                                                                  std::shared_ptr<clock> time) {
  if (!options.keep_fresh.on()) return nullptr;
  return std::make_shared<fresh_schedule>(options.keep_fresh, std::move(time), options.backoff.max);
}

// Has the key from the entry and hashes it anew, so that hits need not have both at hand.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::note_first_use(const K& key, local::entry<V>& item) {
  const std::size_t hash = hash_of(key);
  if (!kept_->wants(hash)) return;
  try {
    fresh_schedule::kept_key one{.key = std::make_shared<const K>(key), .hash = hash, .used_at = clock_->now()};
    for (const std::uint64_t tag : item.tags.hashes()) one.tags.add(tag);
    kept_->add(std::move(one), kept_->due_of(local::stored_times{item.times}.get(), hash));
  } catch (...) {  // out of memory: the first use of the next entry tries again
  }
}

template <class K, class V, class Hash, class Eq>
template <class Q>
bool core<K, V, Hash, Eq>::was_in_use(const Q& key, std::size_t hash) {
  bool used = false;
  if (!kept_) return used;
  engine_.read(key, hash, clock_->coarse_now(), [&](local::entry<V>& item, local::entry_header&) {
    used = item.watch();
    return false;
  });
  return used;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::keep_round() noexcept {
  constexpr int most = 64;  // the clock has other timers; the next round comes soon
  const detail::presence here{in_background_};
  const time_point now = clock_->now();
  for (int i = 0; i != most && !closed_.load(); ++i) {
    try {
      auto due = kept_->next_due(now);
      if (!due || !keep(*std::move(due), now)) return;
    } catch (...) {  // out of memory, or the user's codec: the key is due again in a while
    }
  }
}

// False: no more keys can be loaded now.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::keep(fresh_schedule::kept_key one, time_point now) {
  const K& key = *static_cast<const K*>(one.key.get());
  std::optional<local::entry_times> seen;
  engine_.read(key, one.hash, now, [&](local::entry<V>& item, local::entry_header&) {
    if (!trusts(item, now)) return false;
    seen = local::stored_times{item.times}.get();
    if (item.watch()) one.used_at = now;
    one.tags = {};
    for (const std::uint64_t tag : item.tags.hashes()) one.tags.add(tag);
    return false;
  });
  if (now >= after(one.used_at, options_.keep_fresh.stop_after)) {
    kept_->remove(one.hash);
    count(class_of(key), cache_counter::kept_stops);
    return true;
  }
  const time_point due = seen ? kept_->due_of(*seen, one.hash) : now;
  if (due == never) {
    kept_->remove(one.hash);
    return true;
  }
  if (due > now) {
    one.tries = 0;
    kept_->update(std::move(one), due);
    return true;
  }
  auto right = kept_->try_begin();
  if (!right) {
    kept_->update(std::move(one), due);
    return false;
  }
  const duration pause = kept_->pause_after(one.tries++, seen ? fresh_schedule::lead_of(*seen) : policy_.ttl / 5);
  kept_->update(one, after(now, jittered(pause)));
  refresh_kept(one, seen ? &*seen : nullptr, std::move(right));
  return true;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::refresh_kept(const fresh_schedule::kept_key& one, const local::entry_times* seen,
                                        std::shared_ptr<void> right) {
  const K& key = *static_cast<const K*>(one.key.get());
  const admission opened = admit(key, one.hash, {.refresh = true,
                                                 .replaces = seen ? seen->written : time_point{},
                                                 .tags = one.tags,
                                                 .kept = true});
  if (opened.is != admitted::leads) return;
  const flight_ptr& which = opened.flight;
  which->permits.of_schedule = std::move(right);
  which->kept_until = seen ? seen->fresh_until : time_point{};
  if (!shared()) return launch(which, options_.loader, policy_);
  try {
    ask_in_background(which, options_.loader, policy_, {.takes_lease = false});
  } catch (...) {
    forsake(which);
    throw;
  }
}

// The tier has told what it has, without a lease. What another process has loaded meanwhile is taken over; what is
// still the entry that was seen is replaced by the process that gets the right to.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::go_on_kept(const flight_ptr& which, tier_question<core>& asked,
                                      const bound_loader<K, V>& loader, const entry_policy& policy) {
  if (asked.is == tier_read::outcome::failed) {
    forsake(which);
    return false;
  }
  question_options next{};
  if (asked.is == tier_read::outcome::hit) {
    const duration left = asked.entry.fresh_for;
    const duration every = options_.keep_fresh.every;
    const duration lead = (asked.entry.absent ? policy.negative_ttl : policy.ttl) / 5;
    // A renewed entry ends later than the old one, by more than two processes differ about the same one.
    const duration more = (every > duration::zero() ? every : lead) / 2;
    const bool renewed = which->kept_until == time_point{} ||
                         after(asked.asked_at, left) > after(which->kept_until, more);
    if (renewed && left > lead) {
      if (answer value = decode(asked)) {
        settle_hit(which, asked, *std::move(value), policy);
        return false;
      }
    }
    next = {.refresh = true, .unusable = asked.nonce};
  }
  ask_in_background(which, loader, policy, next);
  return false;
}

}  // namespace seawall

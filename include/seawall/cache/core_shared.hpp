// The members of core that speak to the shared tier. Part of core.hpp; not to be included by itself.
//
// A flight whose key is not in the process asks the tier first. A hit ends it; a lease makes its leader load, and the
// tier's answer to the fill ends it; while another process holds the lease it waits; and if the tier fails, it loads as
// if there were none. What is stored in the process then is proved by the tier's feed (flight::proof), or else lives no
// longer than the tier's bound from the moment at which it was surely right.
#pragma once

#include "seawall/cache/core.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace seawall {

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::attach() {
  if (shared()) tier().tier().attach(prefixes_.front(), this->weak_from_this());
  if (!kept_) return;
  kept_->start([self = this->weak_from_this()] {
    if (const auto alive = self.lock()) alive->keep_round();
  });
}

// Names end in a colon and versions have none, so that no prefix is the beginning of another's keys.
template <class K, class V, class Hash, class Eq>
std::vector<std::string> core<K, V, Hash, Eq>::prefixes_of(const cache_options<K, V>& options) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& version) {
    all.push_back(options.name + (version.empty() ? "" : '@' + version) + ':');
  };
  add(options.shared_version);
  for (const std::string& version : options.also_invalidates) {
    if (version != options.shared_version) add(version);
  }
  return all;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::print_names(const K& key, std::vector<std::string>& into) const {
  for (const std::string& prefix : prefixes_) tier().print_key(key, into.emplace_back(prefix));
}

template <class K, class V, class Hash, class Eq>
std::string core<K, V, Hash, Eq>::printed(const K& key) const {
  std::string name = prefixes_.front();
  tier().print_key(key, name);
  return name;
}

template <class K, class V, class Hash, class Eq>
duration core<K, V, Hash, Eq>::lease_time() {
  using std::chrono::seconds;
  // Every question asks for it, and a histogram is long to read. Threads may read it at once, and find the same.
  const time_point now = clock_->coarse_now();
  if (now < lease_time_until_.load(std::memory_order_acquire)) return lease_time_.load(std::memory_order_relaxed);
  const auto times = recorder_.load_time().snapshot();
  const duration wanted = times.count < 8 ? seconds{5} : 4 * times.percentile(99);
  const duration length = std::min(std::clamp<duration>(wanted, seconds{1}, seconds{30}), options_.load_deadline);
  lease_time_.store(length, std::memory_order_relaxed);
  lease_time_until_.store(after(now, std::chrono::milliseconds{100}), std::memory_order_release);
  return length;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::prepare_question(const flight_ptr& which, std::shared_ptr<waiter> asker,
                                            const question_options& how) -> std::shared_ptr<tier_question<core>> {
  auto question = std::make_shared<tier_question<core>>(this->shared_from_this(), which, std::move(asker), how);
  question->key = printed(which->key);
  question->prefix = prefixes_.front();
  question->format = options_.shared_format;
  question->expects_miss = misses_.load(std::memory_order_relaxed) > most_misses / 2;
  return question;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::ask(const flight_ptr& which, std::shared_ptr<waiter> asker, const question_options& how)
    -> std::shared_ptr<tier_question<core>> {
  auto question = prepare_question(which, std::move(asker), how);
  tier().tier().read(question);
  return question;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::decode(const tier_question<core>& asked) -> answer {
  if (asked.entry.absent) return value_ptr<V>{};
  if (!plain() && asked.entry.schema != tier().schema()) return fail(errc::undecodable, "an entry of another schema");
  auto value = tier().decode(asked.entry.payload);
  if (!value) return std::unexpected(std::move(value).error());
  return std::make_shared<const V>(*std::move(value));
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::settle_hit(const flight_ptr& which, const tier_question<core>& asked, value_ptr<V> value,
                                      const entry_policy& policy) -> settlement {
  const time_point now = clock_->now();
  entry_policy rest = policy;
  rest.jitter = 0;
  rest.ttl = rest.negative_ttl = std::max(asked.entry.fresh_for, duration{1});
  outcome came{.value = std::move(value), .tag_events = which->tag_events,
               .version = asked.entry.version, .current_at = asked.asked_at};
  for (const tag_stamp& stamp : asked.entry.tags) {
    if (stamp.tag != 0) came.tags.add(stamp.tag);
  }
  came.times = *came.value ? rest.times_of_value(now, asked.entry.load_time, 0)
                           : rest.times_of_absence(now, asked.entry.load_time, 0);
  if (came.times) {  // its life began when it was stored, and not when this process has taken it
    came.times->written = now - asked.entry.age;
    came.times->refresh_before = rest.refresh_before(after(time_point{asked.entry.age}, rest.ttl).time_since_epoch());
  }
  if (came.times && asked.entry.fresh_for <= duration::zero()) {
    came.times->fresh_until = came.times->fresh_cap = now + asked.entry.fresh_for;
  }
  came.weight = weigh(which->key, *came.value);
  return settle(which, std::move(came), now);
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::limit_unproved(std::optional<local::entry_times>& times, time_point current_at,
                                          time_point now) const {
  if (!times) return;
  const time_point end = after(current_at, tier().tier().bound());
  times->fresh_until = std::min(times->fresh_until, end);
  times->fresh_cap = std::min(times->fresh_cap, end);
  times->stale_for = times->stale_if_error = duration::zero();
  if (times->fresh_until <= now) times.reset();
}

// What other versions of the program store is unknown: their leases may lie beside the keys.
template <class K, class V, class Hash, class Eq>
shared_format core<K, V, Hash, Eq>::format_of_names() const noexcept {
  return prefixes_.size() > 1 ? shared_format::plain : options_.shared_format;
}

// Tags that only the loader named have no generation from before the load, so others could not tell whether they are
// still valid. The next load of the key asks for them.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::may_fill(flight<K, V>& which, outcome& came) {
  if (!which.lease || !came.times) return false;
  if (plain()) {
    // An absence is the lack of a value, which says nothing to others. And whoever wrote the key during the load may
    // know better, even if it has removed what it wrote: nothing else than the news shows that.
    came.refused |= which.outdated.load(std::memory_order_relaxed);
    came.here_only |= *came.value == nullptr;
    if (came.refused || came.here_only) return false;
  }
  const bool stamped = std::ranges::all_of(came.tags.hashes(), [&](std::uint64_t tag) {
    return std::ranges::find(which.stamps, tag, &tag_stamp::tag) != which.stamps.end();
  });
  auto& shard = flights_.shard_of(which.hash);
  const std::lock_guard lock{shard.mutex};
  if (!stamped) {
    count(class_of(which.key), cache_counter::store_failures);
    came.here_only = true;
    shard.remember_named_locked(which.hash, came.tags);
  }
  return stamped && which.phase == flight_phase::loading;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::spare_of(flight<K, V>& which, const std::shared_ptr<waiter>& self,
                                    const entry_policy& policy, std::uint64_t at_least) -> spare_value<V> {
  const std::lock_guard lock{flights_.shard_of(which.hash).mutex};
  const spare_value<V>& there = which.spare;
  if (!there.value || there.version < at_least || which.phase != flight_phase::loading) return {};
  const time_point now = clock_->now();
  const local::proof* proof = which.proof.load(std::memory_order_relaxed);
  const bool proved = proof && proof->covers(now) && tags_.now() == which.tag_events;
  if (!proved || now >= after(there.since, policy.stale_for)) return {};
  which.waiters.erase(self);
  return there;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::set_times(tier_entry& entry, const local::entry_times& times, time_point now) {
  const auto from_now = [&](time_point when) { return when == never ? forever : when - now; };
  entry.fresh_for = from_now(times.fresh_cap);
  entry.keep_for = from_now(after(times.fresh_cap, std::max(times.stale_for, times.stale_if_error)));
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::fill(const flight_ptr& which, outcome came) -> settlement {
  const time_point now = clock_->now();
  std::string payload;
  try {
    if (*came.value) tier().encode(**came.value, payload);
  } catch (...) {  // the value's codec: this process has it, the others must load it
    count(class_of(which->key), cache_counter::store_failures);
    came.here_only = true;
    return settle(which, std::move(came), now);
  }
  // Those that a loader named before, and now did not, are not the entry's.
  std::erase_if(which->stamps, [&](const tag_stamp& stamp) {
    return stamp.tag != 0 && std::ranges::find(came.tags.hashes(), stamp.tag) == came.tags.hashes().end();
  });
  settlement given{fate::filling, came.value, came.version};
  const local::entry_times times = *came.times;
  auto what = std::make_shared<tier_filling<core>>(this->shared_from_this(), which, std::move(came));
  what->key = printed(which->key);
  what->refresh = which->refreshes_tier;
  what->format = options_.shared_format;
  what->entry.absent = !*given.value;
  what->entry.version = given.version;
  what->entry.schema = tier().schema();
  set_times(what->entry, times, now);
  what->entry.load_time = now - which->started;
  what->entry.tags = std::move(which->stamps);
  what->entry.payload = std::move(payload);
  what->lease = *std::exchange(which->lease, std::nullopt);
  end_leading(*which);
  if (!which->alone) {  // its leader has the new value from now on: nobody here is to get the old one after that
    const std::lock_guard lock{flights_.shard_of(which->hash).mutex};
    engine_.erase(which->key, which->hash, now, removal_cause::replaced);
    what->unhurried = which->waiters.empty();  // who joins later hurries it
  }
  tier().tier().fill(std::move(what));
  return given;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::finish_fill(const flight_ptr& which, outcome came, const tier_fill& told) noexcept {
  try {
    came.refused = !told.accepted && !told.failure;
    came.stored = told.accepted;
    came.unconfirmed = came.unconfirmed && !told.accepted;
    if (told.failure && *told.failure == errc::invalid_argument) {  // it is too large
      came.here_only = true;
      count(class_of(which->key), cache_counter::store_failures);
    }
    settle(which, std::move(came), clock_->now());
  } catch (...) {  // out of memory
    forsake(which);
  }
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::release(const std::string& name, const tier_nonce& lease, bool refresh) noexcept {
  try {
    if (plain()) tier().tier().release_plain(name, lease);
    else tier().tier().release(name, lease, refresh);
  } catch (...) {  // out of memory: the lease ends by itself
  }
}

// What was read of the key before is not to be kept: neither the entry, nor what a flight is about to store.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::on_changed(std::string_view printed_key) noexcept {
  try {
    const result<K> key = tier().parse_key(printed_key);
    if (!key) return;  // not a key of this cache
    const std::size_t hash = hash_of(*key);
    std::shared_ptr<waiter> looks_again;
    bool used = false;
    {
      auto& shard = flights_.shard_of(hash);
      const std::lock_guard lock{shard.mutex};
      used = was_in_use(*key, hash);
      if (const flight_ptr there = shard.find_locked(*key, hash)) {
        there->proof.store(nullptr, std::memory_order_relaxed);
        there->outdated.store(true, std::memory_order_relaxed);
        looks_again = std::move(there->looks_again);
      }
      bool stays = false;
      engine_.read(*key, hash, clock_->coarse_now(), [&](local::entry<V>& item, local::entry_header&) {
        stays = !plain() && item.proved_by == &here_only_;  // plain leases lie beside the key
        return false;
      });
      if (!stays) engine_.erase(*key, hash, clock_->coarse_now(), removal_cause::invalidated);
    }
    if (looks_again) looks_again->wake();
    if (kept_) kept_->hurry(hash, used);
    engine_.tidy();
  } catch (...) {  // out of memory, or the user's hash: one key cannot be found, so all go
    on_all_changed();
  }
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::on_tag_changed(std::uint64_t tag) noexcept {
  if (tag == 0) return on_all_changed();
  try {
    tags_.invalidate(tag);
  } catch (...) {  // out of memory
    on_all_changed();
  }
}

// A feed is lost, or another server answers. What a flight has in hand is not kept either, and is loaded again: others
// of this process may have got something newer meanwhile, and whoever joined since must not get what is older.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::on_all_changed() noexcept {
  tags_.invalidate_all();
  for (auto& shard : flights_.shards()) {
    const std::lock_guard lock{shard.mutex};
    for (auto& [key, there] : shard.flights) there->proof.store(nullptr, std::memory_order_relaxed);
  }
  engine_.clear(removal_cause::invalidated);
}

}  // namespace seawall

// The members of core that open and end flights. Part of core.hpp; not to be included by itself.
#pragma once

#include "seawall/cache/core.hpp"

#include <algorithm>
#include <string>

namespace seawall {

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::admit(const K& key, std::size_t hash, const request& how) -> admission {
  for (const auto* load = detail::current_load(); load; load = load->outer()) {
    if (load->is_running() && load->cache() == this && equal_(*static_cast<const K*>(load->key()), key)) {
      const std::string why = "cache '" + options_.name + "': a loader asked for the key it is loading";
      return {.is = admitted::refused, .why = error{errc::recursive_load, why}};
    }
  }
  const time_point now = clock_->now();
  admission outcome{.is = admitted::leads};
  if (how.alone) {
    outcome.flight = open_alone(key, hash, how, now);
    return outcome;
  }
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    if (flight_ptr there = shard.find_locked(key, hash)) {
      if (how.refresh || !how.joins) return {.is = admitted::busy};
      there->waiters.insert(how.joins);
      return {.is = admitted::joins, .flight = std::move(there)};
    }
    // Another load may have filled the entry. Without a flight in the table only a put can change it now, and that
    // takes this mutex.
    lookup<V> found = look(key, hash, false);  // sets no timer; the caller's own look was noted
    // A refresh goes on for the entry that asked for it; XFetch's dice are not thrown a second time.
    if (found.servable() && found.version >= how.at_least && !(how.refresh && found.written == how.replaces)) {
      return {.is = admitted::answered, .found = std::move(found)};
    }
    if (const failure_record* failed = shard.find_failure_locked(key, hash, now)) {
      return {.is = admitted::refused, .found = std::move(found), .why = failed->last};
    }
    const time_point load_end = after(now, options_.load_deadline);
    const bool leader_bound = how.leader_deadline < load_end;
    outcome.flight = std::make_shared<flight<K, V>>(key, hash, now, std::min(load_end, how.leader_deadline),
                                                    leader_bound, how.refresh, std::move(found.value),
                                                    std::stop_source{}, tags_.now(), how.tags);
    outcome.flight->at_least = how.at_least;
    outcome.flight->kept = how.kept;
    outcome.flight->previous_version = found.version;
    if (!shard.named.empty()) outcome.flight->expects = shard.named_locked(hash);
    if (how.refresh) {  // the entry keeps its tags
      outcome.flight->early = found.is == standing::fresh || found.is == standing::refresh_due;
      engine_.read(key, hash, now, [&](local::entry<V>& item, local::entry_header&) {
        for (const std::uint64_t tag : item.tags.hashes()) outcome.flight->tags.add(tag);
        return false;
      });
    }
    if (closed_.load()) {
      return {.is = admitted::refused, .why = error{errc::closed, "cache '" + options_.name + "' is being destroyed"}};
    }
    if (!shared()) {
      if (auto full = take_permits(how.batch ? *how.batch : outcome.flight->permits)) {
        return {.is = admitted::refused, .why = std::move(full)};
      }
    }
    if (how.joins_own) outcome.flight->waiters.insert(how.joins);
    shard.flights.try_emplace(local::prehashed<K>{key, hash}, outcome.flight);
  }
  if (shared()) return outcome;
  count_load(*outcome.flight);
  try {
    arm(outcome.flight);
  } catch (...) {
    forsake(outcome.flight);  // a load that nothing would end must not begin
    throw;
  }
  return outcome;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::open_alone(const K& key, std::size_t hash, const request& how, time_point now)
    -> flight_ptr {
  auto opened = std::make_shared<flight<K, V>>(
      key, hash, now, std::min(after(now, options_.load_deadline), how.leader_deadline), false, false, nullptr,
      std::stop_source{}, tags_.now(), how.tags);
  opened->alone = true;
  opened->at_least = how.at_least;
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    opened->expects = shard.named_locked(hash);
  }
  arm(opened);
  return opened;
}

template <class K, class V, class Hash, class Eq>
std::optional<error> core<K, V, Hash, Eq>::take_permits(load_permits& into) {
  const auto full = [&](const bulkhead& what, const char* whose) {
    return error{errc::overloaded, "cache '" + options_.name + "': as many loads are running as " + whose +
                                       " allows (" + std::to_string(what.limit()) + ")"};
  };
  if (!into.of_cache) into.of_cache = bulkhead::try_acquire(loads_);
  if (!into.of_cache) return full(*loads_, "max_concurrent_loads");
  if (!options_.source_bulkhead) return std::nullopt;
  if (!into.of_source) into.of_source = bulkhead::try_acquire(options_.source_bulkhead);
  if (!into.of_source) return full(*options_.source_bulkhead, "source_bulkhead");
  return std::nullopt;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::count_load(flight<K, V>& which) {
  which.counted = true;
  if (shared()) which.load_began = clock_->now();
  const std::size_t key_class = class_of(which.key);
  count(key_class, cache_counter::loads);
  if (which.refresh) count(key_class, cache_counter::refreshes);
  if (which.kept) count(key_class, cache_counter::kept_refreshes);
}

template <class K, class V, class Hash, class Eq>
std::optional<error> core<K, V, Hash, Eq>::begin_load(const flight_ptr& which, load_permits* batch) {
  if (auto full = take_permits(batch ? *batch : which->permits)) {
    forsake(which);
    return full;
  }
  count_load(*which);
  arm(which);
  return std::nullopt;
}

// The timer holds the cache weakly. Its handle is for the leader alone: the timer may fire before it is even known.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::arm(const flight_ptr& which) {
  if (which->give_up_at == never || which->timer != 0) return;
  which->timer = clock_->call_at(which->give_up_at, [self = this->weak_from_this(), which] {
    const auto alive = self.lock();
    if (!alive) return;
    try {
      alive->time_out(which);
    } catch (...) {  // out of memory for the error: the waiters try again
      alive->abandon(which);
    }
  });
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::time_out(const flight_ptr& which) {
  if (which->leader_bound) return abandon(which);
  waiter_set woken;
  {
    auto& shard = flights_.shard_of(which->hash);
    const std::lock_guard lock{shard.mutex};
    if (which->phase != flight_phase::loading && which->phase != flight_phase::superseded) return;
    error reason = load_timed_out();
    if (which->phase == flight_phase::loading) {
      shard.record_failure_locked(which->key, which->hash, reason, clock_->now(), options_.backoff.initial,
                                  options_.backoff.max);
      shard.release_key_locked(*which);
    }
    which->answer = std::unexpected(std::move(reason));
    which->accepted = true;
    which->phase.store(flight_phase::settled, std::memory_order_release);
    woken.swap(which->waiters);
  }
  count(class_of(which->key), cache_counter::load_timeouts);
  if (which->kept) count(class_of(which->key), cache_counter::kept_failures);
  wake(woken);
  which->stop.request_stop();  // last: the user's stop callbacks run here
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::abandon(const flight_ptr& which, bool counts) {
  waiter_set woken;
  {
    auto& shard = flights_.shard_of(which->hash);
    const std::lock_guard lock{shard.mutex};
    if (which->phase != flight_phase::loading && which->phase != flight_phase::superseded) return;
    shard.release_key_locked(*which);
    which->phase = flight_phase::abandoned;
    woken.swap(which->waiters);
  }
  if (counts) count(class_of(which->key), cache_counter::abandoned);
  wake(woken);
  which->stop.request_stop();
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::end_leading(flight<K, V>& which) {
  which.permits = {};
  if (which.lease) release(printed(which.key), *std::exchange(which.lease, std::nullopt), which.refreshes_tier);
  if (which.timer != 0) clock_->cancel(std::exchange(which.timer, 0));
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::complete(const flight_ptr& which, loaded<V> given, const entry_policy& policy)
    -> settlement {
  try {
    const time_point now = clock_->now();
    outcome came = prepare(*which, std::move(given), policy, now);
    if (may_fill(*which, came)) return fill(which, std::move(came));
    return settle(which, std::move(came), now);
  } catch (...) {
    forsake(which);
    throw;
  }
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::prepare(const flight<K, V>& which, loaded<V> given, const entry_policy& policy,
                                   time_point now) -> outcome {
  outcome came{.value = [&]() -> answer {
    if (const error* failure = given.failure()) return std::unexpected(*failure);
    if (!given.is_unmodified()) return std::move(given).value();
    if (which.previous) return which.previous;
    return fail(errc::loader_failed, "the loader answered not_modified, but there was no previous value");
  }()};
  came.unmodified = given.is_unmodified();
  came.version = given.options().version.value_or(came.unmodified ? which.previous_version : 0);
  came.current_at = shared() ? which.load_began : which.started;
  came.unconfirmed = plain();
  came.tag_events = which.tag_events;
  came.tags = which.tags;
  if (!came.value) return came;
  const entry_policy final_policy = policy.with(given.options());
  const double draw = random_.uniform();
  came.times = *came.value ? final_policy.times_of_value(now, now - which.started, draw)
                           : final_policy.times_of_absence(now, now - which.started, draw);
  came.weight = weigh(which.key, *came.value);
  if (which.kept && !came.times) kept_->remove(which.hash);  // nothing is stored that could be kept
  if (came.version != 0 && came.version < which.at_least) came.times.reset();  // there is a newer one
  for (const std::uint64_t tag : given.options().tags.hashes()) {
    if (!came.tags.add(tag)) came.times.reset();  // it could not be invalidated
  }
  return came;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::settle(const flight_ptr& which, outcome came, time_point now) -> settlement {
  waiter_set woken;
  fate end = fate::late;
  const time_point written = came.times ? came.times->written : now;
  {
    auto& shard = flights_.shard_of(which->hash);
    const std::lock_guard lock{shard.mutex};
    // A key that holds nothing is no proof of a bare value: when it is removed again, nobody is told.
    const local::proof* proved_by =
        came.here_only || came.unconfirmed ? nullptr : which->proof.load(std::memory_order_relaxed);
    if (which->phase == flight_phase::loading) {
      std::uint64_t seen = 0;
      const bool has_tags = shared() || !came.tags.empty();  // with a shared tier, that of the whole cache
      if (has_tags && !tags_.valid(came.tags.hashes(), came.tag_events, seen)) came.refused = true;
      const bool has_version = came.version != 0 && came.times && !which->alone;
      if (has_version && came.version < version_locked(which->key, which->hash, now)) came.refused = true;
      end = came.refused ? fate::superseded : fate::accepted;
      if (shared() && !proved_by) limit_unproved(came.times, came.current_at, now);
      if (plain() && came.times) came.times->stale_for = came.times->stale_if_error = duration::zero();
      if (which->outdated.load(std::memory_order_relaxed)) came.times.reset();
      if (!came.value) {
        shard.record_failure_locked(which->key, which->hash, came.value.error(), now, options_.backoff.initial,
                                    options_.backoff.max);
      } else if (!came.refused && !which->alone) {
        shard.forget_failure_locked(which->key, which->hash);
        store_locked(which->key, which->hash, *came.value, came.times, came.weight, now,
                     local::entry_tags{came.tags.hashes(), came.tag_events, came.version},
                     came.here_only ? &here_only_ : proved_by);
      }
      shard.release_key_locked(*which);
    } else if (which->phase == flight_phase::superseded) {
      end = fate::superseded;
    }
    if (end != fate::late) {
      which->answer = came.value;
      which->accepted = end == fate::accepted;
      which->version = came.version;
      which->written = written;
      which->from_source = which->counted;
      which->stored = came.stored;
      if (shared() && !(proved_by && proved_by->covers(now))) {
        which->good_until = after(came.current_at, tier().tier().bound());
      }
      which->phase.store(flight_phase::settled, std::memory_order_release);
      if (!which->waiters.empty()) woken.swap(which->waiters);
    }
  }
  end_leading(*which);
  note_end(*which, end, came, now);
  wake(woken);
  after_store(end == fate::accepted ? came.times : std::nullopt);
  return {end, std::move(came.value), came.version};
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::note_end(const flight<K, V>& which, fate end, const outcome& came, time_point now) {
  const std::size_t key_class = class_of(which.key);
  if (!which.counted) return;  // nothing was loaded: the shared tier had it
  recorder_.load_time().record(now - which.started);
  if (end == fate::superseded) count(key_class, cache_counter::superseded);
  if (end == fate::late) return;
  if (!came.value) count(key_class, cache_counter::load_failures);
  else if (came.unmodified) count(key_class, cache_counter::not_modified);
  if (came.value) return;
  if (which.kept) count(key_class, cache_counter::kept_failures);
  if (which.refresh) warn(log_level::warning, "a refresh failed", came.value.error());
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::warn(log_level level, const char* what, const error& why) const noexcept {
  if (!options_.log) return;
  try {
    options_.log(level, "cache '" + options_.name + "': " + what + ": " + why.message());
  } catch (...) {  // the user's hook; there is nobody to tell
  }
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::store_locked(const K& key, std::size_t hash, const value_ptr<V>& value,
                                        const std::optional<local::entry_times>& times, std::size_t weight,
                                        time_point now, local::entry_tags tags,
                                        const local::proof* proved_by) {
  if (!times) {
    engine_.erase(key, hash, now, removal_cause::replaced);
    return;
  }
  try {
    const local::entry_meta meta{.deadline = engine_deadline(*times), .weight = weight, .moves = true};
    local::entry<V> item{value, *times, std::move(tags), proved_by};
    if (kept_) item.watch();
    engine_.put(key, hash, std::move(item), meta, now);
  } catch (...) {
    // Out of memory: the old value must not outlive the new one; the callers get their answer all the same.
    engine_.erase(key, hash, now, removal_cause::replaced);
    count(class_of(key), cache_counter::store_failures);
  }
}

template <class K, class V, class Hash, class Eq>
std::size_t core<K, V, Hash, Eq>::weigh(const K& key, const value_ptr<V>& value) const noexcept {
  // Beside what key and value own: the entry with its times, table, queues and sketch, the value's control block.
  constexpr std::size_t bookkeeping = engine_type::entry_size - sizeof(K) + engine_type::shared_size + 32;
  try {
    if (value && options_.weigher) return std::max<std::size_t>(1, options_.weigher(key, *value));  // 0 would pin it
    return bookkeeping + byte_size(key) + (value ? byte_size(*value) : 0);
  } catch (...) {
    return bookkeeping + sizeof(K) + sizeof(V);  // a weigher of the user's that failed
  }
}

template <class K, class V, class Hash, class Eq>
cache_stats core<K, V, Hash, Eq>::stats() const {
  cache_stats stats;
  stats.name = options_.name;
  recorder_.fill(stats);
  engine_.fill(stats);
  stats.running_loads = loads_->running();
  stats.kept_keys = kept_ ? kept_->size() : 0;
  const time_point now = clock_->now();
  for (const auto& shard : flights_.shards()) {
    const std::lock_guard lock{shard.mutex};
    for (const auto& [key, failure] : shard.failures) stats.failing_keys += now < failure.retry_at ? 1 : 0;
  }
  return stats;
}

}  // namespace seawall

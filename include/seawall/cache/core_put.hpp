// The members of core that store a writer's value, or mark what is there as stale. Part of core.hpp; not to be included
// by itself.
#pragma once

#include "seawall/cache/core.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::put(K key, std::size_t hash, value_ptr<V> value, const entry_policy& policy,
                               const tag_list& tags, std::uint64_t version) {
  const time_point now = clock_->now();
  const auto times = value ? policy.times_of_value(now, duration::zero(), random_.uniform())
                           : policy.times_of_absence(now, duration::zero(), random_.uniform());
  if (shared()) {
    if (version != 0 && times) put_shared(key, hash, value, *times, tags, version);
    else invalidate(key, hash);
    return;
  }
  const std::size_t weight = weigh(key, value);
  waiter_set woken;
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    if (version != 0 && version <= version_locked(key, hash, now)) return;
    shard.supersede_locked(key, hash, woken);
    store_locked(key, hash, value, times, weight, now, local::entry_tags{tags.hashes(), tags_.now(), version});
  }
  wake(woken);
  after_store(times);
}

// Of what may still be served.
template <class K, class V, class Hash, class Eq>
std::uint64_t core<K, V, Hash, Eq>::version_locked(const K& key, std::size_t hash, time_point now) {
  std::uint64_t version = 0;
  engine_.read(key, hash, now, [&](local::entry<V>& item, local::entry_header&) {
    if (trusts(item, now) && now < local::stored_times{item.times}.get().keep_until()) version = item.tags.version();
    return false;
  });
  return version;
}

// A load in progress may have read what is older, so its value is not kept.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::drop_older(const K& key, std::size_t hash, std::uint64_t version) {
  waiter_set woken;
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    shard.supersede_locked(key, hash, woken);
    const time_point now = clock_->now();
    if (version_locked(key, hash, now) < version) engine_.erase(key, hash, now, removal_cause::replaced);
  }
  wake(woken);
  engine_.tidy();
}

// In the process before and after the tier, as an invalidation. The value itself is not kept in the process: nothing
// proves it, and by the time that it could be stored a reader may have been told of a newer one.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::put_shared(const K& key, std::size_t hash, const value_ptr<V>& value,
                                      const local::entry_times& times, const tag_list& tags, std::uint64_t version) {
  const auto what = std::make_shared<awaited<tier_put>>();
  what->caller_waits = true;
  what->key = printed(key);
  try {
    if (value) tier().encode(*value, what->entry.payload);
  } catch (...) {  // the value's codec: others must load it
    count(class_of(key), cache_counter::store_failures);
    invalidate(key, hash);
    return;
  }
  const time_point now = clock_->now();
  set_times(what->entry, times, now);
  what->entry.absent = value == nullptr;
  what->entry.version = version;
  what->entry.schema = tier().schema();
  drop_older(key, hash, version);
  find_stamps(*what, *read_tier(key), tags);
  tier().tier().put(what);
  tier().tier().wait(what->done);
  forget_other_versions(key);
  drop_older(key, hash, version);
}

// An entry belongs to generations from before its load, and the one that is replaced has them. Where they are not
// known, the entry is one that no reader takes: it stands for an invalidation.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::find_stamps(tier_put& what, tier_read& seen, const tag_list& tags) {
  constexpr tag_stamp of_no_generation{};
  auto& known = seen.entry.tags;
  const auto has = [&](std::uint64_t tag) { return std::ranges::find(known, tag, &tag_stamp::tag) != known.end(); };
  const bool all = seen.is == tier_read::outcome::hit && has(0) && std::ranges::all_of(tags.hashes(), has);
  if (all) what.entry.tags = std::move(known);
  else what.entry.tags = {of_no_generation};
}

template <class K, class V, class Hash, class Eq>
std::shared_ptr<tier_read> core<K, V, Hash, Eq>::read_tier(const K& key) {
  const auto what = std::make_shared<awaited<tier_read>>();
  what->caller_waits = true;
  what->key = printed(key);
  what->prefix = prefixes_.front();
  what->takes_lease = false;
  tier().tier().read(what);
  tier().tier().wait(what->done);
  return what;
}

// What another version of the program has stored means something else, and is at most removed.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::forget_other_versions(const K& key) {
  if (prefixes_.size() == 1) return;
  std::vector<std::string> names;
  print_names(key, names);
  names.erase(names.begin());
  forget(std::move(names));
}

// What cannot be marked is removed: a load elsewhere, an entry that changes meanwhile, a tier that does not answer.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::expire_shared(const K& key, std::size_t hash) {
  const bool there = drop(key, hash);
  if (expire_in_tier(*read_tier(key))) {
    forget_other_versions(key);
  } else {
    std::vector<std::string> names;
    print_names(key, names);
    forget(std::move(names));
  }
  drop(key, hash);
  return there;
}

// As a refresh stores its value, over the very entry that was seen; so a refresh under way is refused.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::expire_in_tier(tier_read& seen) {
  const duration kept = std::max(policy_.stale_for, policy_.stale_if_error);
  if (seen.is != tier_read::outcome::hit) return false;
  const auto what = std::make_shared<awaited<tier_fill>>();
  what->caller_waits = true;
  what->key = seen.key;
  what->lease = seen.nonce;
  what->refresh = true;
  what->entry = std::move(seen.entry);
  what->entry.fresh_for = std::min(what->entry.fresh_for, duration::zero());
  what->entry.keep_for = kept == forever ? forever : kept + what->entry.fresh_for;
  if (what->entry.keep_for <= duration::zero()) return false;
  tier().tier().fill(what);
  tier().tier().wait(what->done);
  return what->accepted;
}

}  // namespace seawall

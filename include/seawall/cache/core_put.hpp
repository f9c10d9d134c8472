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
  const auto times = put_call<core>::times_of(*this, value, policy, now);
  if (shared()) {
    if (version != 0 && times && !plain()) put_call<core>::run(*this, key, hash, value, *times, tags, version);
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

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::drop_older(const K& key, std::size_t hash, std::uint64_t version, bool cuts_off_load) {
  waiter_set woken;
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    if (cuts_off_load) shard.supersede_locked(key, hash, woken);  // it may have read what is older
    const time_point now = clock_->now();
    const bool older = version == 0 || version_locked(key, hash, now) < version;
    if (older) engine_.erase(key, hash, now, removal_cause::replaced);
  }
  wake(woken);
  engine_.tidy();
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
std::vector<std::string> core<K, V, Hash, Eq>::names_of_other_versions(const K& key) const {
  std::vector<std::string> names;
  if (prefixes_.size() == 1) return names;
  print_names(key, names);
  names.erase(names.begin());
  return names;
}

// What cannot be marked is removed: a load elsewhere, an entry that changes meanwhile, a tier that does not answer.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::expire_shared(const K& key, std::size_t hash) {
  const bool there = drop(key, hash);
  if (!plain() && expire_in_tier(*read_tier(key))) {
    forget(names_of_other_versions(key));
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

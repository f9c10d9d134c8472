// The members of core that write. Part of core.hpp; not to be included by itself.
#pragma once

#include "seawall/cache/core.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace seawall {

template <class K, class V, class Hash, class Eq>
template <class Q>
bool core<K, V, Hash, Eq>::drop(const Q& key, std::size_t hash) {
  waiter_set woken;
  bool there = false;
  bool used = false;
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    shard.supersede_locked(key, hash, woken);
    used = was_in_use(key, hash);
    there = engine_.erase(key, hash, clock_->coarse_now(), removal_cause::invalidated);
  }
  wake(woken);
  engine_.tidy();
  if (kept_) kept_->hurry(hash, used);
  return there;
}

// In the process both before and after the tier: before, so that nobody here gets the old value from now on, should the
// tier take its time; after, for what was read from the tier in between.
template <class K, class V, class Hash, class Eq>
template <class Q>
bool core<K, V, Hash, Eq>::invalidate(const Q& key, std::size_t hash) {
  const bool there = drop(key, hash);
  if (!shared()) return there;
  std::vector<std::string> names;
  if constexpr (std::same_as<Q, K>) print_names(key, names);
  else print_names(K(key), names);
  forget(std::move(names));
  drop(key, hash);
  return there;
}

template <class K, class V, class Hash, class Eq>
std::size_t core<K, V, Hash, Eq>::invalidate_many(std::span<const K> keys) {
  std::size_t there = 0;
  std::vector<std::string> names;
  for (const K& key : keys) {
    there += drop(key, hash_of(key)) ? 1 : 0;
    if (shared()) print_names(key, names);
  }
  if (!shared() || keys.empty()) return there;
  forget(std::move(names));
  for (const K& key : keys) drop(key, hash_of(key));
  return there;
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::forget(std::vector<std::string> names) {
  if (names.empty()) return;
  const auto what = std::make_shared<awaited<tier_invalidation>>();
  what->keys = std::move(names);
  what->format = format_of_names();
  what->caller_waits = true;
  tier().tier().invalidate(what);
  tier().tier().wait(what->done);
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::begin_invalidate(K key, std::size_t hash, std::move_only_function<void(bool)> then) {
  const bool there = drop(key, hash);
  if (!shared()) return then(there);
  std::vector<std::string> names;
  print_names(key, names);
  auto after = [self = this->shared_from_this(), which = std::move(key), hash, there, end = std::move(then)]() mutable {
    self->drop(which, hash);
    end(there);
  };
  begin_forget(std::move(names), std::move(after));
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::begin_forget(std::vector<std::string> names, std::move_only_function<void()> then) {
  if (names.empty()) return then();
  auto what = std::make_shared<continued<tier_invalidation>>();
  what->format = format_of_names();
  what->keys = std::move(names);
  what->then = std::move(then);
  tier().tier().invalidate(std::move(what));
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::begin_invalidate_tag(std::uint64_t tag, std::move_only_function<void()> then) {
  tags_.invalidate(tag);
  if (!shared() || plain()) return then();
  struct ending {
    std::atomic<std::size_t> left;
    std::move_only_function<void()> then;
  };
  const auto all = std::make_shared<ending>(prefixes_.size(), std::move(then));
  for (const std::string& prefix : prefixes_) {
    auto what = std::make_shared<continued<tier_tag_change>>();
    what->prefix = prefix;
    what->tag = tag;
    what->then = [self = this->shared_from_this(), tag, all] {
      self->tags_.invalidate(tag);
      if (all->left.fetch_sub(1) == 1) all->then();
    };
    tier().tier().change_tag(std::move(what));
  }
}

template <class K, class V, class Hash, class Eq>
template <class Q>
bool core<K, V, Hash, Eq>::expire(const Q& key, std::size_t hash) {
  if (shared()) {
    if constexpr (std::same_as<Q, K>) return expire_shared(key, hash);
    else return expire_shared(K(key), hash);
  }
  waiter_set woken;
  bool there = false;
  bool used = false;
  {
    auto& shard = flights_.shard_of(hash);
    const std::lock_guard lock{shard.mutex};
    shard.supersede_locked(key, hash, woken);
    used = was_in_use(key, hash);
    const time_point now = clock_->now();
    engine_.read(key, hash, now, [&](local::entry<V>& item, local::entry_header& header) {
      local::stored_times stored{item.times};
      there = now < stored.get().keep_until();
      item.expire(now);
      header.set_deadline(engine_deadline(stored.get()));
      return false;
    });
  }
  wake(woken);
  engine_.tidy();
  if (kept_) kept_->hurry(hash, used);
  return there;
}

// A bare value does not say when it was stored: what is not removed is valid.
template <class K, class V, class Hash, class Eq>
bool core<K, V, Hash, Eq>::clear() {
  clear_here();
  if (!shared()) return true;
  bool well = true;
  if (!plain()) change_shared_tag(0);
  else {
    for (const std::string& prefix : prefixes_) {
      const auto gone = tier().tier().remove_prefix(prefix, {.format = shared_format::plain});
      well &= gone.has_value();
      if (!gone) warn(log_level::error, "clear", gone.error());
    }
  }
  clear_here();
  return well;
}

template <class K, class V, class Hash, class Eq>
auto core<K, V, Hash, Eq>::listener_of(const cache_options<K, V>& options) -> typename engine_type::listener {
  if (!options.on_removal) return {};
  return [tell = options.on_removal](const K& key, const local::entry<V>& gone, removal_cause cause) {
    tell(key, gone.value, cause);
  };
}

// As with a key: before, so that nobody here gets it from now on, and after, for what was read in between.
template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::invalidate_tag(std::uint64_t tag) {
  tags_.invalidate(tag);
  if (!shared() || plain()) return;  // what has tags is in processes only, for no longer than D
  change_shared_tag(tag);
  tags_.invalidate(tag);
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::change_shared_tag(std::uint64_t tag) {
  std::vector<std::shared_ptr<awaited<tier_tag_change>>> all;
  for (const std::string& prefix : prefixes_) {
    const auto& what = all.emplace_back(std::make_shared<awaited<tier_tag_change>>());
    what->prefix = prefix;
    what->tag = tag;
    what->caller_waits = true;
    tier().tier().change_tag(what);
  }
  for (const auto& what : all) tier().tier().wait(what->done);
}

template <class K, class V, class Hash, class Eq>
void core<K, V, Hash, Eq>::clear_here() {
  for (auto& shard : flights_.shards()) {
    for (bool more = true; more;) {
      waiter_set woken;
      {
        const std::lock_guard lock{shard.mutex};
        more = shard.supersede_one_locked(woken);
      }
      wake(woken);
    }
  }
  engine_.clear(removal_cause::cleared);
}

}  // namespace seawall

// What is set once for a cache. Every field has a default; `validate` names the first that is out of its range.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/executor.hpp"
#include "seawall/base/log.hpp"
#include "seawall/base/result.hpp"
#include "seawall/cache/bound_loader.hpp"
#include "seawall/cache/bulkhead.hpp"
#include "seawall/cache/fresh_schedule.hpp"
#include "seawall/cache/policy.hpp"
#include "seawall/cache/shared_format.hpp"
#include "seawall/cache/tier_binding.hpp"
#include "seawall/eviction/policy_name.hpp"
#include "seawall/metrics/cache_stats.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace seawall {

/// After a failed load of a key, how long its callers get the same error (or a stale value) without another attempt:
/// `initial`, doubled with each further failure, `max` at most. An invalidation, a put or a success ends it.
struct backoff_options {
  duration initial = std::chrono::milliseconds{50};  ///< 0: no back-off.
  duration max = std::chrono::seconds{5};
};

/// Splits the statistics of one cache by kinds of key. `of` is called on each lookup, so it must be cheap; an index
/// past the names counts as "other".
template <class K>
struct key_classes {
  std::vector<std::string> names;  ///< At most 63, all different, none empty or "other".
  std::function<std::size_t(const K&)> of;
};

template <class K, class V>
struct cache_options {
  std::string name = "cache";          ///< In metrics, logs and errors. 1 to 100 characters.
  std::size_t capacity = 100'000;      ///< Entries; 1 to 2^32.
  std::size_t max_bytes = 0;           ///< Sum of what `weigher` says, above 4095 rounded up by < 1/2048; 0: no limit.
  eviction_policy eviction = eviction_policy::adaptive;  ///< Which entry goes when there is no room.

  // The life of an entry: see policy.hpp for the picture, entry_options for the meaning of each.
  duration ttl = entry_policy{}.ttl;
  double jitter = entry_policy{}.jitter;
  duration sliding = entry_policy{}.sliding;
  duration negative_ttl = entry_policy{}.negative_ttl;
  duration stale_for = entry_policy{}.stale_for;
  duration stale_if_error = entry_policy{}.stale_if_error;
  double refresh_ahead = entry_policy{}.refresh_ahead;
  double xfetch_beta = entry_policy{}.xfetch_beta;
  bool no_store = entry_policy{}.no_store;

  // Loading.
  bound_loader<K, V> loader{};                             ///< For get_or_load without a loader, and refreshes.
  /// Keys in use are loaded anew by `loader` before their entries end. See docs/guide/staleness.md.
  keep_fresh_options keep_fresh{};
  duration deadline = forever;                             ///< How long a caller waits at most.
  duration load_deadline = std::chrono::seconds{30};       ///< How long a load may take before it is given up.
  backoff_options backoff{};
  std::size_t max_concurrent_loads = 128;                  ///< Of this cache; 1 to 65536.
  std::shared_ptr<bulkhead> source_bulkhead{};             ///< A cap shared by all caches of one source.

  /// A store that this cache shares with those of the same name in other processes; none: this process alone. Entries
  /// in the process then mirror it. See docs/guide/shared.md.
  tier_binding<K, V> shared{};
  /// `plain`: the tier holds what the value's codec writes and nothing else, for programs in other languages that use
  /// the same keys. What needs more than a value is kept in the process only, or not to be had: `stale_for` and
  /// `stale_if_error` must be 0. All programs must agree. See docs/guide/plain.md.
  seawall::shared_format shared_format = seawall::shared_format::framed;
  /// Of what the entries mean. It stands in their names in the shared tier, so that programs with another version
  /// neither see nor replace them. Up to 100 characters, none of them ':', '{' or '}'; empty: none.
  std::string shared_version{};
  /// Versions of programs that run at the same time: their entries are removed by this cache's writes too. At most 8;
  /// "" for a program that has none.
  std::vector<std::string> also_invalidates{};

  // Measuring.
  std::function<std::size_t(const K&, const V&)> weigher{};  ///< Bytes of an entry; default: see byte_size.hpp.
  seawall::key_classes<K> key_classes{};
  /// Told of every entry that leaves (null: a cached absence), with the cause; in order for each key, outside all
  /// locks, by the thread that happens to be there. It may call the cache. Must not throw.
  std::function<void(const K&, const value_ptr<V>&, removal_cause)> on_removal{};

  // The world, injectable.
  std::shared_ptr<seawall::clock> clock{};        ///< Default: a steady clock of the cache's own.
  std::shared_ptr<seawall::executor> executor{};  ///< Runs bound loaders; default: a pool of the cache's own.
  log_hook log{};                                 ///< Default: silence.
  std::uint64_t seed = 0;                         ///< Of jitter, XFetch and the hash; 0: from the system.

  entry_policy policy() const {
    return {ttl, jitter, sliding, negative_ttl, stale_for, stale_if_error, refresh_ahead, xfetch_beta, no_store};
  }
};

namespace detail {

/// The part of the options that does not depend on K and V, for validation.
struct plain_options {
  const std::string& name;
  std::size_t capacity;
  duration deadline;
  duration load_deadline;
  backoff_options backoff;
  std::size_t max_concurrent_loads;
  const std::vector<std::string>& class_names;
  bool classifies;
  const std::string& shared_version;
  const std::vector<std::string>& also_invalidates;
  bool stores_plain;
  duration stale_for;
  duration stale_if_error;
  duration sliding;
  const keep_fresh_options& keep_fresh;
  bool has_loader;
};

result<void> validate(const plain_options& options);

}  // namespace detail

/// Nothing, or errc::invalid_argument with a message that names the cache, the field and its range.
template <class K, class V>
result<void> validate(const cache_options<K, V>& options) {
  if (auto plain = detail::validate({options.name, options.capacity, options.deadline, options.load_deadline,
                                     options.backoff, options.max_concurrent_loads, options.key_classes.names,
                                     static_cast<bool>(options.key_classes.of), options.shared_version,
                                     options.also_invalidates,
                                     options.shared_format == shared_format::plain && bool{options.shared},
                                     options.stale_for, options.stale_if_error, options.sliding,
                                     options.keep_fresh, static_cast<bool>(options.loader)});
      !plain) {
    return plain;
  }
  if (auto policy = options.policy().validate(); !policy) {
    return fail(errc::invalid_argument, "cache '" + options.name + "': " + policy.error().message());
  }
  return {};
}

}  // namespace seawall

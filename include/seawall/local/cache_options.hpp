// What is set once for a local_cache, and what may be set for one of its entries.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"
#include "seawall/eviction/policy_name.hpp"
#include "seawall/metrics/cache_stats.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace seawall {

template <class K, class V>
struct local_cache_options {
  std::string name = "local";      ///< In metrics and errors. 1 to 100 characters.
  std::size_t capacity = 100'000;  ///< Entries that are not pinned; 1 to 2^32.
  std::size_t max_weight = 0;      ///< Sum of what `weigher` says, above 4095 rounded up by < 1/2048; 0: no limit.
  eviction_policy policy = eviction_policy::adaptive;

  duration ttl = forever;              ///< From the moment an entry is stored; > 0.
  duration idle = duration::zero();    ///< Each use moves the deadline to now + idle, in place of `ttl`; 0: off.
  duration stale_for = duration::zero();  ///< After that it is stale: `find` still gives it, `get` does not.

  /// What an entry weighs; 0: it is pinned. Default: 1, or, with `max_weight`, its bytes, with
  /// what key and value own and the bookkeeping.
  std::function<std::size_t(const K&, const V&)> weigher{};
  /// Told of every entry that leaves, with the cause; in order for each key, outside all locks, by the thread that
  /// happens to be there. It may call the cache. Must not throw.
  std::function<void(const K&, const V&, removal_cause)> on_removal{};

  std::shared_ptr<seawall::clock> clock{};  ///< Default: a steady clock of the cache's own.
  std::uint64_t seed = 0;                   ///< Of hash and policy; 0: from the system.
};

/// For one entry; what is unset comes from the cache.
struct put_options {
  std::optional<duration> ttl{};        ///< <= 0: not stored, and what was there is removed.
  std::optional<duration> idle{};
  std::optional<duration> stale_for{};
  bool pinned = false;                  ///< Never evicted, does not count against the limits; expires all the same.
};

namespace detail {

result<void> validate_local(const std::string& name, std::size_t capacity, duration ttl, duration idle,
                            duration stale_for);

}  // namespace detail

/// Nothing, or errc::invalid_argument with a message that names the cache, the field and its range.
template <class K, class V>
result<void> validate(const local_cache_options<K, V>& options) {
  return detail::validate_local(options.name, options.capacity, options.ttl, options.idle, options.stale_for);
}

}  // namespace seawall

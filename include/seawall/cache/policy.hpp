// How long an entry lives and what it may be used for. Two forms: `entry_options` (per call, or decided by the loader;
// whatever is unset comes from the cache) and `entry_policy` (nothing unset).
//
// The times of one entry, from the moment it is stored:
//
//   |<------------- ttl, less jitter ------------->|<-- stale_for -->|
//   |                      |<--- refresh_ahead --->|<------ stale_if_error ------>|
//   written                                   fresh_until                    forgotten
//
// So a caller never gets a value older than ttl + stale_for, or than ttl + stale_if_error while the source is failing,
// and never one that was invalidated.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/random.hpp"
#include "seawall/base/result.hpp"
#include "seawall/cache/consistency.hpp"
#include "seawall/cache/served.hpp"
#include "seawall/local/entry.hpp"
#include "seawall/local/tags.hpp"

#include <cstdint>
#include <optional>
#include <type_traits>

namespace seawall {

/// Per entry: for one call, or set by a loader for the entry it answers with. A value out of its range is taken to the
/// nearest limit. Trivially destructible, so that a braced temporary is safe inside a co_await expression with GCC 12.
struct entry_options {
  std::optional<duration> ttl{};             ///< Time to live; <= 0: not stored; `forever`: no TTL.
  std::optional<double> jitter{};            ///< 0..1: up to this share is taken off the TTL, at random; never added.
  std::optional<duration> sliding{};         ///< Idle time: each use renews it, up to `ttl` after the write; 0: off.
  std::optional<duration> negative_ttl{};    ///< TTL of "not found"; <= 0: not stored.
  std::optional<duration> stale_for{};       ///< After the TTL: served while one refresh runs.
  std::optional<duration> stale_if_error{};  ///< After the TTL: served when the load fails.
  std::optional<double> refresh_ahead{};     ///< 0..1: a use in this last share of the TTL starts a refresh.
  std::optional<double> xfetch_beta{};       ///< XFetch's beta; 1 is the paper's choice; 0: off.
  std::optional<bool> no_store{};            ///< Answer the callers, store nothing, and drop what was stored.
  std::optional<seawall::consistency> consistency{};  ///< Default: `any`. For a call.
  tag_list tags{};                           ///< Of the entry, for `invalidate_tag`; a loader's are added to a call's.
  /// Of the row, given by the source and growing with its commits; > 0. For a loader's answer, and for put.
  std::optional<std::uint64_t> version{};
  served* report = nullptr;                  ///< Is told how the answer came. For a call of a single key.
  std::optional<duration> deadline{};        ///< How long this caller waits at most; <= 0: answers from the cache only.
};

static_assert(std::is_trivially_destructible_v<entry_options>);

/// Of calls that say nothing. One object for all: to set up so many fields takes as long as a hit.
inline constexpr entry_options no_entry_options{};

/// Per entry with every choice made; the defaults here are the defaults of a cache.
struct entry_policy {
  duration ttl = std::chrono::minutes{5};
  double jitter = 0.1;
  duration sliding = duration::zero();
  duration negative_ttl = std::chrono::seconds{60};
  duration stale_for = duration::zero();
  duration stale_if_error = duration::zero();
  double refresh_ahead = 0;
  double xfetch_beta = 0;
  bool no_store = false;

  /// This policy with what `options` sets in its place, within limits.
  entry_policy with(const entry_options& options) const;

  /// The first field that is out of its range, with the range, as errc::invalid_argument.
  result<void> validate() const;

  /// The times of a value stored at `now` that took `load_time` to load; nothing when it is not to be stored.
  /// `draw` in [0, 1) decides the jitter.
  std::optional<local::entry_times> times_of_value(time_point now, duration load_time, double draw) const;

  /// The same for a cached absence: it has its own TTL, is never extended by use and never served on error.
  std::optional<local::entry_times> times_of_absence(time_point now, duration load_time, double draw) const;

  /// Of an entry that lives so long: the last part of it, in which a use starts a refresh; 0: none does.
  duration refresh_before(duration life) const noexcept;
};

/// What an entry may be used for at one moment.
enum class standing {
  missing,      ///< Nothing usable is there.
  fresh,        ///< Return it.
  refresh_due,  ///< Return it; a refresh should be started.
  stale,        ///< Return it while a refresh runs.
  on_error,     ///< Return it only if a load fails.
};

/// The standing of an entry at `now`. `random` decides XFetch's draw and is asked only where the draw can matter.
standing standing_at(const local::entry_times& times, time_point now, random_source& random);

}  // namespace seawall

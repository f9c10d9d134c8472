// cache_stats: everything a cache counts, as plain data; what cache::stats() returns.
//
// Counters start at 0 when the cache is made and only grow; a rate is the difference of two readings. Every lookup
// (each key of a get, a get_or_load or a get_many) counts exactly once as hits, negative_hits, stale_served or misses.
// The numbers are read one after another while the cache works, so sums that hold at rest (loads and their outcomes,
// for example) may be off by what was in progress.
//
// `counter_table`, `gauge_table` and `removal_cause_table` are the one list of these numbers: names, help sentences and
// fields. The Prometheus exposition and the table in docs/guide/metrics.md are derived from them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/metrics/histogram.hpp"

namespace seawall {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // GCC 12: cache_counter::not_modified "shadows" seawall::not_modified

/// The counters kept per key class, in the order of `counter_table`.
enum class cache_counter : std::uint8_t {
  hits,
  negative_hits,
  stale_served,
  misses,
  loads,
  refreshes,
  coalesced,
  not_modified,
  load_failures,
  load_timeouts,
  abandoned,
  superseded,
  unlinearized_reads,
  backoff_rejections,
  overload_rejections,
  caller_timeouts,
  store_failures,
  shared_hits,
  kept_refreshes,
  kept_failures,
  kept_stops,
};

#pragma GCC diagnostic pop

/// The counters of one key class, or of a whole cache. What each field means is in `counter_table`.
struct class_stats {
  std::string name = {};
  std::uint64_t hits = 0;
  std::uint64_t negative_hits = 0;
  std::uint64_t stale_served = 0;
  std::uint64_t misses = 0;
  std::uint64_t loads = 0;
  std::uint64_t refreshes = 0;
  std::uint64_t coalesced = 0;
  std::uint64_t not_modified = 0;
  std::uint64_t load_failures = 0;
  std::uint64_t load_timeouts = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t superseded = 0;
  std::uint64_t unlinearized_reads = 0;
  std::uint64_t backoff_rejections = 0;
  std::uint64_t overload_rejections = 0;
  std::uint64_t caller_timeouts = 0;
  std::uint64_t store_failures = 0;
  std::uint64_t shared_hits = 0;
  std::uint64_t kept_refreshes = 0;
  std::uint64_t kept_failures = 0;
  std::uint64_t kept_stops = 0;

  /// Lookups that the cache answered itself.
  std::uint64_t answered() const noexcept { return hits + negative_hits + stale_served; }
  std::uint64_t lookups() const noexcept { return answered() + misses; }
  /// answered() / lookups(), within 0..1; 0 when nothing was asked.
  double hit_rate() const noexcept;
  /// Adds the counters of `other`; the name stays.
  void merge(const class_stats& other) noexcept;

  friend bool operator==(const class_stats&, const class_stats&) = default;
};

/// One row of `counter_table`.
struct counter_info {
  cache_counter id;
  std::uint64_t class_stats::*field;
  std::string_view name;  ///< the field's name; Prometheus: seawall_cache_<name>_total
  std::string_view help;
};

inline constexpr auto counter_table = std::to_array<counter_info>({
    {cache_counter::hits, &class_stats::hits, "hits", "Lookups answered with a fresh value."},
    {cache_counter::negative_hits, &class_stats::negative_hits, "negative_hits",
     "Lookups answered with a fresh cached absence."},
    {cache_counter::stale_served, &class_stats::stale_served, "stale_served",
     "Lookups answered with a stale value, because a refresh was running or the source failed."},
    {cache_counter::misses, &class_stats::misses, "misses", "Lookups that the cache could not answer itself."},
    {cache_counter::loads, &class_stats::loads, "loads", "Loads started, refreshes included."},
    {cache_counter::refreshes, &class_stats::refreshes, "refreshes",
     "Loads started for an entry that could still be served: in the background, or early."},
    {cache_counter::coalesced, &class_stats::coalesced, "coalesced",
     "Callers that joined a load in progress instead of starting one."},
    {cache_counter::not_modified, &class_stats::not_modified, "not_modified",
     "Loads that confirmed the old value."},
    {cache_counter::load_failures, &class_stats::load_failures, "load_failures",
     "Loads that ended with an error or an exception, timeouts not included."},
    {cache_counter::load_timeouts, &class_stats::load_timeouts, "load_timeouts",
     "Loads given up because they ran longer than the load deadline."},
    {cache_counter::abandoned, &class_stats::abandoned, "abandoned",
     "Loads given up because the operation that ran them was cancelled or destroyed."},
    {cache_counter::superseded, &class_stats::superseded, "superseded",
     "Loads whose value was not stored because the key was invalidated or written meanwhile."},
    {cache_counter::unlinearized_reads, &class_stats::unlinearized_reads, "unlinearized_reads",
     "Answers from a load that was cut off by repeated invalidations, or given up."},
    {cache_counter::backoff_rejections, &class_stats::backoff_rejections, "backoff_rejections",
     "Lookups refused because the key's last load failed and its backoff had not passed."},
    {cache_counter::overload_rejections, &class_stats::overload_rejections, "overload_rejections",
     "Lookups refused because the cap on concurrent loads was reached."},
    {cache_counter::caller_timeouts, &class_stats::caller_timeouts, "caller_timeouts",
     "Callers whose own deadline passed before an answer was there."},
    {cache_counter::store_failures, &class_stats::store_failures, "store_failures",
     "Values that could not be stored, for want of memory, for their tags or their length."},
    {cache_counter::shared_hits, &class_stats::shared_hits, "shared_hits",
     "Lookups that the shared tier answered, which count as hits or negative_hits too."},
    {cache_counter::kept_refreshes, &class_stats::kept_refreshes, "kept_refreshes",
     "Loads that `keep_fresh` started, which count as refreshes too."},
    {cache_counter::kept_failures, &class_stats::kept_failures, "kept_failures",
     "Loads that `keep_fresh` started and that failed or ran out of time."},
    {cache_counter::kept_stops, &class_stats::kept_stops, "kept_stops",
     "Keys that `keep_fresh` gave up because nobody used them any more."},
});

inline constexpr std::size_t counter_count = counter_table.size();

/// Why an entry left the cache.
enum class removal_cause : std::uint8_t { capacity, expired, replaced, invalidated, cleared };

/// One row of `removal_cause_table`.
struct removal_cause_info {
  removal_cause id;
  std::string_view name;
  std::string_view help;
};

inline constexpr auto removal_cause_table = std::to_array<removal_cause_info>({
    {removal_cause::capacity, "capacity", "Entries evicted to keep within capacity or max_bytes."},
    {removal_cause::expired, "expired", "Entries removed because their time had passed."},
    {removal_cause::replaced, "replaced", "Values replaced by a newer one of the same key."},
    {removal_cause::invalidated, "invalidated", "Entries removed by an invalidation."},
    {removal_cause::cleared, "cleared", "Entries removed by clear."},
});

/// What cache::stats() returns.
struct cache_stats {
  std::string name = {};
  class_stats total = {};                 ///< the sum of `classes`
  std::vector<class_stats> classes = {};  ///< one per key class; at least one
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t capacity = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t running_loads = 0;
  std::uint64_t failing_keys = 0;
  std::uint64_t kept_keys = 0;
  std::array<std::uint64_t, removal_cause_table.size()> evictions{};  ///< by removal_cause; see evicted()
  histogram_snapshot load_time = {};    ///< every load that ended, from its start to its end
  histogram_snapshot lookup_time = {};  ///< looking into the cache, without loading; about 1 in 64 lookups

  std::uint64_t evicted(removal_cause cause) const noexcept { return evictions[static_cast<std::size_t>(cause)]; }
  std::uint64_t& evicted(removal_cause cause) noexcept { return evictions[static_cast<std::size_t>(cause)]; }

  /// Adds the numbers of another cache (gauges and limits too); classes are matched by name. The name stays.
  void merge(const cache_stats& other);
};

/// One row of `gauge_table`.
struct gauge_info {
  std::uint64_t cache_stats::*field;
  std::string_view name;  ///< the field's name; Prometheus: seawall_cache_<name>
  std::string_view help;
};

inline constexpr auto gauge_table = std::to_array<gauge_info>({
    {&cache_stats::entries, "entries", "Entries in the cache, cached absences and stale entries included."},
    {&cache_stats::bytes, "bytes", "Bytes that the entries take, as the cache's weigher counts them."},
    {&cache_stats::capacity, "capacity", "The limit on entries."},
    {&cache_stats::max_bytes, "max_bytes", "The limit on bytes; 0 is no limit."},
    {&cache_stats::running_loads, "running_loads", "Loads in progress."},
    {&cache_stats::failing_keys, "failing_keys", "Keys whose last load failed and that are in backoff."},
    {&cache_stats::kept_keys, "kept_keys", "Keys that `keep_fresh` loads anew before their entries end."},
});

// A field of class_stats without a row here, or a row out of order, does not compile.
static_assert(sizeof(class_stats) == sizeof(std::string) + counter_count * sizeof(std::uint64_t));
static_assert([] {
  for (std::size_t i = 0; i < counter_count; ++i)
    if (static_cast<std::size_t>(counter_table[i].id) != i) return false;
  for (std::size_t i = 0; i < removal_cause_table.size(); ++i)
    if (static_cast<std::size_t>(removal_cause_table[i].id) != i) return false;
  return true;
}());

}  // namespace seawall

// What a shared tier counts.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/tier/tuning.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seawall {

/// Totals since the tier was made; what each means is in `tier_totals_table`.
struct tier_totals {
  std::uint64_t reads = 0;
  std::uint64_t hits = 0;
  std::uint64_t leases = 0;
  std::uint64_t held = 0;
  std::uint64_t takeovers = 0;
  std::uint64_t fills = 0;
  std::uint64_t rejected_fills = 0;
  std::uint64_t invalidated_keys = 0;
  std::uint64_t undelivered_keys = 0;
  std::uint64_t replayed_keys = 0;
  std::uint64_t tag_changes = 0;
  std::uint64_t puts = 0;
  std::uint64_t prefix_keys = 0;
  std::uint64_t failures_timeout = 0;
  std::uint64_t failures_transport = 0;
  std::uint64_t failures_server = 0;
  std::uint64_t failures_breaker = 0;
  std::uint64_t failures_other = 0;
  std::uint64_t undecodable = 0;
  std::uint64_t changes_told = 0;
  std::uint64_t flushes = 0;
  std::uint64_t connections = 0;
  std::uint64_t reign_changes = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t failed_heartbeats = 0;
  std::uint64_t canaries = 0;
  std::uint64_t lost_canaries = 0;
  std::uint64_t canary_microseconds = 0;
};

/// One row of `tier_totals_table`.
struct tier_total_info {
  std::uint64_t tier_totals::*field;
  std::string_view name;  ///< The field's name; Prometheus: seawall_tier_<name>_total.
  std::string_view help;
};

inline constexpr auto tier_totals_table = std::to_array<tier_total_info>({
    {&tier_totals::reads, "reads", "Reads that began."},
    {&tier_totals::hits, "hits", "Reads that found an entry."},
    {&tier_totals::leases, "leases", "Reads that got the lease, or the right to refresh."},
    {&tier_totals::held, "held", "Reads that found the lease, or the right to refresh, with another caller."},
    {&tier_totals::takeovers, "takeovers",
     "Times that something unusable was replaced by a lease: of an earlier reign, or undecodable."},
    {&tier_totals::fills, "fills", "Entries stored under a lease or a refresh."},
    {&tier_totals::rejected_fills, "rejected_fills",
     "Fills that the store did not take: the key was invalidated or replaced meanwhile."},
    {&tier_totals::invalidated_keys, "invalidated_keys", "Keys whose invalidation was delivered at once."},
    {&tier_totals::undelivered_keys, "undelivered_keys", "Keys whose invalidation could not be delivered at once."},
    {&tier_totals::replayed_keys, "replayed_keys", "Keys (or whole caches) whose invalidation was delivered later."},
    {&tier_totals::tag_changes, "tag_changes", "Tags whose invalidation was delivered at once, whole caches included."},
    {&tier_totals::puts, "puts", "Newer entries that replaced an older one."},
    {&tier_totals::prefix_keys, "prefix_keys", "Keys that remove_prefix has removed."},
    {&tier_totals::failures_timeout, "failures_timeout", "Calls that failed: no answer in time."},
    {&tier_totals::failures_transport, "failures_transport", "Calls that failed: unreachable, connection lost."},
    {&tier_totals::failures_server, "failures_server", "Calls that failed: the server answered an error."},
    {&tier_totals::failures_breaker, "failures_breaker", "Calls that were not made, since calls before them failed."},
    {&tier_totals::failures_other, "failures_other",
     "Calls that failed otherwise: an undelivered invalidation of their key, a value that is too large, the end."},
    {&tier_totals::undecodable, "undecodable", "Reads that found bytes which are no entry."},
    {&tier_totals::changes_told, "changes_told", "Changes of keys that caches were told of."},
    {&tier_totals::flushes, "flushes", "Times that the server forgot everything, or what it was to tell."},
    {&tier_totals::connections, "connections", "Connections that tell of changes."},
    {&tier_totals::reign_changes, "reign_changes",
     "Times that a server's data might have gone back in time: all entries before count as suspect."},
    {&tier_totals::heartbeats, "heartbeats", "Signs of life that the server answered."},
    {&tier_totals::failed_heartbeats, "failed_heartbeats", "Signs of life that it did not."},
    {&tier_totals::canaries, "canaries", "Changes made to see whether the server tells of them, that it told of."},
    {&tier_totals::lost_canaries, "lost_canaries", "The same, that it did not tell of."},
    {&tier_totals::canary_microseconds, "canary_microseconds", "How long it took until they were told, together."},
});

// A field of tier_totals without a row does not compile.
static_assert(sizeof(tier_totals) == tier_totals_table.size() * sizeof(std::uint64_t));

/// The totals, and the present state.
struct tier_stats {
  tier_totals totals{};
  tier::breaker_state breaker = tier::breaker_state::closed;
  tier::breaker_counters breaker_counters{};
  std::size_t undelivered = 0;          ///< Keys (or whole caches) whose invalidation waits for the server.
  duration heartbeat_time{};            ///< How long the last answered heartbeat was on its way.
  duration canary_time{};               ///< How long after the last canary was changed the tier was told.
  duration slowest_canary{};            ///< The longest of these.
  bool deaf = false;                    ///< A connection answers, and does not tell of changes: it proves nothing.
  std::int64_t server_clock_ahead = 0;  ///< Milliseconds: the server's clock (since 1970) minus the tier's clock.
};

}  // namespace seawall

// What a run of many seeds tells.
#pragma once

#include "world.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace simulation {

/// The seed once more, with its last steps.
inline std::string story_of(std::uint64_t seed, std::size_t steps) {
  world again{seed, true};
  const auto broken = again.run(steps);
  return fmt::format("seed {}: {}\n{}    Run it alone: ./dev simulate --first-seed {} --seeds 1 --steps {}\n", seed,
                     broken.value_or("it passes the second time: the run is not one of its seed alone"), again.trace(),
                     seed, steps);
}

/// What must happen in some seed of many, or the simulation proves nothing of the guard behind it.
inline constexpr std::array<std::string_view, 102> sometimes{
    "a batch asks for a version",
    "a batch loaded several keys",
    "a batch passes over what is in its process",
    "a cache was cleared",
    "a change of a tag was not delivered at once",
    "a commit came after its invalidations",
    "a commit that nobody knew of had taken place",
    "a commit was lost",
    "a failover",
    "a key was kept over a failover",
    "a key was kept over a flush",
    "a key was kept over a lost connection",
    "a key was kept over a partition",
    "a key was kept over a stop of a process",
    "a key was kept over the end of a process",
    "a part of a transaction failed",
    "a prefix could not be removed at once",
    "a prefix that was not waited for could not be removed",
    "a prefix was removed",
    "a prefix was removed that nobody waited for",
    "a process died after its commit",
    "a process was killed during a transaction",
    "a process was killed while it relayed",
    "a process was killed while it waited for an invalidation",
    "a put did not block",
    "a read asks for a version",
    "a read passes over what is in its process",
    "a relay did what nobody else had done",
    "a tag changed during a load",
    "a tag changed while there was a lease",
    "a tag changed while there was an entry with it",
    "a transaction invalidated",
    "a transaction put a value",
    "a transaction was rolled back",
    "a write that nobody had invalidated was outlived",
    "an entry is not served any more",
    "an invalidation was not delivered at once",
    "an invalidation was waited for",
    "an outbox was replayed",
    "another program removed a value",
    "another program stored a value",
    "breaker: opened",
    "cache: abandoned",
    "cache: caller_timeouts",
    "cache: coalesced",
    "cache: hits",
    "cache: kept_failures",
    "cache: kept_refreshes",
    "cache: kept_stops",
    "cache: load_failures",
    "cache: load_timeouts",
    "cache: negative_hits",
    "cache: refreshes",
    "cache: shared_hits",
    "cache: stale_served",
    "cache: store_failures",
    "cache: superseded",
    "cache: unlinearized_reads",
    "database: conflicts",
    "database: lost connections",
    "entries with tags outlived their connection",
    "keys were kept when nobody read any more",
    "link: late_commands",
    "link: repeated",
    "link: tags_told",
    "link: timeouts",
    "link: unknown",
    "nobody hears of changes",
    "plain values could not be cleared",
    "relay: poisoned",
    "relay: rows removed",
    "relay: undelivered",
    "server: a lease ended",
    "server: expired",
    "server: no_script",
    "server: pushes",
    "server: read_only",
    "server: refused_for_memory",
    "the record of a tag was evicted",
    "tier: changes_told",
    "tier: connections",
    "tier: failed_heartbeats",
    "tier: failures_breaker",
    "tier: failures_other",
    "tier: failures_server",
    "tier: failures_timeout",
    "tier: failures_transport",
    "tier: fills",
    "tier: flushes",
    "tier: heartbeats",
    "tier: held",
    "tier: hits",
    "tier: invalidated_keys",
    "tier: leases",
    "tier: puts",
    "tier: reign_changes",
    "tier: rejected_fills",
    "tier: replayed_keys",
    "tier: tag_changes",
    "tier: takeovers",
    "tier: undelivered_keys",
    "what was stored had an old tag",
};

/// Which of them never did.
inline std::vector<std::string_view> never_seen(const coverage& all) {
  std::vector<std::string_view> missing;
  for (const std::string_view name : sometimes) {
    const auto found = all.find(std::string(name));
    if (found == all.end() || found->second == 0) missing.push_back(name);
  }
  return missing;
}

}  // namespace simulation

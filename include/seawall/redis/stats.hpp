// What a client counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace seawall::redis {

/// Totals since the client was made. What each field means is in `stats_table`.
struct stats {
  std::uint64_t commands = 0;
  std::uint64_t failures = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t retries = 0;
  std::uint64_t redirects = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t disconnects = 0;
  std::uint64_t writes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t pushes = 0;
  std::uint64_t topology_refreshes = 0;
};

/// One row of `stats_table`.
struct stats_info {
  std::uint64_t stats::*field;
  std::string_view name;  ///< the field's name; Prometheus: seawall_redis_<name>_total
  std::string_view help;
};

/// The one list of these numbers: the Prometheus exposition and the table in docs/guide/redis.md are derived from it.
inline constexpr auto stats_table = std::to_array<stats_info>({
    {&stats::commands, "commands", "Commands that ended, well or not."},
    {&stats::failures, "failures",
     "Commands that ended without a reply: timeout, cancellation, lost connection, full queue."},
    {&stats::timeouts, "timeouts", "Commands whose time was over before their reply came."},
    {&stats::retries, "retries", "Commands written once more."},
    {&stats::redirects, "redirects", "MOVED and ASK followed."},
    {&stats::connects, "connects", "Connections that became ready."},
    {&stats::connect_failures, "connect_failures", "Attempts to connect that failed."},
    {&stats::disconnects, "disconnects", "Connections that were ready and were lost."},
    {&stats::writes, "writes", "System calls that sent; commands per write is the size of a batch."},
    {&stats::sent_bytes, "sent_bytes", "Bytes sent."},
    {&stats::received_bytes, "received_bytes", "Bytes received."},
    {&stats::pushes, "pushes", "Out-of-band messages: invalidations, published messages."},
    {&stats::topology_refreshes, "topology_refreshes",
     "Times that the map of a cluster, or the primary behind Sentinel, was asked for."},
});

// A field of stats without a row does not compile.
static_assert(sizeof(stats) == stats_table.size() * sizeof(std::uint64_t));

/// The counters behind `stats`. One thread at a time adds; any may read.
class stats_counters {
 public:
  class counter {
   public:
    void add(std::uint64_t n = 1) noexcept {
      value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

   private:
    std::atomic<std::uint64_t> value_{0};
  };

  counter commands, failures, timeouts, retries, redirects, connects, connect_failures, disconnects, writes, sent_bytes,
      received_bytes, pushes, topology_refreshes;

  stats read() const noexcept {
    return {commands.get(), failures.get(), timeouts.get(), retries.get(), redirects.get(), connects.get(),
            connect_failures.get(), disconnects.get(), writes.get(), sent_bytes.get(), received_bytes.get(),
            pushes.get(), topology_refreshes.get()};
  }
};

}  // namespace seawall::redis

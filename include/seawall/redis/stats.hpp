// What a client counts.
#pragma once

#include <atomic>
#include <cstdint>

namespace seawall::redis {

/// Totals since the client was made.
struct stats {
  std::uint64_t commands = 0;          ///< Ended, well or not.
  std::uint64_t failures = 0;          ///< Ended without a reply: timeout, cancellation, lost connection, full queue.
  std::uint64_t timeouts = 0;
  std::uint64_t retries = 0;           ///< Commands written once more.
  std::uint64_t redirects = 0;         ///< MOVED and ASK followed.
  std::uint64_t connects = 0;          ///< Connections that became ready.
  std::uint64_t connect_failures = 0;
  std::uint64_t disconnects = 0;
  std::uint64_t writes = 0;            ///< System calls that sent: commands / writes is the size of a batch.
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t pushes = 0;            ///< Out-of-band messages: invalidations, published messages.
  std::uint64_t topology_refreshes = 0;
};

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

  counter commands, failures, timeouts, retries, redirects, connects, connect_failures, disconnects, writes, bytes_sent,
      bytes_received, pushes, topology_refreshes;

  stats read() const noexcept {
    return {commands.get(), failures.get(), timeouts.get(), retries.get(), redirects.get(), connects.get(),
            connect_failures.get(), disconnects.get(), writes.get(), bytes_sent.get(), bytes_received.get(),
            pushes.get(), topology_refreshes.get()};
  }
};

}  // namespace seawall::redis

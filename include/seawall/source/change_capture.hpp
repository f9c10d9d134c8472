// change_capture: invalidates what changes in PostgreSQL, whoever changes it: psql, another service, a migration.
//
//   seawall::change_capture capture{{.url = "postgres://...", .slot = "seawall_shop", .create = true}};
//   capture.table("products").key(products, "id");
//   capture.table("prices").key(products, "product_id").tag(lists, sql::table_tag("prices"));
//   if (auto started = capture.start(); !started) return started.error();
//
// It reads the server's own log by logical replication, through a slot, which keeps on the server what was not
// confirmed: after a crash nothing is missed, and what comes twice invalidates twice. What a transaction makes stale is
// invalidated after its commit, as soon as other transactions see it; what was rolled back never arrives.
// Where there is no way to know what was missed (a new slot, a slot that the server has lost, a backlog beyond the
// limit), every mapped cache is cleared.
// The server: wal_level = logical, a role with REPLICATION, not a replica. A slot belongs to one running capture;
// others with its name wait until it is free, and go on where it was. Processes without a shared tier need a slot each.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/log.hpp"
#include "seawall/source/captured_table.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace seawall {

struct capture_options {
  std::string url{};  ///< As postgres::options::url. One primary, not a pooler.
  /// The replication slot: lower case letters, digits and underscores, 1 to 59. It is created if it is not there.
  std::string slot{};
  std::string publication = "seawall";  ///< The tables whose changes are sent. 1 to 63 bytes, without quotes.
  /// Creates the publication if it is not there, and adds mapped tables to it. The role must own them.
  bool create = false;
  /// Of the log of the server, not confirmed. Beyond it the slot is dropped, so that the server's disk is spared, all
  /// mapped caches are cleared, and a new slot is made. At least 1 MiB.
  std::uint64_t max_lag_bytes = std::uint64_t{1} << 30;
  /// What one transaction makes stale; if it is more, its commit clears all mapped caches. At least 1.
  std::size_t max_steps = 100'000;
  duration connect_timeout = std::chrono::seconds{5};     ///< At least 1 ms.
  /// For each statement of the set-up; at least 1 ms. A new slot waits for the transactions that are running.
  duration statement_timeout = std::chrono::seconds{30};
  /// Without a word from the server for so long, the connection is given up. At least 1 ms. While the server reads a
  /// large transaction in its log, it may be silent.
  duration silence = std::chrono::seconds{60};
  duration status_every = std::chrono::seconds{1};        ///< How often the place is confirmed; at least 1 ms.
  duration first_retry = std::chrono::milliseconds{100};  ///< After a failure; twice as long each time. At least 1 ms.
  duration max_retry = std::chrono::seconds{10};
  /// Whether what was invalidated so far has reached the shared tier; a place is confirmed only then. With a tier:
  /// [tier] { return tier->stats().undelivered == 0; }. Default: it always has.
  std::function<bool()> delivered{};
  log_hook log{};  ///< Is told of reconnections, cleared caches, and mappings that could not be followed.
};

/// Totals since the capture was made.
struct capture_stats {
  bool streaming = false;            ///< Connected, and reading.
  std::uint64_t seen = 0;            ///< The place in the server's log up to which everything was received, in bytes.
  std::uint64_t confirmed = 0;       ///< Up to here everything was invalidated and delivered.
  std::uint64_t transactions = 0;    ///< With changes of mapped tables.
  std::uint64_t changes = 0;         ///< Of rows of mapped tables.
  std::uint64_t invalidations = 0;   ///< Of keys and tags, and clears of one cache.
  std::uint64_t unclear = 0;         ///< Times that a cache was cleared since the key of a change could not be told.
  std::uint64_t cleared_all = 0;     ///< Times that all mapped caches were cleared.
  std::uint64_t connections = 0;     ///< Streams that were begun.
  std::uint64_t failures = 0;        ///< Streams that ended, and attempts in vain.
  std::uint64_t slots = 0;           ///< Slots that were created.
  std::string problem{};             ///< The last one.
};

struct capture_lag {
  std::uint64_t bytes = 0;  ///< Of the server's log behind `confirmed`, when the server last said.
  duration oldest{};        ///< Since the oldest commit that is not confirmed was received.
};

/// Thread safety: `table` before `start`; all else from any thread.
class change_capture {
 public:
  explicit change_capture(capture_options how);
  change_capture(const change_capture&) = delete;
  change_capture& operator=(const change_capture&) = delete;
  ~change_capture();

  /// The table with this name, of the schema public, or "schema.table". As the catalog writes it: without quotes.
  captured_table& table(std::string_view name);

  /// Checks the options and the server, makes the slot if needed, and begins to read on a thread of its own. Errors
  /// name the way out. After an error it may be called again. Twice: once. A slot that another has is no error.
  result<void> start();
  /// Ends the thread, once the statement that is under way has been answered or given up (statement_timeout). The slot
  /// stays, and keeps the server's log: see drop_slot.
  void stop();
  /// Stops, and removes the slot: what changes from now on is missed.
  result<void> drop_slot();

  capture_stats stats() const;
  capture_lag lag() const;

 private:
  class worker;
  std::unique_ptr<worker> worker_;
};

}  // namespace seawall

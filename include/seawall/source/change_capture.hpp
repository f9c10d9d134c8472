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
// The server: wal_level = logical, a role with REPLICATION, not a replica. Where that cannot be had, triggers on the
// tables note each change in a queue (capture_mode::trigger). A slot belongs to one running capture; others with its
// name wait until it is free, and go on where it was. Processes without a shared tier need a slot each.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/log.hpp"
#include "seawall/metrics/counter_source.hpp"
#include "seawall/source/captured_table.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace seawall {

/// How changes are heard of.
enum class capture_mode : std::uint8_t {
  log,      ///< From the server's log, by logical replication. Costs the writers nothing.
  trigger,  ///< From a table that triggers fill in the writers' transactions. Any server, any role that may make them.
};

struct capture_options {
  std::string url{};  ///< As postgres::options::url. One primary, not a pooler.
  capture_mode mode = capture_mode::log;
  /// The replication slot, or the queue: lower case letters, digits and underscores, 1 to 59; 1 to 36 of a queue. It is
  /// created if it is not there; a queue is the table seawall_capture_<slot> of the role's first schema.
  std::string slot{};
  /// Log: the tables whose changes are sent. 1 to 63 bytes, without quotes.
  std::string publication = "seawall";
  /// Creates the publication, or the queue and its triggers, if they are not there, and adds mapped tables. The role
  /// must own these. Without it, or the right, an error has the SQL for somebody who may.
  bool create = false;
  /// Log: of the log of the server, not confirmed. Beyond it the slot is dropped, so that the server's disk is spared,
  /// all mapped caches are cleared, and a new slot is made. At least 1 MiB.
  std::uint64_t max_lag_bytes = std::uint64_t{1} << 30;
  /// Trigger: rows in the queue. Beyond it the queue is emptied, and all mapped caches are cleared. At least 1.
  std::uint64_t max_queue = 1'000'000;
  /// What one transaction (trigger: 1,000 changes) makes stale; more clears all mapped caches. At least 1.
  std::size_t max_steps = 100'000;
  duration connect_timeout = std::chrono::seconds{5};     ///< At least 1 ms.
  /// For each statement of the set-up; at least 1 ms. A new slot waits for the transactions that are running.
  duration statement_timeout = std::chrono::seconds{30};
  /// Log: without a word from the server for so long, the connection is given up. At least 1 ms. While the server reads
  /// a large transaction in its log, it may be silent.
  duration silence = std::chrono::seconds{60};
  /// How often the place is confirmed, or the queue looked at though no notification has come. At least 1 ms.
  duration status_every = std::chrono::seconds{1};
  duration first_retry = std::chrono::milliseconds{100};  ///< After a failure; twice as long each time. At least 1 ms.
  duration max_retry = std::chrono::seconds{10};
  /// A place is confirmed once the shared tiers of the caches have what was invalidated so far; and once this says so,
  /// too, if it is set: for whatever else must hear of it.
  std::function<bool()> delivered{};
  log_hook log{};  ///< Is told of reconnections, cleared caches, and mappings that could not be followed.
};

/// Totals since the capture was made.
struct capture_stats {
  bool streaming = false;            ///< Connected, and reading.
  /// The place in the server's log up to which everything was received, in bytes. Trigger: rows of the queue taken.
  std::uint64_t seen = 0;
  /// Up to here everything was invalidated and delivered. Trigger: rows of the queue removed.
  std::uint64_t confirmed = 0;
  std::uint64_t transactions = 0;    ///< With changes of mapped tables. Trigger: once for each 1,000 changes, about.
  std::uint64_t changes = 0;         ///< Of rows of mapped tables.
  std::uint64_t invalidations = 0;   ///< Of keys and tags, and clears of one cache.
  std::uint64_t unclear = 0;         ///< Times that a cache was cleared since the key of a change could not be told.
  std::uint64_t cleared_all = 0;     ///< Times that all mapped caches were cleared.
  std::uint64_t connections = 0;     ///< Streams that were begun.
  std::uint64_t failures = 0;        ///< Streams that ended, and attempts in vain.
  std::uint64_t slots = 0;           ///< Slots that were created. Trigger: tables that were given their triggers.
  std::string problem{};             ///< The last one.
};

struct capture_lag {
  /// When the server last said: of its log behind `confirmed`. Trigger: that the queue takes on the disk, which the
  /// server reuses, but seldom gives back.
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;  ///< Trigger: in the queue when it was last measured; max_queue + 1 if there are more.
  /// Since the oldest commit that is not confirmed was received. Trigger: the age of the oldest row in the queue, by
  /// the server's clock, when it was last measured.
  duration oldest{};
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
  /// Stops, and removes the slot, or the queue with its triggers: what changes from now on is missed.
  result<void> drop_slot();

  capture_stats stats() const;
  capture_lag lag() const;
  /// What metrics exporters hold: see prometheus.hpp. It outlives the capture only if somebody else holds it.
  std::shared_ptr<const counter_source> stats_handle() const;

 private:
  class worker;
  class log_reader;
  class queue_reader;
  static std::shared_ptr<worker> make_worker(capture_options how);
  std::shared_ptr<worker> worker_;
};

}  // namespace seawall

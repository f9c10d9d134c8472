// Loads from a standby of PostgreSQL that are as right as loads from its primary.
//
//   auto db = *postgres::open({.url = "postgres://shop@db1,db2/shop"});
//   auto reads = *postgres::open_replica({.standby = {.url = "postgres://shop@db2/shop"}}, db);
//   seawall::cache<int, product> products{{
//       .name = "products", .loader = sql::row<product>(reads, "SELECT * FROM products WHERE id = $1")}};
//
// A standby may be behind: a row that it has not got yet would be cached as it was, after its invalidation. So each
// query first asks the primary where its log ends, waits until the standby has replayed it to there, and only then
// reads. What had been committed on the primary when the query was called is in its answer, whoever invalidated it, and
// how: keys, tags, prefixes, all.
// In place of a standby that is not there in time, that fails, or that follows another history than the primary's, the
// primary is read; if the primary does not answer, the query fails: nobody knows then what is missing.
// Costs: one small statement on the primary, which all queries share that were called before it began, and one on the
// standby.
// Not known: a second primary. What it commits is not in the log that is waited for.
// Thread safety: as sql::database. Calls block their thread; there is no asynchronous form.
#pragma once

#include "seawall/source/postgres.hpp"

#include <cstdint>
#include <memory>

namespace seawall::postgres {

struct replica_options {
  /// Where the standbys are, by streaming replication (directly or over another standby), and how they are read. Of
  /// several hosts the first that is one. `writers` is not used. A short statement_timeout is the limit for a standby
  /// that hangs, too.
  options standby{};
  /// How long a query waits for a standby that is behind, before it reads the primary; 0 to 1 h. After one that has
  /// waited in vain, queries do not wait for a second.
  duration patience = std::chrono::milliseconds{50};
  /// Set it if nobody commits with synchronous_commit = off: then only the part of the log is waited for that the
  /// primary has written to its disk. Else also what transactions under way have left in its memory, which comes to
  /// the standby with the next commit, and on a quiet server may take 15 s; the primary is read meanwhile.
  bool commits_are_flushed = false;
};

/// Totals since it was opened.
struct replica_stats {
  std::uint64_t read = 0;       ///< Queries that the standby answered.
  std::uint64_t late = 0;       ///< Queries for the primary, as the standby was not there in time.
  std::uint64_t failed = 0;     ///< Queries for the primary, as the standby failed, or is none any more.
  std::uint64_t looks = 0;      ///< Statements that asked the standby where it is.
  std::uint64_t positions = 0;  ///< Statements that asked the primary where its log ends.
};

/// For loaders: it reads. What writes fails with sql::errc::read_only: write to the primary.
class replica : public sql::database {
 public:
  sql::dialect dialect() const noexcept final { return sql::dialect::postgresql; }
  virtual replica_stats stats() const = 0;
  /// Where the primary's log ends now. For consistency::at_least, taken after a commit has returned: see
  /// sql::row_options::log_position.
  virtual result<std::uint64_t> position() = 0;
};

/// Checks the options (errc::invalid_argument), and asks both servers once unless `standby.lazy`. `primary` is what
/// loads fall back to; it must be opened without `target_session_attrs`, so that it is one.
result<std::shared_ptr<replica>> open_replica(const replica_options& how, std::shared_ptr<database> primary);

}  // namespace seawall::postgres

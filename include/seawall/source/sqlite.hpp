// SQLite (https://sqlite.org) as a sql::database: embedded, one file, no server.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/source/sql_database.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace seawall::sqlite {

/// What survives a power failure; a crash of the process alone loses nothing in any case.
enum class synchronous {
  off,     ///< Nothing is promised: the file may be damaged.
  normal,  ///< The file is sound; the last commits may be missing.
  full,    ///< Every commit.
};

struct options {
  std::size_t readers = 4;                          ///< Connections for queries, opened as needed; 1 to 64.
  duration busy_timeout = std::chrono::seconds{5};  ///< How long to wait for a lock, or a connection. Milliseconds.
  synchronous sync = synchronous::full;
  bool foreign_keys = true;
  bool create = true;                               ///< Makes the file if it is not there.
  bool read_only = false;
  std::size_t cached_statements = 64;               ///< Prepared ones that each connection keeps; 1 to 10,000.
  std::size_t max_rows = 1'000'000;                 ///< Of one answer; more are an error.
  /// Of pages that the connection that writes keeps in memory: a transaction that changes more of them writes some
  /// twice. 1 MiB to 1 TiB; what is not needed is not taken. Those that read keep SQLite's own 2 MB.
  std::size_t write_cache_bytes = std::size_t{16} << 20;
};

/// Opens the database file at `path` in WAL mode, with one connection that writes and several that read: queries see
/// what is committed, and neither wait for a writer nor keep one waiting. ":memory:" is a database of its own, gone
/// when it is closed, with a single connection. Errors name the file: sql::errc::unreachable, no_database, read_only,
/// locked, or seawall::errc::invalid_argument for an option.
///
/// A list as an argument is a JSON array: "... WHERE id IN (SELECT value FROM json_each(?1))". It cannot hold bytes.
/// A query that writes (INSERT ... RETURNING) runs on the connection that writes.
result<std::shared_ptr<sql::database>> open(const std::string& path, const options& how = {});

}  // namespace seawall::sqlite

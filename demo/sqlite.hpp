// A thin RAII skin over SQLite's C interface: what the demo needs and nothing else.
// Errors are `sqlite_error` exceptions whose text names the file. A connection and its statements belong to one thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::demo {

/// What SQLite said, with the file and, for the usual disasters, the way out.
class sqlite_error : public std::runtime_error {
 public:
  sqlite_error(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  /// The primary result code, for example SQLITE_CORRUPT.
  int code() const noexcept { return code_ & 0xff; }

 private:
  int code_;
};

/// A prepared statement. Parameters are numbered from 1, columns from 0, as SQLite does.
class statement {
 public:
  statement() = default;
  statement(sqlite3* db, std::string_view sql);

  statement& bind(int index, std::int64_t value);
  /// Keeps a reference only: `text` must live until the statement is reset.
  statement& bind(int index, std::string_view text);
  /// The next row: false when there is none.
  bool step();
  /// Ready for the next execution; parameters keep their values.
  void reset() noexcept { sqlite3_reset(handle_.get()); }
  /// Runs to the end and resets; rows are dropped.
  void run();

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  /// Valid until the next `step` or `reset`.
  std::string_view text(int column) const;

 private:
  struct finalizer {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

/// Resets a statement at the end of a scope, whatever happened in it.
class reset_guard {
 public:
  explicit reset_guard(statement& s) noexcept : statement_(s) {}
  ~reset_guard() { statement_.reset(); }
  reset_guard(const reset_guard&) = delete;
  reset_guard& operator=(const reset_guard&) = delete;

 private:
  statement& statement_;
};

enum class open_mode { existing, create, read_only };

/// One connection.
class database {
 public:
  database(const std::string& path, open_mode mode);

  statement prepare(std::string_view sql) { return {handle_.get(), sql}; }
  void execute(const std::string& sql);
  /// The first column of the first row, 0 when there is no row.
  std::int64_t number(std::string_view sql);
  bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle_.get()) == 0; }
  const std::string& path() const noexcept { return path_; }

 private:
  struct closer {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, closer> handle_;
};

/// Switches off SQLite's global memory statistics, whose mutex every allocation of every thread would take.
/// Call once, before the first connection.
void tune_sqlite();

}  // namespace seawall::demo

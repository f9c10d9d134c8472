#include "sqlite.hpp"

#include <fmt/core.h>

namespace seawall::demo {
namespace {

/// What to do about it, for the errors that people meet.
std::string_view way_out(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return "; the disk is full: free some space, or choose another place with --database PATH";
    case SQLITE_CORRUPT:
      return "; the file is damaged: remove it and run again, it will be generated anew";
    case SQLITE_NOTADB:
      return "; that is not an SQLite database: choose another file with --database PATH, or remove this one";
    case SQLITE_BUSY:
      return "; another program keeps it locked: close that program, or choose another file with --database PATH";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "; check that the file and its directory may be read and written, or choose another with --database PATH";
    case SQLITE_IOERR:
      return "; reading or writing failed: check the disk, or choose another place with --database PATH";
    default:
      return "";
  }
}

[[noreturn]] void fail_with(sqlite3* db, int code, std::string_view what) {
  const char* file = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  const char* said = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  throw sqlite_error(code,
                     fmt::format("database {}: {}: {}{}", file != nullptr ? file : "?", what, said, way_out(code)));
}

sqlite3* owner(sqlite3_stmt* s) { return sqlite3_db_handle(s); }

}  // namespace

statement::statement(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw,
                                      nullptr);
  if (code != SQLITE_OK) fail_with(db, code, "cannot prepare a query");
  handle_.reset(raw);
}

statement& statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_.get(), index, value);
  if (code != SQLITE_OK) fail_with(owner(handle_.get()), code, "cannot bind a number");
  return *this;
}

statement& statement::bind(int index, std::string_view text) {
  const int code =
      sqlite3_bind_text(handle_.get(), index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  if (code != SQLITE_OK) fail_with(owner(handle_.get()), code, "cannot bind a text");
  return *this;
}

bool statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail_with(owner(handle_.get()), code, "a query failed");
}

void statement::run() {
  const reset_guard guard(*this);
  while (step()) {
  }
}

std::string_view statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(handle_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

database::database(const std::string& path, open_mode mode) : path_(path) {
  int flags = SQLITE_OPEN_NOMUTEX;
  flags |= mode == open_mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == open_mode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) {
    throw sqlite_error(code, fmt::format("database {}: cannot be opened: {}{}", path, sqlite3_errstr(code),
                                         way_out(code)));
  }
}

void database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_with(handle_.get(), code, "a statement failed");
}

std::int64_t database::number(std::string_view sql) {
  statement s = prepare(sql);
  return s.step() ? s.integer(0) : 0;
}

void tune_sqlite() { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

}  // namespace seawall::demo

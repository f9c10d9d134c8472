#include "sqlite_connection.hpp"

#include "seawall/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall::sqlite {
namespace {

using sql::shortened;

struct kind {
  sql::errc code;
  std::string_view way_out;
};

kind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {sql::errc::locked, "; another holds the lock: shorter transactions, or busy_timeout"};
    case SQLITE_FULL: return {sql::errc::full, "; free some space: nothing of the transaction was kept"};
    case SQLITE_READONLY: return {sql::errc::read_only, "; the file and its folder must be writable for writes"};
    case SQLITE_CANTOPEN: return {sql::errc::unreachable, "; does the folder exist, and may it be used?"};
    case SQLITE_IOERR: return {sql::errc::unreachable, "; the disk or the file system failed"};
    case SQLITE_NOTADB: return {sql::errc::no_database, "; another path, or an encrypted file?"};
    case SQLITE_CORRUPT: return {sql::errc::no_database, "; the file is damaged: restore it from a backup"};
    case SQLITE_CONSTRAINT: return {sql::errc::constraint, ""};
    case SQLITE_TOOBIG:
    case SQLITE_RANGE: return {sql::errc::argument, ""};
    default: return {sql::errc::failed, ""};
  }
}

// The form that json_each takes apart; false for bytes, which JSON has none of.
bool to_json(const sql::value& from, seawall::detail::json_writer& out) {
  if (const auto* number = from.integer()) return out.integer(*number), true;
  if (const auto* number = from.real()) return out.real(*number), true;
  if (const auto* text = from.text()) return out.text(*text), true;
  if (const auto* all = from.elements()) {
    out.begin_list(all->size());
    for (const sql::value& one : *all) {
      out.item();
      if (!to_json(one, out)) return false;
    }
    return out.end_list(), true;
  }
  if (!from.is_null()) return false;
  return out.null(), true;
}

sql::value column(sqlite3_stmt* of, int index) {
  // Asked first, this would turn numbers into text; asked after the pointer, it is its size.
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(of, index)); };
  switch (sqlite3_column_type(of, index)) {
    case SQLITE_INTEGER: return {std::int64_t{sqlite3_column_int64(of, index)}};
    case SQLITE_FLOAT: return {sqlite3_column_double(of, index)};
    case SQLITE_TEXT: {
      const auto* begin = reinterpret_cast<const char*>(sqlite3_column_text(of, index));
      return {std::string(begin, size())};
    }
    case SQLITE_BLOB: {
      const auto* begin = static_cast<const std::byte*>(sqlite3_column_blob(of, index));
      return {sql::bytes(begin, begin + size())};
    }
    default: return {};
  }
}

// The bindings point into the caller's values, and a statement that is not reset holds its lock.
struct resetter {
  void operator()(sqlite3_stmt* what) const noexcept {
    sqlite3_reset(what);
    sqlite3_clear_bindings(what);
  }
};

std::string_view name_of(synchronous sync) {
  switch (sync) {
    case synchronous::off: return "OFF";
    case synchronous::normal: return "NORMAL";
    case synchronous::full: break;
  }
  return "FULL";
}

}  // namespace

error sqlite_connection::problem(int code, std::string_view statement) const {
  const kind what = kind_of(code);
  std::string text = fmt::format("database {}: {}{}", path_, sqlite3_errmsg(handle_.get()), what.way_out);
  if (!statement.empty()) text += fmt::format(" (\"{}\")", shortened(statement));
  return {sql::make_error_code(what.code), std::move(text)};
}

result<std::unique_ptr<sqlite_connection>> sqlite_connection::open(const std::string& path, const options& how,
                                                                   bool writes) {
  int flags = SQLITE_OPEN_NOMUTEX;
  if (how.read_only) flags |= SQLITE_OPEN_READONLY;
  else flags |= SQLITE_OPEN_READWRITE | (how.create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  if (raw == nullptr) return sql::fail(sql::errc::unreachable, "database " + path + ": out of memory");
  std::unique_ptr<sqlite_connection> made{new sqlite_connection(raw, path, how)};
  if (code != SQLITE_OK) return std::unexpected(made->problem(code, {}));
  sqlite3_extended_result_codes(raw, 1);
  if (auto ready = made->set_up(how, writes); !ready) return std::unexpected(std::move(ready).error());
  return made;
}

result<void> sqlite_connection::set_up(const options& how, bool writes) {
  const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(how.busy_timeout).count();
  sqlite3_busy_timeout(handle_.get(), static_cast<int>(std::clamp<std::int64_t>(patience, 0, 86'400'000)));
  if (auto done = pragma("PRAGMA foreign_keys = " + std::string{how.foreign_keys ? "ON" : "OFF"}); !done) return done;
  if (how.read_only) return pragma("SELECT count(*) FROM sqlite_schema");  // a file that is no database shows here
  if (auto done = pragma(fmt::format("PRAGMA synchronous = {}", name_of(how.sync))); !done) return done;
  if (!writes) return pragma("PRAGMA query_only = ON");
  // Negative: KiB, not pages.
  if (auto done = pragma(fmt::format("PRAGMA cache_size = -{}", how.write_cache_bytes >> 10)); !done) return done;
  auto mode = run("PRAGMA journal_mode = WAL", {});
  if (!mode) return std::unexpected(std::move(mode).error());
  const std::string* got = mode->size() == 1 ? mode->values[0].text() : nullptr;
  if (got && (*got == "wal" || *got == "memory")) return {};
  return sql::fail(sql::errc::unreachable, fmt::format("database {}: its file system has no WAL mode, which needs "
                                                       "shared memory and locks: use a local one", path_));
}

result<void> sqlite_connection::pragma(std::string_view text) {
  auto done = run(text, {});
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

result<sqlite3_stmt*> sqlite_connection::prepare(std::string_view statement) {
  if (const auto known = statements_.find(statement); known != statements_.end()) {
    known->second.used = ++uses_;
    return known->second.handle.get();
  }
  auto made = compile(statement);
  if (!made) return std::unexpected(std::move(made).error());
  sqlite3_stmt* raw = made->get();
  if (statements_.size() >= max_statements_) {
    statements_.erase(std::ranges::min_element(statements_, {}, [](const auto& one) { return one.second.used; }));
  }
  statements_.emplace(statement, prepared{*std::move(made), ++uses_});
  return raw;
}

result<sqlite_connection::statement_ptr> sqlite_connection::compile(std::string_view statement) {
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), statement.data(), static_cast<int>(statement.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, &rest);
  statement_ptr owner{raw};
  if (code != SQLITE_OK) return std::unexpected(problem(code, statement));
  if (raw == nullptr) return sql::fail(sql::errc::argument, fmt::format("there is no statement in \"{}\"", statement));
  const std::string_view behind{rest, statement.data() + statement.size()};
  if (behind.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return sql::fail(sql::errc::argument,
                     fmt::format("one statement at a time: \"{}\" is followed by \"{}\"",
                                 shortened(statement.substr(0, statement.size() - behind.size())), shortened(behind)));
  }
  return owner;
}

result<void> sqlite_connection::bind(sqlite3_stmt* to, std::span<const sql::value> given, std::string_view statement) {
  if (const int wanted = sqlite3_bind_parameter_count(to); std::cmp_not_equal(wanted, given.size())) {
    return sql::fail(sql::errc::argument, fmt::format("\"{}\" has {} parameters, and {} arguments were given",
                                                      shortened(statement), wanted, given.size()));
  }
  for (int place = 1; const sql::value& one : given) {
    int code = SQLITE_OK;
    if (const auto* number = one.integer()) {
      code = sqlite3_bind_int64(to, place, *number);
    } else if (const auto* real = one.real()) {
      code = sqlite3_bind_double(to, place, *real);
    } else if (const auto* text = one.text()) {
      code = sqlite3_bind_text64(to, place, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* raw = one.blob()) {
      code = raw->empty() ? sqlite3_bind_zeroblob(to, place, 0)
                          : sqlite3_bind_blob64(to, place, raw->data(), raw->size(), SQLITE_STATIC);
    } else if (one.elements() != nullptr) {
      std::string json;
      seawall::detail::json_writer writer{json};
      if (!to_json(one, writer)) {
        return sql::fail(sql::errc::argument, fmt::format("argument {} of \"{}\": a list of bytes has no form in JSON",
                                                          place, shortened(statement)));
      }
      code = sqlite3_bind_text64(to, place, json.data(), json.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
      code = sqlite3_bind_null(to, place);
    }
    if (code != SQLITE_OK) return std::unexpected(problem(code, statement));
    ++place;
  }
  return {};
}

result<void> sqlite_connection::step(sqlite3_stmt* what, std::string_view statement, sql::rows& out) {
  const std::int64_t before = sqlite3_total_changes64(handle_.get());
  int code = sqlite3_step(what);
  // Only now: after a change of the schema the first step prepares the statement anew, and * may be other columns.
  const int width = sqlite3_column_count(what);
  if (width != 0) out.statement = shortened(statement);
  for (int i = 0; i != width; ++i) out.columns.emplace_back(sqlite3_column_name(what, i));
  for (; code == SQLITE_ROW; code = sqlite3_step(what)) {
    if (out.size() == max_rows_) {
      return sql::fail(sql::errc::mapping, fmt::format("\"{}\" has more than {} rows (max_rows): use LIMIT",
                                                       shortened(statement), max_rows_));
    }
    for (int i = 0; i != width; ++i) out.values.push_back(column(what, i));
  }
  if (code != SQLITE_DONE) return std::unexpected(problem(code, statement));
  // sqlite3_changes alone still has the number of the statement before one that changes nothing.
  if (sqlite3_total_changes64(handle_.get()) != before) out.changed.rows = sqlite3_changes64(handle_.get());
  return {};
}

result<sql::rows> sqlite_connection::run(std::string_view statement, std::span<const sql::value> given) {
  if (in_transaction_ && sqlite3_get_autocommit(handle_.get()) != 0) {
    return sql::fail(sql::errc::failed, fmt::format("database {}: the transaction has ended with an earlier failure "
                                                    "(\"{}\")", path_, shortened(statement)));
  }
  auto ready = prepare(statement);
  if (!ready) return std::unexpected(std::move(ready).error());
  sql::rows out;
  const std::unique_ptr<sqlite3_stmt, resetter> used{*ready};
  auto done = bind(*ready, given, statement);
  if (done) done = step(*ready, statement, out);
  if (!done) return std::unexpected(std::move(done).error());
  strayed_ |= in_transaction_ && sqlite3_get_autocommit(handle_.get()) != 0;
  return out;
}

bool sqlite_connection::changes(std::string_view statement) {
  auto ready = prepare(statement);
  return ready && sqlite3_stmt_readonly(*ready) == 0;
}

// IMMEDIATE: a transaction that reads first and writes later would fail, not wait, if another has written meanwhile.
result<void> sqlite_connection::begin() {
  auto begun = run("BEGIN IMMEDIATE", {});
  if (!begun) return std::unexpected(std::move(begun).error());
  in_transaction_ = true;
  return {};
}

result<void> sqlite_connection::commit() {
  if (strayed_) {
    return sql::fail(sql::errc::outcome_unknown, fmt::format("database {}: the transaction was ended by a statement: "
                                                             "leave COMMIT and ROLLBACK to transact", path_));
  }
  auto done = run("COMMIT", {});
  if (!done) return std::unexpected(std::move(done).error());
  in_transaction_ = false;
  strayed_ = false;
  return {};
}

void sqlite_connection::rollback() noexcept {
  in_transaction_ = false;
  strayed_ = false;
  if (sqlite3_get_autocommit(handle_.get()) == 0) sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace seawall::sqlite

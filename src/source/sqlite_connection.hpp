// One connection to an SQLite database, with its prepared statements.
#pragma once

#include "seawall/source/sqlite.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::sqlite {

class sqlite_connection final : public sql::connection {
 public:
  static result<std::unique_ptr<sqlite_connection>> open(const std::string& path, const options& how, bool writes);

  result<sql::rows> run(std::string_view statement, std::span<const sql::value> given) override;
  result<void> begin() override;
  result<void> commit() override;
  void rollback() noexcept override;
  result<std::vector<std::string>> tables_of(std::string_view statement) override;

  /// Whether a statement changes something; false, too, if it cannot be prepared.
  bool changes(std::string_view statement);

 private:
  struct closer {
    void operator()(sqlite3* what) const noexcept { sqlite3_close_v2(what); }
  };
  struct finalizer {
    void operator()(sqlite3_stmt* what) const noexcept { sqlite3_finalize(what); }
  };
  using statement_ptr = std::unique_ptr<sqlite3_stmt, finalizer>;
  struct prepared {
    statement_ptr handle;
    std::uint64_t used = 0;
  };

  sqlite_connection(sqlite3* opened, std::string path, const options& how)
      : handle_(opened), path_(std::move(path)), max_statements_(how.cached_statements), max_rows_(how.max_rows) {}

  result<void> set_up(const options& how, bool writes);
  result<void> pragma(std::string_view text);
  result<statement_ptr> compile(std::string_view statement);
  result<sqlite3_stmt*> prepare(std::string_view statement);
  result<void> bind(sqlite3_stmt* to, std::span<const sql::value> given, std::string_view statement);
  result<void> step(sqlite3_stmt* what, std::string_view statement, sql::rows& out);
  error problem(int code, std::string_view statement) const;

  std::unique_ptr<sqlite3, closer> handle_;  // outlives the statements
  std::string path_;
  std::size_t max_statements_;
  std::size_t max_rows_;
  std::map<std::string, prepared, std::less<>> statements_;
  std::uint64_t uses_ = 0;
  bool in_transaction_ = false;  // as its user sees it: SQLite rolls some failures back by itself
  bool strayed_ = false;         // a statement has ended it
};

}  // namespace seawall::sqlite

// Which tables a statement reads: SQLite's authorizer is told while the statement is prepared.
#include "sqlite_connection.hpp"

#include <set>
#include <utility>

namespace seawall::sqlite {
namespace {

/// Schema, which may be left open, and name; as the statement writes it where no column is read.
using read_names = std::set<std::pair<std::string, std::string>>;

/// Listens as long as it lives.
class read_listener {
 public:
  read_listener(sqlite3* on, read_names& to) noexcept : on_(on) { sqlite3_set_authorizer(on_, &note, &to); }
  read_listener(const read_listener&) = delete;
  read_listener& operator=(const read_listener&) = delete;
  ~read_listener() { sqlite3_set_authorizer(on_, nullptr, nullptr); }

 private:
  static int note(void* to, int action, const char* table, const char*, const char* schema, const char*) noexcept {
    if (action != SQLITE_READ || table == nullptr) return SQLITE_OK;
    try {
      static_cast<read_names*>(to)->emplace(schema == nullptr ? "" : schema, table);
    } catch (...) {  // no memory: the statement is not prepared
      return SQLITE_DENY;
    }
    return SQLITE_OK;
  }

  sqlite3* const on_;
};

// Views, CTEs and functions with rows (json_each) are read, too, under their names, and so are the tables in which a
// virtual one keeps its rows.
constexpr std::string_view tables_called =
    "SELECT CASE schema WHEN 'main' THEN name ELSE schema || '.' || name END FROM pragma_table_list "
    "WHERE name = ?2 COLLATE NOCASE AND ?1 IN ('', schema) AND type IN ('table', 'virtual') "
    "AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";

}  // namespace

result<std::vector<std::string>> sqlite_connection::tables_of(std::string_view statement) {
  read_names read;
  {
    const read_listener listening{handle_.get(), read};
    if (auto done = compile(statement); !done) return std::unexpected(std::move(done).error());
  }
  std::set<std::string> tables;
  for (const auto& [schema, name] : read) {
    auto found = run(tables_called, sql::arguments_of(schema, name).values());
    if (!found) return std::unexpected(std::move(found).error());
    for (const sql::value& one : found->values) tables.insert(*one.text());
  }
  return std::vector<std::string>(tables.begin(), tables.end());
}

}  // namespace seawall::sqlite

#include "rows.hpp"

#include "seawall/source/postgres.hpp"

#include <expected>
#include <string_view>
#include <utility>

namespace kills {

using namespace std::chrono_literals;
namespace sql = seawall::sql;

bool is_server(const std::string& where) { return where.starts_with("postgres://"); }

result<std::shared_ptr<sql::database>> open_rows(const std::string& where) {
  if (!is_server(where)) return seawall::sqlite::open(where, {.busy_timeout = 10s});
  auto made = seawall::postgres::open({.url = where, .writers = 1, .readers = 1, .connect_timeout = 2s,
                                       .statement_timeout = 5s, .lazy = true});
  if (!made) return std::unexpected(std::move(made).error());
  return *std::move(made);
}

result<void> make_tables(sql::database& db) {
  const bool at_server = db.dialect() == sql::dialect::postgresql;
  for (const std::string_view statement :
       {std::string_view{"CREATE TABLE rows (key INTEGER PRIMARY KEY, value BIGINT, version BIGINT NOT NULL)"},
        at_server ? std::string_view{"CREATE TABLE history (id BIGSERIAL PRIMARY KEY, key INTEGER, value BIGINT, "
                                     "version BIGINT)"}
                  : std::string_view{"CREATE TABLE history (id INTEGER PRIMARY KEY, key INTEGER, value BIGINT, "
                                     "version BIGINT)"}}) {
    if (auto done = db.execute(statement); !done) return std::unexpected(std::move(done).error());
  }
  return {};
}

// SQLite takes $1 for a name, and numbers the names in the order in which they come.
result<void> apply(sql::database& db, std::span<const operation> batch) {
  return db.transact([&](sql::transaction& t) -> result<void> {
    for (const operation& one : batch) {
      const auto version = static_cast<std::int64_t>(one.sequence);
      auto changed = t.execute("INSERT INTO rows VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET "
                               "value = excluded.value, version = excluded.version "
                               "WHERE rows.version < excluded.version", one.key, one.value, version);
      if (!changed) return std::unexpected(std::move(changed).error());
      if (changed->rows == 0) continue;
      auto noted = t.execute("INSERT INTO history (key, value, version) VALUES ($1, $2, $3)", one.key, one.value,
                             version);
      if (!noted) return std::unexpected(std::move(noted).error());
    }
    return {};
  });
}

}  // namespace kills

#include "outbox_table.hpp"

#include <fmt/format.h>

namespace seawall::sql {
namespace {

// Times are the database's, in milliseconds since 1970: processes need not agree on theirs. Ids are never used twice,
// so that a relay cannot remove a row that it has not seen.
outbox_words sqlite_words() {
  constexpr std::string_view now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
  constexpr std::string_view listed = "id IN (SELECT value FROM json_each(?1))";
  return {
      .create = fmt::format("CREATE TABLE IF NOT EXISTS seawall_outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                            "cache TEXT NOT NULL, kind TEXT NOT NULL, item BLOB NOT NULL, "
                            "created_at INTEGER NOT NULL DEFAULT ({}), attempts INTEGER NOT NULL DEFAULT 0, "
                            "not_before INTEGER NOT NULL DEFAULT 0)", now),
      .insert = "INSERT INTO seawall_outbox (cache, kind, item) VALUES (?1, ?2, ?3)",
      .claim = fmt::format("SELECT id, cache, kind, item, attempts FROM seawall_outbox WHERE not_before <= {} "
                           "AND cache IN (SELECT value FROM json_each(?2)) ORDER BY id LIMIT ?1", now),
      .remove = fmt::format("DELETE FROM seawall_outbox WHERE {}", listed),
      .postpone = fmt::format("UPDATE seawall_outbox SET attempts = attempts + 1, not_before = {} + ?2 WHERE {}", now,
                              listed),
      .lag = fmt::format("SELECT count(*), count(*) FILTER (WHERE attempts > 0), "
                         "coalesce(max({0} - min(created_at), 0), 0), count(*) FILTER (WHERE {1}), "
                         "coalesce(max({0} - min(created_at) FILTER (WHERE {1}), 0), 0) FROM seawall_outbox",
                         now, "cache NOT IN (SELECT value FROM json_each(?1))"),
      .locks_rows = false,
  };
}

outbox_words postgresql_words() {
  constexpr std::string_view now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
  return {
      .create = fmt::format("CREATE TABLE IF NOT EXISTS seawall_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY "
                            "KEY, cache text NOT NULL, kind text NOT NULL, item bytea NOT NULL, "
                            "created_at bigint NOT NULL DEFAULT {}, attempts integer NOT NULL DEFAULT 0, "
                            "not_before bigint NOT NULL DEFAULT 0)", now),
      .insert = "INSERT INTO seawall_outbox (cache, kind, item) VALUES ($1, $2, $3)",
      .claim = fmt::format("SELECT id, cache, kind, item, attempts FROM seawall_outbox WHERE not_before <= {} "
                           "AND cache = ANY($2) ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED", now),
      .remove = "DELETE FROM seawall_outbox WHERE id = ANY($1)",
      .postpone = fmt::format("UPDATE seawall_outbox SET attempts = attempts + 1, not_before = {} + $2 "
                              "WHERE id = ANY($1)", now),
      .lag = fmt::format("SELECT count(*), count(*) FILTER (WHERE attempts > 0), "
                         "coalesce(greatest({0} - min(created_at), 0), 0), count(*) FILTER (WHERE {1}), "
                         "coalesce(greatest({0} - min(created_at) FILTER (WHERE {1}), 0), 0) FROM seawall_outbox",
                         now, "cache <> ALL($1)"),
      .locks_rows = true,
  };
}

}  // namespace

const outbox_words& words_of(dialect which) {
  static const outbox_words sqlite = sqlite_words();
  static const outbox_words postgresql = postgresql_words();
  return which == dialect::sqlite ? sqlite : postgresql;
}

result<void> insert_outbox_row(statements& on, dialect which, const std::string& cache, std::string_view kind,
                               std::string_view item) {
  const auto* begin = reinterpret_cast<const std::byte*>(item.data());
  auto done = on.execute(words_of(which).insert, cache, kind, bytes(begin, begin + item.size()));
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

}  // namespace seawall::sql

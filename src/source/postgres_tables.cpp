// Which tables a statement reads: the server locks them when it analyses the statement, before it plans anything.
#include "postgres_connection.hpp"

namespace seawall::postgres {
namespace {

// Whatever this statement itself has locked is in pg_catalog. A partition is usually written to by way of its root, a
// child that is none by its own name.
constexpr std::string_view locked_tables = R"(
WITH RECURSIVE locked(oid) AS (
  SELECT relation FROM pg_locks WHERE locktype = 'relation' AND pid = pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), family(oid) AS (
  (SELECT oid FROM locked UNION SELECT pg_partition_root(oid) FROM locked)
  UNION SELECT c.oid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid
    JOIN pg_class c ON c.oid = i.inhrelid AND NOT c.relispartition
), tables AS (
  SELECT n.nspname, c.relname, pg_table_is_visible(c.oid) AS visible FROM family f JOIN pg_class c ON c.oid = f.oid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname <> 'pg_catalog'
)
SELECT relname::text FROM tables WHERE nspname = 'public' OR visible
UNION SELECT nspname || '.' || relname FROM tables WHERE nspname <> 'public' ORDER BY 1)";

}  // namespace

result<std::vector<std::string>> postgres_connection::tables_of(std::string_view statement) {
  if (auto begun = begin(); !begun) return std::unexpected(std::move(begun).error());
  auto found = locked_by(statement);
  rollback();
  if (!found) return std::unexpected(std::move(found).error());
  std::vector<std::string> tables;
  for (const sql::value& one : found->values) tables.push_back(*one.text());
  return tables;
}

// A statement of SQL prepares it, not a message of the protocol: poolers keep the answers to those.
result<sql::rows> postgres_connection::locked_by(std::string_view statement) {
  auto prepared = run("PREPARE seawall_tables AS " + std::string{statement}, {});
  if (!prepared) return prepared;
  auto found = run(locked_tables, {});
  // It would stay, and refuse the next one.
  if (!found || !run("DEALLOCATE seawall_tables", {})) close();
  return found;
}

}  // namespace seawall::postgres

#include "capture_server.hpp"

#include "capture_triggers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall::postgres {
namespace {

std::unexpected<error> refuse(std::string text) { return sql::fail(sql::errc::failed, std::move(text)); }

std::string text_at(const sql::rows& from, std::size_t place) {
  const auto* text = from.values[place].text();
  return text ? *text : std::string{};
}

std::int64_t number_at(const sql::rows& from, std::size_t place) {
  const auto* number = from.values[place].integer();
  return number ? *number : 0;
}

}  // namespace

template <class... Args>
result<sql::rows> capture_server::ask(std::string_view statement, const Args&... given) {
  const auto all = sql::arguments_of(given...);
  return on_.run(statement, all.values());
}

result<bool> capture_server::check(const captured_tables& tables) {
  if (auto fit = check_settings(); !fit) return std::unexpected(std::move(fit).error());
  for (const auto& [name, table] : tables) {
    if (auto fits = check_table(name, table); !fits) return std::unexpected(std::move(fits).error());
  }
  auto changed = check_publication();
  for (const auto& [name, table] : tables) {
    if (!changed) return changed;
    auto added = check_published(name);
    if (!added) return added;
    changed = *changed || *added;
  }
  return changed;
}

result<void> capture_server::check_settings() {
  auto found = ask("SELECT current_setting('wal_level'), pg_is_in_recovery()");
  if (!found) return std::unexpected(std::move(found).error());
  if (number_at(*found, 1) != 0) return refuse(fmt::format("{} is a replica: name the primary", how_->where));
  if (text_at(*found, 0) == "logical") return {};
  return refuse(fmt::format("{}: wal_level is {}, and must be logical: ALTER SYSTEM SET wal_level = 'logical', and "
                            "restart the server", how_->where, text_at(*found, 0)));
}

result<void> capture_server::check_table(const std::string& name, const captured_table& table) {
  const std::string quoted_name = quoted_table(name);
  auto found = ask("SELECT a.attname::text, c.relreplident = 'f' OR COALESCE(a.attnum = ANY(i.indkey), false), "
                   "c.relpersistence = 'p' AND c.relkind IN ('r', 'p') FROM pg_class c "
                   "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                   "LEFT JOIN pg_index i ON i.indrelid = c.oid AND ((c.relreplident = 'd' AND i.indisprimary) "
                   "OR (c.relreplident = 'i' AND i.indisreplident)) WHERE c.oid = to_regclass($1)", quoted_name);
  if (!found) return std::unexpected(std::move(found).error());
  if (found->size() == 0) {
    return refuse(fmt::format("{}: there is no table {}, or no right to see it", how_->where, name));
  }
  if (number_at(*found, 2) == 0) {
    return refuse(fmt::format("{}: {} is temporary, unlogged or no table: its changes are not in the log",
                              how_->where, name));
  }
  const std::size_t width = found->columns.size();
  const auto identifies = [&](std::size_t row) { return number_at(*found, row * width + 1) != 0; };
  bool any = false;
  for (std::size_t row = 0; row != found->size(); ++row) any = any || identifies(row);
  if (!any) {
    return refuse(fmt::format("{0}: {1} has neither a primary key nor another REPLICA IDENTITY, so that UPDATE and "
                              "DELETE fail once it is published: ALTER TABLE {2} REPLICA IDENTITY FULL",
                              how_->where, name, quoted_name));
  }
  for (const auto& mapping : table.mappings()) {
    for (const auto& column : mapping.columns) {
      std::size_t row = 0;
      while (row != found->size() && text_at(*found, row * width) != column) ++row;
      if (row == found->size()) return refuse(fmt::format("{}: {} has no column '{}'", how_->where, name, column));
      if (identifies(row)) continue;
      return refuse(fmt::format("{0}: '{1}' is not in the REPLICA IDENTITY of {2}, so the key of a row that is changed "
                                "or deleted would not be known: ALTER TABLE {3} REPLICA IDENTITY FULL, or USING INDEX",
                                how_->where, column, name, quoted_name));
    }
  }
  return {};
}

result<bool> capture_server::check_publication() {
  const std::string name = quoted_name(options_.publication);
  auto found = ask("SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate FROM pg_publication "
                   "WHERE pubname = $1", options_.publication);
  if (!found) return std::unexpected(std::move(found).error());
  if (found->size() == 0) {
    const auto statement = fmt::format("CREATE PUBLICATION {} WITH (publish_via_partition_root = true)", name);
    if (!options_.create) {
      return refuse(fmt::format("{}: there is no publication {}: {}, or set capture_options::create", how_->where,
                                options_.publication, statement));
    }
    if (auto dropped = drop_slot(); !dropped) return std::unexpected(std::move(dropped).error());
    if (auto made = ask(statement); !made) return std::unexpected(std::move(made).error());
    return true;
  }
  if (number_at(*found, 0) != 0) return false;
  return refuse(fmt::format("{}: the publication {} leaves changes out: ALTER PUBLICATION {} SET (publish = 'insert, "
                            "update, delete, truncate')", how_->where, options_.publication, name));
}

result<bool> capture_server::check_published(const std::string& name) {
  auto found = ask("SELECT 1 FROM pg_publication_tables WHERE pubname = $1 AND schemaname || '.' || tablename = $2",
                   options_.publication, name);
  if (!found) return std::unexpected(std::move(found).error());
  if (found->size() != 0) return false;
  const auto statement = fmt::format("ALTER PUBLICATION {} ADD TABLE {}", quoted_name(options_.publication),
                                     quoted_table(name));
  if (!options_.create) {
    return refuse(fmt::format("{}: {} is not in the publication {}: {}, or set capture_options::create", how_->where,
                              name, options_.publication, statement));
  }
  // The slot goes first: whoever dies in between leaves none that seems to have had this table.
  if (auto dropped = drop_slot(); !dropped) return std::unexpected(std::move(dropped).error());
  if (auto added = ask(statement); !added) return std::unexpected(std::move(added).error());
  return true;
}

result<capture_server::slot_view> capture_server::slot() {
  auto found = ask("SELECT COALESCE(plugin::text, ''), COALESCE(database = current_database(), false), "
                   "COALESCE(wal_status, ''), COALESCE(confirmed_flush_lsn - '0/0'::pg_lsn, 0)::bigint "
                   "FROM pg_replication_slots WHERE slot_name = $1", options_.slot);
  if (!found) return std::unexpected(std::move(found).error());
  if (found->size() == 0) return slot_view{};
  if (text_at(*found, 0) != "pgoutput" || number_at(*found, 1) == 0) {
    return refuse(fmt::format("{}: the slot {} is of another database or plugin: name another one", how_->where,
                              options_.slot));
  }
  return slot_view{.state = text_at(*found, 2) == "lost" ? slot_state::lost : slot_state::good,
                   .confirmed = static_cast<pgoutput::lsn>(number_at(*found, 3))};
}

result<void> capture_server::drop_slot() {
  auto done = ask("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
                  options_.slot);
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

result<void> capture_server::make_temporary() {
  auto done = ask("SELECT pg_create_logical_replication_slot($1 || '_new', 'pgoutput', true)::text", options_.slot);
  if (done) return {};
  return std::unexpected(error{done.error().code(),
                               done.error().message() + "; a slot needs the right REPLICATION (ALTER ROLE), one of "
                               "max_replication_slots, and that the running transactions end"});
}

result<void> capture_server::keep_temporary() {
  auto done = ask("SELECT pg_copy_logical_replication_slot($1 || '_new', $1, false)::text", options_.slot);
  if (done) done = ask("SELECT pg_drop_replication_slot($1 || '_new')::text", options_.slot);
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

result<capture_server::moment> capture_server::look() {
  auto found = ask("SELECT pg_current_snapshot()::text, (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint");
  if (!found) return std::unexpected(std::move(found).error());
  auto seen = snapshot::parse(text_at(*found, 0));
  if (!seen) return std::unexpected(std::move(seen).error());
  return moment{*std::move(seen), static_cast<pgoutput::lsn>(number_at(*found, 1))};
}

}  // namespace seawall::postgres

#include "capture_queue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace seawall::postgres {
namespace {

// A statement that waits for a table's lock has all later writers of the table wait behind it.
constexpr std::string_view lock_timeout = "SET LOCAL lock_timeout = '1s'";

std::unexpected<error> not_so(std::string text) { return sql::fail(sql::errc::failed, std::move(text)); }

}  // namespace

template <class... Args>
result<sql::rows> capture_queue::ask(std::string_view statement, const Args&... given) {
  const auto all = sql::arguments_of(given...);
  return on_.run(statement, all.values());
}

template <class T, class... Args>
result<T> capture_queue::ask_one(std::string_view statement, const Args&... given) {
  auto found = ask(statement, given...);
  if (!found) return std::unexpected(std::move(found).error());
  if (found->size() != 1) return not_so(fmt::format("{}: no row (\"{}\")", how_->where, sql::shortened(statement)));
  return (*found)[0].template as<T>();
}

result<void> capture_queue::open() {
  names_.prefix = "seawall_capture_" + options_.slot;
  using facts = std::tuple<bool, std::optional<std::string>, std::string, std::string, std::string, std::string>;
  auto found = ask_one<facts>("SELECT pg_is_in_recovery(), current_schema()::text, current_user::text, "
                              "current_setting('timezone'), current_setting('datestyle'), "
                              "current_setting('intervalstyle')");
  if (!found) return std::unexpected(std::move(found).error());
  auto& [replica, schema, user, zone, dates, intervals] = *found;
  if (replica) return not_so(fmt::format("{} is a replica: name the primary", how_->where));
  if (!schema) return not_so(fmt::format("{}: no schema of the search_path is there for the queue", how_->where));
  names_.schema = *std::move(schema);
  user_ = std::move(user);
  names_.formats = {{"timezone", std::move(zone)}, {"datestyle", std::move(dates)},
                    {"intervalstyle", std::move(intervals)}, {"bytea_output", "hex"}, {"extra_float_digits", "1"}};
  connection_ = how_->made;
  auto locked = ask_one<bool>("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", names_.queue());
  if (!locked) return std::unexpected(std::move(locked).error());
  if (*locked) return {};
  return sql::fail(sql::errc::locked, fmt::format("{}: {} is in use: another capture has it, this one waits",
                                                  how_->where, names_.queue()));
}

// ---- what is missing ----

result<std::uint64_t> capture_queue::table_of(const std::string& name, const captured_table& table) {
  auto found = ask("SELECT a.attname::text, c.oid::bigint, c.relpersistence = 'p' AND c.relkind IN ('r', 'p') "
                   "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                   "WHERE c.oid = to_regclass($1)", quoted_table(name));
  if (!found) return std::unexpected(std::move(found).error());
  std::vector<std::string> columns;
  std::uint64_t oid = 0;
  bool fits = false;
  for (std::size_t i = 0; i != found->size(); ++i) {
    auto row = (*found)[i].as<std::tuple<std::string, std::uint64_t, bool>>();
    if (!row) return std::unexpected(std::move(row).error());
    columns.push_back(std::move(std::get<0>(*row)));
    oid = std::get<1>(*row);
    fits = std::get<2>(*row);
  }
  if (columns.empty()) {
    return not_so(fmt::format("{}: there is no table {}, or no right to see it", how_->where, name));
  }
  if (!fits) {
    return not_so(fmt::format("{}: {} is temporary, unlogged or no table: what a crash or its end removes fires no "
                              "trigger", how_->where, name));
  }
  for (const auto& mapping : table.mappings()) {
    for (const auto& column : mapping.columns) {
      if (std::ranges::find(columns, column) != columns.end()) continue;
      return not_so(fmt::format("{}: {} has no column '{}'", how_->where, name, column));
    }
  }
  return oid;
}

auto capture_queue::missing_of(const std::string& name, const captured_table& table, bool no_queue)
    -> result<missing> {
  auto oid = table_of(name, table);
  if (!oid) return std::unexpected(std::move(oid).error());
  const std::string body = function_body(names_, needed_columns(table));
  // The types are AFTER ROW INSERT DELETE UPDATE, and AFTER TRUNCATE.
  using facts = std::tuple<bool, std::int64_t, std::int64_t>;
  auto found = ask_one<facts>(
      "SELECT EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure($2)::oid AND prosrc = $3), "
      "count(*) FILTER (WHERE tgfoid = to_regprocedure($2)::oid AND tgenabled IN ('O', 'A') "
      "AND tgtype = CASE tgname WHEN $4 THEN 29 ELSE 32 END), count(*) "
      "FROM pg_trigger WHERE tgrelid = $1::oid AND tgname IN ($4, $5)",
      *oid, names_.function(*oid), body, names_.prefix, names_.on_truncate());
  if (!found) return std::unexpected(std::move(found).error());
  const auto [has_function, sound, present] = *found;
  missing made;
  made.triggers = sound != 2 || no_queue;
  if (!has_function) made.statements = create_function(names_, *oid, body);
  if (sound != 2) std::ranges::move(create_triggers(names_, *oid, name, present != 0), back_inserter(made.statements));
  if (made.triggers) made.statements.push_back(note_everything(names_));
  return made;
}

error capture_queue::with_sql(error why, const std::vector<missing>& all) const {
  std::string text = why.message() + "; set capture_options::create, with a role that owns the tables and may create "
                                     "in the schema, or have somebody run: ";
  for (const auto& one : all) {
    for (const auto& statement : one.statements) text += statement + ";\n";
  }
  text += fmt::format("GRANT SELECT, INSERT, DELETE, TRUNCATE ON {} TO {};\n", names_.queue(), quoted_name(user_));
  return {why.code(), std::move(text)};
}

result<std::uint64_t> capture_queue::set_up(const captured_tables& tables) {
  auto there = ask_one<bool>("SELECT to_regclass($1) IS NOT NULL", names_.queue());
  if (!there) return std::unexpected(std::move(there).error());
  std::vector<missing> all;
  for (const auto& [name, table] : tables) {
    auto one = missing_of(name, table, !*there);
    if (!one) return std::unexpected(std::move(one).error());
    if (!one->statements.empty()) all.push_back(*std::move(one));
  }
  if (!*there) all.front().statements.insert(all.front().statements.begin(), create_queue(names_));
  if (!all.empty() && !options_.create) {
    return std::unexpected(with_sql({sql::errc::failed, fmt::format("{}: {} or its triggers are not there, or not as "
                                                                    "they have to be", how_->where, names_.queue())},
                                    all));
  }
  std::uint64_t made = 0;
  for (const auto& one : all) {
    if (auto done = run_together(one.statements); !done) {
      if (!sql::is(done.error(), sql::errc::failed)) return std::unexpected(std::move(done).error());
      return std::unexpected(with_sql(std::move(done).error(), all));
    }
    made += one.triggers ? 1 : 0;
  }
  auto table = ask_one<std::int64_t>("SELECT to_regclass($1)::oid::bigint", names_.queue());
  if (!table) return std::unexpected(std::move(table).error());
  table_ = *table;
  return made;
}

result<void> capture_queue::run_together(const std::vector<std::string>& statements) {
  auto begun = on_.begin();
  if (!begun) return begun;
  result<sql::rows> done = ask(lock_timeout);
  for (const auto& one : statements) {
    if (done) done = ask(one);
  }
  if (done) return on_.commit();
  on_.rollback();
  return std::unexpected(std::move(done).error());
}

// ---- taking ----

result<void> capture_queue::listen() {
  auto done = ask(fmt::format("LISTEN {}", quoted_name(names_.prefix)));
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

result<std::vector<queued_change>> capture_queue::take(const std::vector<std::int64_t>& done,
                                                       const std::vector<std::int64_t>& known, std::size_t most) {
  if (auto begun = on_.begin(); !begun) return std::unexpected(std::move(begun).error());
  if (how_->made != connection_) {
    on_.rollback();
    return sql::fail(sql::errc::unreachable, fmt::format("{}: the connection was lost, and with it the lock of {}",
                                                         how_->where, names_.queue()));
  }
  const std::string queue = names_.queue();
  result<sql::rows> found = sql::rows{};
  // The oid: a queue that was made anew counts from 1 again.
  if (!done.empty()) {
    found = ask(fmt::format("DELETE FROM {} WHERE id = ANY ($1) AND tableoid = $2::oid", queue), done, table_);
  }
  constexpr std::string_view columns = "SELECT id, relation, kind, COALESCE(names, '{}'), COALESCE(types, '{}'), "
                                       "before, after FROM";
  // No place is remembered: ids are given in the order of changes, and seen in that of commits.
  if (found && known.empty()) {
    found = ask(fmt::format("{} {} ORDER BY id LIMIT $1", columns, queue), most);
  } else if (found) {
    found = ask(fmt::format("{} {} AS q WHERE NOT EXISTS (SELECT FROM unnest($2::bigint[]) AS known(id) "
                            "WHERE known.id = q.id) ORDER BY id LIMIT $1", columns, queue), most, known);
  }
  if (!found) {
    on_.rollback();
    return std::unexpected(std::move(found).error());
  }
  if (auto committed = on_.commit(); !committed) return std::unexpected(std::move(committed).error());
  std::vector<queued_change> made;
  made.reserve(found->size());
  for (std::size_t i = 0; i != found->size(); ++i) {
    using text = std::string;
    using maybe = std::optional<std::string>;
    auto row = (*found)[i].as<std::tuple<std::int64_t, text, text, text, text, maybe, maybe>>();
    if (!row) return std::unexpected(std::move(row).error());
    auto& [id, relation, kind, names, types, before, after] = *row;
    made.push_back({id, std::move(relation), std::move(kind), std::move(names), std::move(types), std::move(before),
                    std::move(after)});
  }
  return made;
}

auto capture_queue::look() -> result<measure> {
  const std::string queue = names_.queue();
  using figures = std::tuple<std::uint64_t, std::uint64_t, std::int64_t>;
  auto found = ask_one<figures>(
      fmt::format("SELECT (SELECT count(*) FROM (SELECT FROM {0} LIMIT $1) AS first), pg_total_relation_size($2::oid), "
                  "COALESCE((SELECT greatest(extract(epoch FROM clock_timestamp() - at) * 1000, 0)::bigint FROM {0} "
                  "ORDER BY id LIMIT 1), 0)", queue), options_.max_queue + 1, table_);
  if (!found) return std::unexpected(std::move(found).error());
  return measure{std::get<0>(*found), std::get<1>(*found), std::chrono::milliseconds{std::get<2>(*found)}};
}

result<void> capture_queue::empty() {
  return run_together({fmt::format("TRUNCATE {}", names_.queue()), note_everything(names_)});
}

result<void> capture_queue::drop() {
  auto found = ask("SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                   "WHERE n.nspname = $1 AND p.proname ~ ('^' || $2 || '_[0-9]+$')", names_.schema, names_.prefix);
  if (!found) return std::unexpected(std::move(found).error());
  // The triggers go with their functions, and before the queue, without which they would fail every writer.
  std::vector<std::string> statements;
  for (const auto& one : found->values) {
    const std::string schema = quoted_name(names_.schema);
    statements.push_back(fmt::format("DROP FUNCTION {}.{}() CASCADE", schema, quoted_name(*one.text())));
  }
  statements.push_back(fmt::format("DROP TABLE IF EXISTS {}", names_.queue()));
  auto done = run_together(statements);
  if (done || !sql::is(done.error(), sql::errc::failed)) return done;
  return std::unexpected(error{done.error().code(), fmt::format("{}; have somebody run: {}", done.error().message(),
                                                                fmt::join(statements, "; "))});
}

}  // namespace seawall::postgres

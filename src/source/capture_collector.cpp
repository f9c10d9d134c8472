#include "capture_collector.hpp"

#include "seawall/source/sql_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace seawall::postgres {
namespace {

using column_state = seawall::detail::image_column::state;

std::unexpected<error> out_of_place(std::string_view what) {
  return sql::fail(sql::errc::mapping, fmt::format("pgoutput: {}", what));
}

void fill(seawall::detail::image_column& out, const pgoutput::cell& from) {
  switch (from.state) {
    case pgoutput::cell_state::null: out.known = column_state::null; break;
    case pgoutput::cell_state::unchanged: out.known = column_state::unknown; break;
    case pgoutput::cell_state::text:
      out.known = column_state::text;
      out.text = from.text;
  }
}

template <class Table>
std::vector<seawall::detail::image_column> unknown_row(const Table& table) {
  std::vector<seawall::detail::image_column> made;
  made.reserve(table.columns.size());
  for (const auto& column : table.columns) made.push_back({.name = column.name, .type = column.type});
  return made;
}

template <class Table>
std::vector<seawall::detail::image_column> row_of(const Table& table, const pgoutput::image& from) {
  auto made = unknown_row(table);
  for (std::size_t i = 0; i != made.size(); ++i) fill(made[i], from[i]);
  return made;
}

template <class Table>
std::vector<seawall::detail::image_column> row_before(const Table& table, pgoutput::before_kind known,
                                             const pgoutput::image& from) {
  auto made = row_of(table, from);
  if (known == pgoutput::before_kind::row) return made;
  for (std::size_t i = 0; i != made.size(); ++i) {
    if (!table.columns[i].identifies) made[i].known = column_state::unknown;
  }
  return made;
}

template <class Table>
bool fits(const Table& table, const pgoutput::image& from) {
  return from.size() == table.columns.size();
}

}  // namespace

result<std::optional<captured_commit>> change_collector::take(std::string_view bytes) {
  auto what = pgoutput::parse(bytes);
  if (!what) return std::unexpected(std::move(what).error());
  if (auto seen = std::visit([this](const auto& one) { return see(one); }, *what); !seen) {
    return std::unexpected(std::move(seen).error());
  }
  if (!std::exchange(ended_, false)) return std::nullopt;
  return steps_.finish();
}

void change_collector::reset() {
  relations_.clear();
  steps_.reset();
}

result<void> change_collector::see(const pgoutput::begin& what) {
  if (steps_.is_open()) return out_of_place("a transaction begins within another");
  steps_.begin();
  steps_.current().xid = what.xid;
  return {};
}

result<void> change_collector::see(const pgoutput::commit& what) {
  if (!steps_.is_open()) return out_of_place("a commit without a beginning");
  steps_.current().end = what.end;
  ended_ = true;
  return {};
}

result<void> change_collector::see(const pgoutput::relation& what) {
  known_table made{.schema = std::string{what.schema}, .name = std::string{what.name}, .identity = what.identity,
                   .columns = {}, .mapped = nullptr};
  for (const auto& one : what.columns) made.columns.push_back({std::string{one.name}, one.type, one.identifies});
  const auto found = tables_.find(fmt::format("{}.{}", what.schema, what.name));
  if (found != tables_.end()) made.mapped = &found->second;
  relations_.insert_or_assign(what.id, std::move(made));
  return {};
}

result<const change_collector::known_table*> change_collector::table_of(std::uint32_t id) const {
  if (!steps_.is_open()) return out_of_place("a change without a transaction");
  const auto found = relations_.find(id);
  if (found == relations_.end()) return out_of_place(fmt::format("the table {} was not described", id));
  return &found->second;
}

result<void> change_collector::see(const pgoutput::insert& what) {
  const auto table = table_of(what.relation);
  if (!table) return std::unexpected(table.error());
  if (!fits(**table, what.after)) return out_of_place("a row has other columns than its table");
  const auto after = row_of(**table, what.after);
  row_changed(**table, row_change::inserted, nullptr, &after);
  return {};
}

result<void> change_collector::see(const pgoutput::update& what) {
  using pgoutput::before_kind;
  const auto found = table_of(what.relation);
  if (!found) return std::unexpected(found.error());
  const known_table& table = **found;
  if (!fits(table, what.after) || (what.known != before_kind::none && !fits(table, what.before))) {
    return out_of_place("a row has other columns than its table");
  }
  auto after = row_of(table, what.after);
  auto before = what.known == before_kind::none ? unknown_row(table) : row_before(table, what.known, what.before);
  for (std::size_t i = 0; i != after.size(); ++i) {
    const bool same = what.after[i].state == pgoutput::cell_state::unchanged;
    if (same) after[i] = before[i];
    // Without an old row the columns of the identity are as they were.
    const bool kept = what.known == before_kind::none && table.columns[i].identifies && table.identity != 'f';
    if (kept) before[i] = after[i];
  }
  row_changed(table, row_change::updated, &before, &after);
  return {};
}

result<void> change_collector::see(const pgoutput::remove& what) {
  const auto table = table_of(what.relation);
  if (!table) return std::unexpected(table.error());
  if (!fits(**table, what.before)) return out_of_place("a row has other columns than its table");
  const auto before = row_before(**table, what.known, what.before);
  row_changed(**table, row_change::removed, &before, nullptr);
  return {};
}

result<void> change_collector::see(const pgoutput::truncate& what) {
  for (const std::uint32_t id : what.relations) {
    const auto table = table_of(id);
    if (!table) return std::unexpected(table.error());
    if ((*table)->mapped != nullptr) steps_.add_whole(*(*table)->mapped);
  }
  return {};
}

void change_collector::row_changed(const known_table& table, row_change what, const columns* before,
                                   const columns* after) {
  if (table.mapped == nullptr) return;
  steps_.add(*table.mapped, {table.schema, table.name, what, before, after});
}

}  // namespace seawall::postgres

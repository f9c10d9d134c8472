#include "capture_collector.hpp"

#include "seawall/source/sql_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace seawall::postgres {
namespace {

using column_state = detail::image_column::state;

std::unexpected<error> out_of_place(std::string_view what) {
  return sql::fail(sql::errc::mapping, fmt::format("pgoutput: {}", what));
}

void fill(detail::image_column& out, const pgoutput::cell& from) {
  switch (from.state) {
    case pgoutput::cell_state::null: out.known = column_state::null; break;
    case pgoutput::cell_state::unchanged: out.known = column_state::unknown; break;
    case pgoutput::cell_state::text:
      out.known = column_state::text;
      out.text = from.text;
  }
}

template <class Table>
std::vector<detail::image_column> unknown_row(const Table& table) {
  std::vector<detail::image_column> made;
  made.reserve(table.columns.size());
  for (const auto& column : table.columns) made.push_back({.name = column.name, .type = column.type});
  return made;
}

template <class Table>
std::vector<detail::image_column> row_of(const Table& table, const pgoutput::image& from) {
  auto made = unknown_row(table);
  for (std::size_t i = 0; i != made.size(); ++i) fill(made[i], from[i]);
  return made;
}

template <class Table>
std::vector<detail::image_column> row_before(const Table& table, pgoutput::before_kind known,
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

std::string full_name(std::string_view table) {
  return table.find('.') == std::string_view::npos ? fmt::format("public.{}", table) : std::string{table};
}

result<std::optional<captured_commit>> change_collector::take(std::string_view bytes) {
  auto what = pgoutput::parse(bytes);
  if (!what) return std::unexpected(std::move(what).error());
  if (auto seen = std::visit([this](const auto& one) { return see(one); }, *what); !seen) {
    return std::unexpected(std::move(seen).error());
  }
  if (!std::exchange(ended_, false)) return std::nullopt;
  items_.clear();
  return std::exchange(open_, std::nullopt);
}

void change_collector::reset() {
  relations_.clear();
  open_.reset();
  items_.clear();
}

result<void> change_collector::see(const pgoutput::begin& what) {
  if (open_) return out_of_place("a transaction begins within another");
  open_.emplace();
  open_->xid = what.xid;
  return {};
}

result<void> change_collector::see(const pgoutput::commit& what) {
  if (!open_) return out_of_place("a commit without a beginning");
  open_->end = what.end;
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
  if (!open_) return out_of_place("a change without a transaction");
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
    if ((*table)->mapped == nullptr) continue;
    ++open_->changes;
    for (const auto& mapping : (*table)->mapped->mappings()) make_whole(mapping);
  }
  return {};
}

void change_collector::row_changed(const known_table& table, row_change what, const columns* before,
                                   const columns* after) {
  if (table.mapped == nullptr) return;
  ++open_->changes;
  for (const auto& mapping : table.mapped->mappings()) {
    if (open_->everything) return;
    if (!mapping.row) {
      make_whole(mapping);
      continue;
    }
    if (before) follow(mapping, {table.schema, table.name, what, true, *before});
    if (after) follow(mapping, {table.schema, table.name, what, false, *after});
  }
}

void change_collector::follow(const detail::capture_mapping& mapping, const row_image& row) {
  std::string why;
  try {
    auto step = mapping.row(row);
    if (step && !row.missing()) {
      if (*step) add(mapping, **std::move(step));
      return;
    }
    why = row.missing() ? *row.missing() : step.error().message();
  } catch (...) {
    why = detail::current_failure().message();
  }
  ++open_->unclear;
  const std::size_t before = open_->steps.size();
  make_whole(mapping);
  // Once per transaction.
  if (log_ && open_->steps.size() != before) {
    log_(log_level::warning, fmt::format("change capture: the cache '{}' is cleared: {}", mapping.cache, why));
  }
}

void change_collector::make_whole(const detail::capture_mapping& mapping) {
  if (open_->everything || !items_.insert(fmt::format("{}!", static_cast<const void*>(&mapping))).second) return;
  push({std::nullopt, mapping.whole});
}

void change_collector::add(const detail::capture_mapping& mapping, detail::capture_step step) {
  if (open_->everything) return;
  if (step.item) {
    auto item = fmt::format("{}={}", static_cast<const void*>(&mapping), *step.item);
    if (!items_.insert(std::move(item)).second) return;
  }
  push(std::move(step));
}

void change_collector::push(detail::capture_step step) {
  open_->steps.push_back(std::move(step));
  if (open_->steps.size() <= max_steps_) return;
  open_->everything = true;
  open_->steps.clear();
  items_.clear();
}

}  // namespace seawall::postgres

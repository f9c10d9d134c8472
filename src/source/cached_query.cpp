#include "seawall/source/cached_query.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace seawall::sql {

std::string table_tag(std::string_view table) {
  for (const std::string_view implied : {"public.", "main."}) {
    if (table.starts_with(implied)) return fmt::format("table:{}", table.substr(implied.size()));
  }
  return fmt::format("table:{}", table);
}

namespace detail {

query_tags::query_tags(std::string_view statement, const std::vector<std::string_view>& tables)
    : known_(!tables.empty()) {
  if (!tables.empty()) tags_ = tags_of(statement, tables);
}

result<tag_list> query_tags::ask(database& db, std::string_view statement) {
  auto tables = db.tables_of(statement);
  if (!tables) return std::unexpected(std::move(tables).error());
  auto tags = tags_of(statement, {tables->begin(), tables->end()});
  if (!tags) return tags;
  const std::lock_guard lock{mutex_};
  if (!known_.load(std::memory_order_relaxed)) tags_ = tags;
  known_.store(true, std::memory_order_release);
  return tags;
}

result<tag_list> query_tags::tags_of(std::string_view statement, const std::vector<std::string_view>& tables) {
  if (tables.empty()) {
    return fail(errc::argument, fmt::format("no table is found in \"{}\": name those after whose changes its results "
                                            "are stale", shortened(statement)));
  }
  tag_list tags;
  for (const std::string_view table : tables) {
    if (tags.add(table_tag(table))) continue;
    return fail(errc::argument, fmt::format("an entry has {} tags, and \"{}\" has the tables {}: name those that "
                                            "matter", tag_list::most, shortened(statement), fmt::join(tables, ", ")));
  }
  return tags;
}

}  // namespace detail
}  // namespace seawall::sql

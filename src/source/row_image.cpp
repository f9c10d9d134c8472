#include "seawall/source/row_image.hpp"

#include "postgres_values.hpp"
#include "seawall/source/captured_table.hpp"

#include <fmt/format.h>

namespace seawall {

using state = detail::image_column::state;

const detail::image_column* row_image::find(std::string_view column) const {
  const auto found = std::ranges::find(columns_, column, &detail::image_column::name);
  if (found != columns_.end() && found->known != state::unknown) return &*found;
  if (missing_) return nullptr;
  if (found == columns_.end()) {
    missing_ = fmt::format("{}.{} has no column '{}', or does not publish it", schema_, table_, column);
  } else if (before_) {
    missing_ = fmt::format("the old '{0}' of a row of {1}.{2} is not in the log: ALTER TABLE {1}.{2} REPLICA IDENTITY "
                           "FULL, or USING an index with it", column, schema_, table_);
  } else {
    missing_ = fmt::format("the unchanged large '{0}' of a row of {1}.{2} is not in the log: ALTER TABLE {1}.{2} "
                           "REPLICA IDENTITY FULL", column, schema_, table_);
  }
  return nullptr;
}

std::string_view row_image::text(std::string_view column) const {
  const auto* found = find(column);
  return found ? found->text : std::string_view{};
}

bool row_image::is_null(std::string_view column) const {
  const auto* found = find(column);
  return found && found->known == state::null;
}

sql::value row_image::value(std::string_view column) const {
  const auto* found = find(column);
  if (!found || found->known == state::null) return {};
  return postgres::value_of(found->type, found->text);
}

sql::rows captured_table::rows_of(const row_image& row, const std::vector<std::string>& columns) {
  sql::rows made;
  made.statement = fmt::format("{}.{}", row.schema(), row.table());
  made.columns = columns;
  for (const auto& column : columns) made.values.push_back(row.value(column));
  return made;
}

// NULL is no text, and the length keeps texts apart.
std::string captured_table::item_of(const row_image& row, const std::vector<std::string>& columns) {
  std::string made;
  for (const auto& column : columns) {
    if (row.is_null(column)) made += '-';
    else made += fmt::format("{}:{}", row.text(column).size(), row.text(column));
  }
  return made;
}

}  // namespace seawall

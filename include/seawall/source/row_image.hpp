// row_image: a row of a table before or after a change, as change_capture shows it to the functions of a mapping.
#pragma once

#include "seawall/source/sql_value.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace seawall {

enum class row_change : std::uint8_t { inserted, updated, removed };

namespace detail {

struct image_column {
  enum class state : std::uint8_t { unknown, null, text };
  std::string_view name;
  std::uint32_t type = 0;  // an oid of pg_type
  state known = state::unknown;
  std::string_view text{};
};

}  // namespace detail

/// Not every column of a row is known: before a change there are those of the table's REPLICA IDENTITY (its primary
/// key, all with FULL), after one all but large values (TOAST) that did not change. Who asks for another gets an empty
/// text, and the cache of the mapping is cleared, since what was changed cannot be told.
/// Thread safety: none; it belongs to the call that it was given to.
class row_image {
 public:
  row_image(std::string_view schema, std::string_view table, row_change what, bool before,
            std::span<const detail::image_column> columns) noexcept
      : schema_(schema), table_(table), what_(what), before_(before), columns_(columns) {}

  std::string_view schema() const noexcept { return schema_; }
  std::string_view table() const noexcept { return table_; }
  row_change change() const noexcept { return what_; }
  /// The row as it was before the change, not as it is now.
  bool before() const noexcept { return before_; }

  /// The column in the text form that psql shows; empty for NULL.
  std::string_view text(std::string_view column) const;
  bool is_null(std::string_view column) const;
  /// The column as a query would answer it.
  sql::value value(std::string_view column) const;

  /// The first column that was asked for and is not known, and why.
  const std::optional<std::string>& missing() const noexcept { return missing_; }

 private:
  const detail::image_column* find(std::string_view column) const;

  std::string_view schema_;
  std::string_view table_;
  row_change what_;
  bool before_;
  std::span<const detail::image_column> columns_;
  mutable std::optional<std::string> missing_;
};

}  // namespace seawall

#include "seawall/source/sql_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seawall::sql {
namespace {

constexpr std::size_t longest_text = 32;

}  // namespace

std::string value::describe() const {
  if (const auto* number = integer()) return fmt::format("{}", *number);
  if (const auto* number = real()) return fmt::format("{}", *number);
  if (const auto* shown = text()) {
    return fmt::format("\"{}\"{}", shown->substr(0, longest_text), shown->size() > longest_text ? "..." : "");
  }
  if (const auto* raw = blob()) return fmt::format("{} bytes", raw->size());
  if (const auto* all = elements()) return fmt::format("a list of {}", all->size());
  return "NULL";
}

void arguments::too_large(std::uint64_t number) {
  if (problem_) return;
  problem_ = error{make_error_code(errc::argument),
                   fmt::format("argument {}: {} is larger than a database's integer, 2^63 - 1", values_.size() + 1,
                               number)};
}

std::size_t rows::find(std::string_view column) const noexcept {
  const auto first = std::ranges::find(columns, column);
  if (first == columns.end()) return none;
  if (std::find(first + 1, columns.end(), column) != columns.end()) return ambiguous;
  return static_cast<std::size_t>(first - columns.begin());
}

error row_view::problem(std::string_view what) const {
  return {make_error_code(errc::mapping), fmt::format("row {} of \"{}\": {}", row_ + 1, all_->statement, what)};
}

error row_view::no_column(std::string_view column, std::size_t found) const {
  if (found == rows::ambiguous) return problem(fmt::format("several columns are called '{}'", column));
  return problem(fmt::format("there is no column '{}', only {}", column, fmt::join(all_->columns, ", ")));
}

error row_view::no_width(std::string_view type, std::size_t expected) const {
  return problem(fmt::format("{} needs {} column{}, and there {} {}", type, expected, expected == 1 ? "" : "s",
                             columns() == 1 ? "is" : "are", columns()));
}

error row_view::no_value(std::size_t column, std::string_view type, std::string_view why) const {
  return problem(fmt::format("column '{}' cannot be read as {}: found {}", all_->columns[column], type, why));
}

}  // namespace seawall::sql

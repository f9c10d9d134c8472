// The text form in which PostgreSQL writes a row, "(1,\"a b\",)", and an array, "{1,\"a b\",NULL}". No input or output.
// Source: PostgreSQL's manual, "Composite Type Input and Output Syntax" and "Array Input and Output Syntax".
#pragma once

#include "seawall/base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres {

using row_fields = std::vector<std::optional<std::string>>;

/// The fields of a row; NULL is none. "()" is one field, which is NULL.
result<row_fields> fields_of_row(std::string_view text);

/// The elements of an array of one dimension; none may be NULL.
result<std::vector<std::string>> elements_of_array(std::string_view text);

}  // namespace seawall::postgres

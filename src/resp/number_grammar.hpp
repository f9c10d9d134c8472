// The text of doubles and big numbers, as RESP3 has it.
#pragma once

#include <cstddef>
#include <string_view>

namespace seawall::resp {

/// Where `text` stops being `[+-]digits[.digits][(e|E)[+-]digits]`, `[+-]inf` or `[+-]nan` (servers print the sign of a
/// NaN); npos if it is one.
std::size_t bad_byte_of_double(std::string_view text) noexcept;

/// Where `text` stops being `[+-]digits`; npos if it is.
std::size_t bad_byte_of_big_number(std::string_view text) noexcept;

}  // namespace seawall::resp

// Bytes made readable, for messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace seawall::resp {

/// The bytes in quotes; what is not printable ASCII as \r, \n, \t or \x1f, quotes and backslashes with a backslash.
std::string quoted(std::string_view bytes);

}  // namespace seawall::resp

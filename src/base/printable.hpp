// Foreign bytes in messages.
#pragma once

#include <string>
#include <string_view>

namespace seawall {

/// The beginning of `bytes` in quotes, what cannot be printed as \xNN, with "..." if there is more.
std::string printable(std::string_view bytes);

}  // namespace seawall

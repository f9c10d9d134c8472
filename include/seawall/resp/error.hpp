// What can be wrong with RESP bytes.
#pragma once

#include "seawall/base/result.hpp"

namespace seawall::resp {

enum class errc {
  protocol = 1,  ///< Bytes that no RESP stream has there; the message says which came and where.
  limit,         ///< A frame beyond the parser's `limits`; the message names the limit.
};

/// The category of `errc`; its name is "seawall.resp".
const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace seawall::resp

template <>
struct boost::system::is_error_code_enum<seawall::resp::errc> : std::true_type {};

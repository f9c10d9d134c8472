#include "complaint.hpp"

#include "escape.hpp"
#include "seawall/resp/error.hpp"

#include <fmt/format.h>

namespace seawall::resp {
namespace {

/// What a server speaks instead of RESP, by the first bytes that it sends.
const char* other_protocol(std::string_view stream) {
  if (stream.starts_with("HTTP/1.")) return "the server speaks HTTP, not RESP";
  if (stream.starts_with("\x15\x03")) return "the server speaks TLS: connect with rediss://";
  if (stream.starts_with("SSH-")) return "the server speaks SSH, not RESP";
  return nullptr;
}

}  // namespace

error scanner::complaint::sentence(std::string_view stream) const {
  constexpr std::size_t shown = 24;
  if (limit != nullptr) {
    return error{make_error_code(errc::limit),
                 fmt::format("byte {} of the reply: {} announced, which exceeds limits::{} ({})", at, announced, limit,
                             most)};
  }
  const std::string came = quoted(stream.substr(at, shown));
  const char* other = at == 0 ? other_protocol(stream) : nullptr;
  if (other != nullptr) return error{make_error_code(errc::protocol), fmt::format("{}: it sent {}", other, came)};
  return error{make_error_code(errc::protocol), fmt::format("byte {} of the reply: {} where {} was expected", at, came,
                                                            expected)};
}

}  // namespace seawall::resp

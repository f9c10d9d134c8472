#include "seawall/base/codec.hpp"

#include <fmt/format.h>

#include <iterator>

#include "printable.hpp"

namespace seawall {
namespace {

/// How much of the bytes an error shows.
constexpr std::size_t most_shown = 32;

}  // namespace

std::string printable(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes.substr(0, most_shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\' && c != '"') out += c;
    else fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
  }
  return out += bytes.size() > most_shown ? "\"..." : "\"";
}

std::unexpected<error> undecodable(std::string_view type, std::string_view bytes) {
  return fail(errc::undecodable, fmt::format("cannot read {} bytes as {}: {}", bytes.size(), type, printable(bytes)));
}

}  // namespace seawall

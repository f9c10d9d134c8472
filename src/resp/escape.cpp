#include "escape.hpp"

namespace seawall::resp {

std::string quoted(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    switch (c) {
      case '\r': text += "\\r"; continue;
      case '\n': text += "\\n"; continue;
      case '\t': text += "\\t"; continue;
      case '"': text += "\\\""; continue;
      case '\\': text += "\\\\"; continue;
      default: break;
    }
    if (code >= 0x20 && code < 0x7f) {
      text += c;
    } else {
      text += "\\x";
      text += hex[code >> 4];
      text += hex[code & 15];
    }
  }
  return text += '"';
}

}  // namespace seawall::resp

#include "resp_trees.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seawall::fuzz {
namespace {

std::string any_text(choices& from, std::size_t longest) {
  constexpr std::string_view alphabet = "ab0:-+.\r\n$*_\x00\xff \"";
  std::string text(from.pick(longest + 1), 'x');
  const std::size_t chosen = std::min<std::size_t>(text.size(), 12);
  for (std::size_t i = 0; i != chosen; ++i) text[i] = alphabet[from.pick(alphabet.size())];
  return text;
}

std::string line_text(choices& from) {
  std::string text = any_text(from, 60);
  std::replace(text.begin(), text.end(), '\r', 'r');
  std::replace(text.begin(), text.end(), '\n', 'n');
  return text;
}

std::string integer_text(choices& from) {
  constexpr std::array<const char*, 8> known{"0", "1", "-1", "+7", "-0", "1234567890", "9223372036854775807",
                                             "-9223372036854775808"};
  return known[from.pick(known.size())];
}

std::string double_text(choices& from) {
  constexpr std::array<const char*, 11> known{"0", "1.5", "-2.25e-3", "1E10", "inf", "-inf", "nan", "-nan", "+3.0",
                                              "123456.789012", "1e999"};
  return known[from.pick(known.size())];
}

std::vector<tree> make_children(choices& from, std::size_t count, std::size_t depth, bool plain) {
  std::vector<tree> made;
  for (std::size_t i = 0; i != count; ++i) made.push_back(make_tree(from, depth, false, plain));
  return made;
}

/// Few as a rule; now and then so many that headers need two digits.
std::size_t how_many(choices& from) { return from.used_up() ? 0 : from.pick(16) == 15 ? from.pick(30) : from.pick(4); }

}  // namespace

tree make_tree(choices& from, std::size_t depth, bool top, bool plain) {
  constexpr std::string_view types = "_$+:#-,(!=*%~>";
  tree made;
  made.type = types[from.pick(types.size() - (depth == 0 ? 4 : top ? 0 : 1))];
  made.streamed = !plain && from.pick(4) == 3 && std::string_view{"$*~%"}.find(made.type) != std::string_view::npos;
  switch (made.type) {
    case '$':
    case '!': made.text = any_text(from, from.pick(8) == 7 ? 300 : 20); break;
    case '=': made.text = "txt:" + any_text(from, 20); break;
    case '+':
    case '-': made.text = line_text(from); break;
    case ':': made.text = integer_text(from); break;
    case ',': made.text = double_text(from); break;
    case '(': made.text = from.pick(2) == 0 ? "-3492890328409238509324850943850943825024385" : "0012"; break;
    case '#': made.text = from.pick(2) == 0 ? "t" : "f"; break;
    case '*':
    case '~':
    case '>': made.children = make_children(from, how_many(from), depth - 1, plain); break;
    case '%': made.children = make_children(from, 2 * how_many(from), depth - 1, plain); break;
    default: break;
  }
  if (!plain && depth != 0 && from.pick(8) == 7) {
    for (std::size_t left = 1 + from.pick(2); left != 0; --left) {
      made.attributes.push_back(make_children(from, 2 * how_many(from), depth - 1, plain));
    }
  }
  return made;
}

void spoil(std::string& bytes, choices& from) {
  constexpr std::string_view replacements = "\r\n019-+?;.$*%|>_:,(t\xff";
  for (std::size_t left = 1 + from.pick(3); left != 0 && !bytes.empty(); --left) {
    const std::size_t at = from.pick(bytes.size());
    switch (from.pick(4)) {
      case 0: bytes[at] = replacements[from.pick(replacements.size())]; break;
      case 1: bytes.erase(at, 1); break;
      case 2: bytes.insert(at, 1, replacements[from.pick(replacements.size())]); break;
      default: std::swap(bytes[at], bytes[bytes.size() / 2]); break;
    }
  }
}

}  // namespace seawall::fuzz

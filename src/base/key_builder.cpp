#include "seawall/base/key_builder.hpp"

#include <array>
#include <stdexcept>

namespace seawall {
namespace {

constexpr std::size_t min_length_limit = 64;
constexpr std::size_t max_length_limit = 65'536;
constexpr std::size_t hash_length = 33;  // '~' and 32 hex digits

constexpr char separator = ':';
// Marks of what the builder adds itself. A part can hold none of them unescaped, so no part can imitate them.
constexpr char digest_mark = '#';
constexpr char generation_mark = '@';
constexpr char shortened_mark = '~';

constexpr auto stays = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/+,=")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (stays[byte]) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 15];
}

}  // namespace

key_builder::key_builder(std::string_view name, key_options options) : max_length_(options.max_length) {
  if (max_length_ < min_length_limit || max_length_ > max_length_limit) {
    throw std::invalid_argument("key_options.max_length is " + std::to_string(max_length_) +
                                "; it must be between 64 and 65536 bytes");
  }
  append_escaped(text_, name);
  shorten();
}

key_builder key_builder::hashed(const params& parameters) && {
  text_ += separator;
  text_ += digest_mark;
  text_ += parameters.digest().hex();
  shorten();
  return std::move(*this);
}

key_builder key_builder::version(const family& members) && {
  text_ += separator;
  append_escaped(text_, members.name());
  text_ += generation_mark;
  append_hex(text_, members.generation());
  shorten();
  return std::move(*this);
}

std::string key_builder::prefix() const {
  std::string text = text_ + separator;
  // Keys below this one that had to be shortened have only so many bytes of it.
  if (text.size() > max_length_ - hash_length) text.resize(max_length_ - hash_length);
  return text;
}

void key_builder::append_text(std::string_view part) {
  text_ += separator;
  append_escaped(text_, part);
  shorten();
}

void key_builder::shorten() {
  if (text_.size() <= max_length_) return;
  const std::string hash = hash_bytes128(text_).hex();
  text_.resize(max_length_ - hash_length);
  text_ += shortened_mark;
  text_ += hash;
}

}  // namespace seawall

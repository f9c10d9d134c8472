// codec<T>: how a value becomes bytes in a store, and a value again.
//   text       std::string, std::string_view and literals (these two only encode): as they are
//   bytes      std::vector<std::byte>: as they are
//   numbers    integers, float and double: in decimal, so that INCR and programs in other languages read them; a double
//              reads back as the same double; inf, -inf and nan
//   bool       "1" and "0"
//   your type  specialise it:
//
//     template <>
//     struct seawall::codec<user> {
//       static void encode(const user& u, std::string& out) { out += to_json(u); }       // appends
//       static seawall::result<user> decode(std::string_view bytes) {
//         auto parsed = from_json(bytes);
//         if (!parsed) return seawall::undecodable("user", bytes);
//         return *std::move(parsed);
//       }
//     };
//
// A type whose bytes lie in one piece may have `static std::string_view as_bytes(const T&)` in place of `encode`.
// Exceptions of a codec are caught where it is used and become errors. Enums and characters have no codec: cast them.
// Thread safety: all members are pure functions.
#pragma once

#include "seawall/base/result.hpp"

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace seawall {

template <class T>
struct codec;

/// The error of a `decode`: names `type` and shows the beginning of `bytes`, what cannot be printed as \xNN.
std::unexpected<error> undecodable(std::string_view type, std::string_view bytes);

namespace detail {

template <class T>
concept plain_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                        !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                        !std::same_as<T, char32_t>;

template <std::integral T>
constexpr std::string_view integer_name() {
  constexpr std::string_view names[2][4] = {{"uint8_t", "uint16_t", "uint32_t", "uint64_t"},
                                            {"int8_t", "int16_t", "int32_t", "int64_t"}};
  return names[std::is_signed_v<T> ? 1 : 0][sizeof(T) == 8 ? 3 : sizeof(T) / 2];
}

/// All of `text` as a number.
template <class T>
bool parse_number(std::string_view text, T& out) noexcept {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc{} && end == text.data() + text.size();
}

/// The longest decimal form of a number of 64 bits, doubles included.
inline constexpr std::size_t max_number = 32;

template <class T>
std::string_view print_number(T value, char (&out)[max_number]) noexcept {
  return {out, static_cast<std::size_t>(std::to_chars(out, out + max_number, value).ptr - out)};
}

}  // namespace detail

template <class T>
concept bytes_codec = requires(const T& value) {
  { codec<T>::as_bytes(value) } -> std::convertible_to<std::string_view>;
};

/// A T can be written.
template <class T>
concept encodable = bytes_codec<T> || requires(const T& value, std::string& out) { codec<T>::encode(value, out); };

/// A T can be read.
template <class T>
concept decodable = requires(std::string_view bytes) {
  { codec<T>::decode(bytes) } -> std::same_as<result<T>>;
};

template <>
struct codec<std::string> {
  static std::string_view as_bytes(const std::string& value) noexcept { return value; }
  static result<std::string> decode(std::string_view bytes) { return std::string{bytes}; }
};

template <>
struct codec<std::string_view> {
  static std::string_view as_bytes(std::string_view value) noexcept { return value; }
};

template <>
struct codec<std::vector<std::byte>> {
  static std::string_view as_bytes(const std::vector<std::byte>& value) noexcept {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
  }
  static result<std::vector<std::byte>> decode(std::string_view bytes) {
    const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
    return std::vector<std::byte>(begin, begin + bytes.size());
  }
};

template <detail::plain_integer T>
struct codec<T> {
  static void encode(T value, std::string& out) {
    char digits[detail::max_number];
    out += detail::print_number(value, digits);
  }
  static result<T> decode(std::string_view bytes) {
    T value{};
    if (detail::parse_number(bytes, value)) return value;
    return undecodable(detail::integer_name<T>(), bytes);
  }
};

template <class T>
  requires(std::same_as<T, float> || std::same_as<T, double>)
struct codec<T> {
  static void encode(T value, std::string& out) {
    char digits[detail::max_number];
    out += detail::print_number(value, digits);
  }
  static result<T> decode(std::string_view bytes) {
    T value{};
    if (detail::parse_number(bytes, value)) return value;
    return undecodable(sizeof(T) == sizeof(float) ? "float" : "double", bytes);
  }
};

template <>
struct codec<bool> {
  static std::string_view as_bytes(bool value) noexcept { return value ? "1" : "0"; }
  static result<bool> decode(std::string_view bytes) {
    if (bytes == "1") return true;
    if (bytes == "0") return false;
    return undecodable("bool", bytes);
  }
};

/// The bytes of a value; `scratch` holds them when the value does not.
template <encodable T>
std::string_view encode(const T& value, std::string& scratch) {
  if constexpr (bytes_codec<T>) {
    return codec<T>::as_bytes(value);
  } else {
    scratch.clear();
    codec<T>::encode(value, scratch);
    return scratch;
  }
}

}  // namespace seawall

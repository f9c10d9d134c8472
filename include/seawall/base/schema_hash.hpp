// schema_hash<T>: 32 bits that say how the bytes of a T are laid out. A store keeps them beside the bytes; an entry
// that carries other bits was written for another T and is a miss, not a mistake.
//   json_codec, msgpack_codec   the format; the names and types of the members, recursively; the names of enumerators
//   text, bytes, numbers, bool  the type; integers by width and sign
//   a codec of your own         its `static constexpr std::uint32_t schema`, or else 0: "says nothing"
// The hash changes when a member is added, removed, renamed or gets another type, and when an enumerator does; not when
// members change places or the struct changes its name. It is the same on every machine and with every compiler.
//
// Adding a member therefore makes misses of all older entries, and of all newer ones to older programs, until one shape
// is everywhere. Where the formats can read each other (an added optional member), pin the hash:
//   template <>
//   struct seawall::codec<user> : seawall::json_codec<user> {
//     static constexpr std::uint32_t schema = 1;  // your number, any but 0; change it to give all older entries up
//   };
// Thread safety: pure functions; evaluated at compile time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/codec.hpp"
#include "seawall/base/random.hpp"

namespace seawall {

namespace detail {

/// FNV-1a, 64 bits, of `text`, continuing from `state`.
constexpr std::uint64_t schema_text(std::string_view text, std::uint64_t state = 0xcbf29ce484222325) noexcept {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mix64(state);
}

/// Never 0.
constexpr std::uint32_t schema_fold(std::uint64_t state) noexcept {
  const auto folded = static_cast<std::uint32_t>(state ^ (state >> 32));
  return folded == 0 ? 1 : folded;
}

template <class T>
concept declares_schema = requires {
  { codec<T>::schema } -> std::convertible_to<std::uint32_t>;
};

template <class T>
constexpr std::string_view built_in_name() {
  if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) return "text";
  else if constexpr (std::same_as<T, std::vector<std::byte>>) return "bytes";
  else if constexpr (plain_integer<T>) return integer_name<T>();
  else if constexpr (std::same_as<T, float>) return "float";
  else if constexpr (std::same_as<T, double>) return "double";
  else if constexpr (std::same_as<T, bool>) return "bool";
  else return {};
}

}  // namespace detail

/// See above; 0 if nothing is known of T's bytes.
template <class T>
constexpr std::uint32_t schema_hash() noexcept {
  if constexpr (detail::declares_schema<T>) return codec<T>::schema;
  else if constexpr (detail::built_in_name<T>().empty()) return 0;
  else return detail::schema_fold(detail::schema_text(detail::built_in_name<T>(), detail::schema_text("plain")));
}

}  // namespace seawall

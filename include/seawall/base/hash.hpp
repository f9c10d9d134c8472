// hash<K>: the hash of a cache key, 64 good bits (both ends may be used: one to choose a shard, the other a slot).
//   strings      XXH3 of the bytes. std::string, std::string_view, const char* and everything that converts to
//                std::string_view agree, so a cache<std::string, V> is asked with a string_view without a copy.
//   numbers      integers and enums: a bijection, two different keys never share a hash.
//   composites   pair, tuple, optional, array, vector: their elements, combined in order.
//   your type    std::hash<K>, or else hash_value(const K&) found by argument-dependent lookup (Boost's convention).
//                The answer is mixed, so an identity hash is fine.
// A seed makes the slots of keys unpredictable to clients that choose keys (hash flooding); seawall::cache gives each
// cache its own. The hash is not cryptographic, and it is not for storage: it may change between versions of Seawall.
// digest128 and hash_bytes128 are for storage: XXH3 128-bit with seed 0, the same on every machine.
// Thread safety: all const; use from any thread.
#pragma once

#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "seawall/base/random.hpp"

namespace seawall {

/// XXH3 64-bit.
std::uint64_t hash_bytes(const void* data, std::size_t size, std::uint64_t seed = 0) noexcept;

/// A 128-bit digest; hex() is XXH128's canonical form, the same 32 digits that `xxh128sum` prints.
struct digest128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  std::string hex() const;
  friend constexpr auto operator<=>(const digest128&, const digest128&) = default;
};

/// XXH3 128-bit, seed 0.
digest128 hash_bytes128(std::string_view bytes) noexcept;

namespace detail {

template <class T>
concept views_as_string = std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>;

template <class T>
inline constexpr bool is_char_string = false;
template <class Traits, class Alloc>
inline constexpr bool is_char_string<std::basic_string<char, Traits, Alloc>> = true;
template <class Traits>
inline constexpr bool is_char_string<std::basic_string_view<char, Traits>> = true;
template <>
inline constexpr bool is_char_string<const char*> = true;
template <>
inline constexpr bool is_char_string<char*> = true;
template <std::size_t N>
inline constexpr bool is_char_string<char[N]> = true;

template <class T>
inline constexpr bool is_tuple_like = false;
template <class A, class B>
inline constexpr bool is_tuple_like<std::pair<A, B>> = true;
template <class... T>
inline constexpr bool is_tuple_like<std::tuple<T...>> = true;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_sequence = false;
template <class T, class Alloc>
inline constexpr bool is_sequence<std::vector<T, Alloc>> = true;
template <class T, std::size_t N>
inline constexpr bool is_sequence<std::array<T, N>> = true;

template <class T>
concept has_std_hash = requires(const T& value) {
  { std::hash<T>{}(value) } -> std::convertible_to<std::size_t>;
};

template <class T>
concept has_adl_hash = requires(const T& value) {
  { hash_value(value) } -> std::convertible_to<std::size_t>;
};

constexpr std::uint64_t hash_combine(std::uint64_t state, std::uint64_t next) noexcept {
  return mix64(state * 0x9e3779b97f4a7c15 + next);
}

template <class T>
std::uint64_t hash_of(const T& value, std::uint64_t seed) {
  if constexpr (is_char_string<T>) {
    const std::string_view text = value;
    return hash_bytes(text.data(), text.size(), seed);
  } else if constexpr (std::is_enum_v<T>) {
    return hash_of(static_cast<std::underlying_type_t<T>>(value), seed);
  } else if constexpr (std::integral<T> && sizeof(T) <= sizeof(std::uint64_t)) {
    return mix64(static_cast<std::uint64_t>(value) ^ seed);
  } else if constexpr (is_tuple_like<T>) {
    return std::apply(
        [seed](const auto&... element) {
          std::uint64_t state = seed;
          ((state = hash_combine(state, hash_of(element, seed))), ...);
          return state;
        },
        value);
  } else if constexpr (is_optional<T>) {
    return value ? hash_combine(seed + 1, hash_of(*value, seed)) : mix64(seed + 2);
  } else if constexpr (is_sequence<T>) {
    std::uint64_t state = seed ^ value.size();
    for (const typename T::value_type& element : value) state = hash_combine(state, hash_of(element, seed));
    return state;
  } else if constexpr (has_std_hash<T>) {
    return mix64(static_cast<std::uint64_t>(std::hash<T>{}(value)) ^ seed);
  } else {
    static_assert(has_adl_hash<T>, "seawall::hash: specialise std::hash for the key type, or give it a hash_value()");
    return mix64(static_cast<std::uint64_t>(hash_value(value)) ^ seed);
  }
}

/// Q may be hashed in place of K, without a conversion: both are strings, or tuples of such elements.
template <class K, class Q>
struct hashes_as : std::bool_constant<std::same_as<K, Q> || (is_char_string<K> && is_char_string<Q>)> {};
template <class A, class B, class C, class D>
struct hashes_as<std::pair<A, B>, std::pair<C, D>> : std::conjunction<hashes_as<A, C>, hashes_as<B, D>> {};
template <class... A, class... B>
  requires(sizeof...(A) == sizeof...(B))
struct hashes_as<std::tuple<A...>, std::tuple<B...>> : std::conjunction<hashes_as<A, B>...> {};

}  // namespace detail

template <class K>
struct hash {
  using is_transparent = void;

  constexpr hash() noexcept = default;
  constexpr explicit hash(std::uint64_t seed) noexcept : seed_(seed) {}

  std::size_t operator()(const K& key) const
      noexcept(detail::is_char_string<K> || std::is_integral_v<K> || std::is_enum_v<K>) {
    return static_cast<std::size_t>(detail::hash_of(key, seed_));
  }

  /// A key of another type that compares equal to a K; it hashes alike.
  template <class Q>
    requires(!std::same_as<K, Q> && !detail::is_char_string<K> && detail::hashes_as<K, Q>::value)
  std::size_t operator()(const Q& key) const {
    return static_cast<std::size_t>(detail::hash_of(key, seed_));
  }

  template <class Q>
    requires(!std::same_as<K, Q> && detail::is_char_string<K> && detail::views_as_string<Q>)
  std::size_t operator()(const Q& key) const noexcept {
    return static_cast<std::size_t>(detail::hash_of(static_cast<std::string_view>(key), seed_));
  }

 private:
  std::uint64_t seed_ = 0;
};

}  // namespace seawall

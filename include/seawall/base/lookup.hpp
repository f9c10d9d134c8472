// Which types may be looked up in place of a cache's key type without a conversion.
#pragma once

#include "seawall/base/hash.hpp"

#include <concepts>

namespace seawall::detail {

template <class Hash, class K, class Q>
inline constexpr bool hashes_alike = requires(const Hash& hash, const Q& key) {
  typename Hash::is_transparent;
  hash(key);
};
template <class K, class Q>
inline constexpr bool hashes_alike<hash<K>, K, Q> =
    (is_char_string<K> && views_as_string<Q>) || hashes_as<K, Q>::value;

/// Q may be looked up in place of K without a conversion: it hashes as an equal K does, and can be compared with one.
template <class Hash, class Eq, class K, class Q>
inline constexpr bool looks_up = hashes_alike<Hash, K, Q> && std::predicate<const Eq&, const K&, const Q&> &&
                                 std::predicate<const Eq&, const Q&, const K&>;

template <class K, class Q>
K converted_key(const Q& key) {
  static_assert(std::convertible_to<const Q&, K> || is_char_string<K>,
                "a key is of the cache's key type, compares equal to one, or converts to it implicitly");
  static_assert(!std::integral<K> || (std::integral<Q> && sizeof(Q) <= sizeof(K)),
                "a key of a wider type, or one with a fraction, might be taken for another key");
  return static_cast<K>(key);
}

/// A key of another type as it is when it hashes and compares like K, and converted otherwise.
template <class Hash, class Eq, class K, class Q>
decltype(auto) as_key(const Q& key) {
  if constexpr (std::same_as<Q, K> || looks_up<Hash, Eq, K, Q>) return (key);
  else return converted_key<K>(key);
}

/// The hash that tables use: seawall::hash as it is, any other one mixed, since it may have few good bits.
template <class Hash, class K, class Q>
std::size_t table_hash(const Hash& hash, const Q& key) {
  if constexpr (std::same_as<Hash, seawall::hash<K>>) return hash(key);
  else return static_cast<std::size_t>(mix64(static_cast<std::uint64_t>(hash(key))));
}

template <class Hash>
Hash seeded_hash(std::uint64_t seed) {
  if constexpr (std::constructible_from<Hash, std::uint64_t>) return Hash(seed);
  else return Hash{};
}

}  // namespace seawall::detail

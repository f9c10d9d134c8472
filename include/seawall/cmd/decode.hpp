// decode<T>: how a reply becomes a T. RESP2 and RESP3 shapes are both read, since a server may speak either.
//   a type with a codec    a string; numbers and bool also from the reply types of numbers
//   std::optional<T>       null, or a T
//   std::vector<T>, sets   an array or a set; null reads as empty
//   vectors and maps of pairs (and of scored<T>)   a map, an array of pairs, or a flat array of key, value, key, value
//   pair, tuple, array     an array of exactly so many elements
//   cmd::ok                any string, "OK" as a rule
//   resp::value            anything, as it came
// For a type of your own that is no string, specialise `reply_reader`.
// Thread safety: pure functions.
#pragma once

#include "seawall/base/codec.hpp"
#include "seawall/base/result.hpp"
#include "seawall/resp/value.hpp"
#include "seawall/resp/view.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// The result of a command that can only succeed.
struct ok {
  friend bool operator==(ok, ok) = default;
};

/// A member of a sorted set with its score.
template <class T>
struct scored {
  T member{};
  double score = 0;

  friend bool operator==(const scored&, const scored&) = default;
};

/// `static result<T> read(resp::view)`.
template <class T>
struct reply_reader;

/// The reply as a T. A server's error becomes that error (cmd::to_error), also inside an array; another shape becomes
/// errc::unexpected_reply, "expected an integer, the server answered an array".
template <class T>
result<T> decode(resp::view reply) {
  return reply_reader<T>::read(reply);
}

namespace detail {

/// The error for a reply that is no `expected` ("an integer").
std::unexpected<error> unexpected_reply(std::string_view expected, resp::view reply);
/// The same for an aggregate of another size.
std::unexpected<error> unexpected_size(std::size_t expected, resp::view reply);

/// A simple, bulk or verbatim string, or a number as text.
bool is_text(resp::view reply) noexcept;
/// The first element is an array: an array of pairs, not a flat one.
bool is_nested(resp::view reply) noexcept;

template <class T>
inline constexpr bool is_pair_like = false;
template <class A, class B>
inline constexpr bool is_pair_like<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_pair_like<scored<T>> = true;

template <class T>
struct pair_parts;
template <class A, class B>
struct pair_parts<std::pair<A, B>> {
  using first = std::remove_const_t<A>;
  using second = B;
};
template <class T>
struct pair_parts<scored<T>> {
  using first = T;
  using second = double;
};

/// A container that is filled by inserting at its end (or anywhere).
template <class C>
concept container =
    !decodable<C> && requires(C& c, typename C::value_type value) { c.insert(c.end(), std::move(value)); };

}  // namespace detail

template <decodable T>
struct reply_reader<T> {
  static result<T> read(resp::view reply) {
    if constexpr (std::same_as<T, bool>) {
      if (const auto yes = reply.boolean()) return *yes;
    } else if constexpr (std::floating_point<T>) {
      if (const auto number = reply.number()) return static_cast<T>(*number);
    } else if constexpr (seawall::detail::plain_integer<T>) {
      if (const auto number = reply.integer(); number && std::in_range<T>(*number)) return static_cast<T>(*number);
    }
    if (detail::is_text(reply)) return codec<T>::decode(reply.text());
    constexpr bool numeric = std::is_arithmetic_v<T>;
    return detail::unexpected_reply(numeric ? (std::integral<T> ? "an integer" : "a number") : "a string", reply);
  }
};

template <>
struct reply_reader<ok> {
  static result<ok> read(resp::view reply) {
    if (detail::is_text(reply)) return ok{};
    return detail::unexpected_reply("OK", reply);
  }
};

template <>
struct reply_reader<resp::value> {
  static result<resp::value> read(resp::view reply) { return resp::value{reply}; }
};

template <class T>
struct reply_reader<std::optional<T>> {
  static result<std::optional<T>> read(resp::view reply) {
    if (reply.is_null()) return std::optional<T>{};
    result<T> given = decode<T>(reply);
    if (!given) return std::unexpected(std::move(given.error()));
    return std::optional<T>{*std::move(given)};
  }
};

/// A pair-like type from two replies.
namespace detail {

template <class Pair>
result<Pair> read_pair(resp::view first, resp::view second) {
  auto a = decode<typename pair_parts<Pair>::first>(first);
  if (!a) return std::unexpected(std::move(a.error()));
  auto b = decode<typename pair_parts<Pair>::second>(second);
  if (!b) return std::unexpected(std::move(b.error()));
  return Pair{*std::move(a), *std::move(b)};
}

template <class C>
result<C> read_flat_pairs(resp::view reply) {
  C out;
  if constexpr (requires { out.reserve(1); }) out.reserve(reply.size() / 2);
  for (auto at = reply.begin(); at != reply.end(); ++at) {
    const resp::view first = *at;
    if (++at == reply.end()) return unexpected_reply("pairs", reply);
    auto pair = read_pair<typename C::value_type>(first, *at);
    if (!pair) return std::unexpected(std::move(pair.error()));
    out.insert(out.end(), *std::move(pair));
  }
  return out;
}

template <class C>
result<C> read_elements(resp::view reply) {
  C out;
  if constexpr (requires { out.reserve(1); }) out.reserve(reply.size());
  for (const resp::view element : reply) {
    auto value = decode<typename C::value_type>(element);
    if (!value) return std::unexpected(std::move(value.error()));
    out.insert(out.end(), *std::move(value));
  }
  return out;
}

template <class Tuple, std::size_t... I>
result<Tuple> read_tuple(resp::view reply, std::index_sequence<I...>) {
  if (!reply.is_aggregate()) return unexpected_reply("an array", reply);
  if (reply.size() != sizeof...(I)) return unexpected_size(sizeof...(I), reply);
  auto at = reply.begin();
  // Braces keep the order of the elements.
  std::tuple<result<std::tuple_element_t<I, Tuple>>...> parts{
      ((void)I, decode<std::tuple_element_t<I, Tuple>>(*std::exchange(at, std::next(at))))...};
  std::optional<error> failed;
  const auto check = [&failed](auto& part) {
    if (!part && !failed) failed = std::move(part.error());
  };
  (check(std::get<I>(parts)), ...);
  if (failed) return std::unexpected(*std::move(failed));
  return Tuple{*std::move(std::get<I>(parts))...};
}

}  // namespace detail

template <detail::container C>
struct reply_reader<C> {
  static result<C> read(resp::view reply) {
    if (reply.is_null()) return C{};
    if (!reply.is_aggregate()) return detail::unexpected_reply("an array", reply);
    if constexpr (detail::is_pair_like<typename C::value_type>) {
      if (!detail::is_nested(reply)) return detail::read_flat_pairs<C>(reply);
    }
    return detail::read_elements<C>(reply);
  }
};

template <class A, class B>
struct reply_reader<std::pair<A, B>> {
  static result<std::pair<A, B>> read(resp::view reply) {
    if (!reply.is_aggregate()) return detail::unexpected_reply("a pair", reply);
    if (reply.size() != 2) return detail::unexpected_size(2, reply);
    return detail::read_pair<std::pair<A, B>>(reply[0], reply[1]);
  }
};

/// `const` keys are how maps spell their elements.
template <class A, class B>
struct reply_reader<std::pair<const A, B>> {
  static result<std::pair<const A, B>> read(resp::view reply) {
    if (!reply.is_aggregate()) return detail::unexpected_reply("a pair", reply);
    if (reply.size() != 2) return detail::unexpected_size(2, reply);
    return detail::read_pair<std::pair<const A, B>>(reply[0], reply[1]);
  }
};

template <class T>
struct reply_reader<scored<T>> {
  static result<scored<T>> read(resp::view reply) {
    if (!reply.is_aggregate()) return detail::unexpected_reply("a member with its score", reply);
    if (reply.size() != 2) return detail::unexpected_size(2, reply);
    return detail::read_pair<scored<T>>(reply[0], reply[1]);
  }
};

template <class... T>
struct reply_reader<std::tuple<T...>> {
  static result<std::tuple<T...>> read(resp::view reply) {
    return detail::read_tuple<std::tuple<T...>>(reply, std::index_sequence_for<T...>{});
  }
};

template <class T, std::size_t N>
struct reply_reader<std::array<T, N>> {
  static result<std::array<T, N>> read(resp::view reply) {
    return detail::read_tuple<std::array<T, N>>(reply, std::make_index_sequence<N>{});
  }
};

}  // namespace seawall::cmd

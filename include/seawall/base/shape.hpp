// What json_codec and msgpack_codec know of types: which form a value has in a document, and the hash of its shape.
// Included by them; not for other use.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/core/type_name.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

#include "seawall/base/hash.hpp"
#include "seawall/base/schema_hash.hpp"

namespace seawall::detail {

/// Arrays and maps within each other, the outermost counted.
inline constexpr int max_nesting = 32;

enum class form { none, boolean, integer, real, text, bytes, optional, enumeration, structure, map, list, array, tuple,
                  duration, time_point, own_codec };

template <class T>
inline constexpr bool is_fixed_array = false;
template <class T, std::size_t N>
inline constexpr bool is_fixed_array<std::array<T, N>> = true;

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <class T>
inline constexpr bool is_system_time = false;
template <class Duration>
inline constexpr bool is_system_time<std::chrono::time_point<std::chrono::system_clock, Duration>> = true;

template <class T>
concept text_map = requires(T& map, std::string key) {
  requires std::same_as<typename T::key_type, std::string>;
  typename T::mapped_type;
  map.insert_or_assign(std::move(key), typename T::mapped_type{});
};

template <class T>
concept growing_list = requires(T& list, typename T::value_type element) {
  list.clear();
  list.insert(list.end(), std::move(element));
  list.size();
} && !requires { typename T::mapped_type; };

template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
consteval form form_of() {
  if constexpr (std::same_as<T, bool>) return form::boolean;
  else if constexpr (plain_integer<T>) return form::integer;
  else if constexpr (std::same_as<T, float> || std::same_as<T, double>) return form::real;
  else if constexpr (std::same_as<T, std::string>) return form::text;
  else if constexpr (std::same_as<T, std::vector<std::byte>>) return form::bytes;
  else if constexpr (is_optional<T>) return form::optional;
  else if constexpr (described_enum<T>) return form::enumeration;
  else if constexpr (described_struct<T>) return form::structure;
  else if constexpr (text_map<T>) return form::map;
  else if constexpr (is_fixed_array<T>) return form::array;
  else if constexpr (is_tuple_like<T>) return form::tuple;
  else if constexpr (is_duration<T>) return form::duration;
  else if constexpr (is_system_time<T>) return form::time_point;
  else {
    if constexpr (growing_list<T>) {
      if constexpr (form_of<typename T::value_type>() != form::none) return form::list;
    }
    return encodable<T> && decodable<T> ? form::own_codec : form::none;
  }
}

template <class T>
consteval form known_form() {
  static_assert(form_of<T>() != form::none,
                "seawall: a type has no form in JSON and MessagePack: describe it (BOOST_DESCRIBE_STRUCT, "
                "BOOST_DESCRIBE_ENUM), or give it a codec");
  return form_of<T>();
}

/// Of a struct: the base classes' too, and the private ones that are described.
template <class T>
using members_of =
    boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;

/// The last part of the name of a type, unless it has template arguments.
std::string without_namespaces(const std::string& name);

/// The name of T for messages.
template <class T>
std::string type_label() {
  constexpr form f = form_of<T>();
  if constexpr (!built_in_name<T>().empty()) return std::string{built_in_name<T>()};
  else if constexpr (f == form::map) return "map";
  else if constexpr (f == form::list || f == form::array || f == form::tuple) return "array";
  else if constexpr (f == form::optional) return type_label<typename T::value_type>();
  else if constexpr (f == form::duration || f == form::time_point) return type_label<typename T::rep>();
  else return without_namespaces(boost::core::type_name<T>());
}

template <class T, class... Outer>
consteval std::uint64_t shape_hash();

/// The sum over the members does not depend on their order.
template <class T, class... Outer>
consteval std::uint64_t struct_hash() {
  std::uint64_t sum = schema_text("struct");
  boost::mp11::mp_for_each<members_of<T>>([&sum]<class D>(D) {
    using member = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;
    sum += mix64(schema_text(D::name, shape_hash<member, T, Outer...>()));
  });
  return mix64(sum);
}

template <class T>
consteval std::uint64_t enum_hash() {
  std::uint64_t sum = schema_text("enum");
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&sum]<class D>(D) { sum += mix64(schema_text(D::name)); });
  return mix64(sum);
}

/// Outer: the structs around T, innermost first. A struct within itself is its distance.
template <class T, class... Outer>
consteval std::uint64_t shape_hash() {
  constexpr form f = known_form<T>();
  if constexpr ((std::same_as<T, Outer> || ...)) {
    return hash_combine(schema_text("within itself"), boost::mp11::mp_find<std::tuple<Outer...>, T>::value);
  } else if constexpr (f == form::structure) {
    return struct_hash<T, Outer...>();
  } else if constexpr (f == form::enumeration) {
    return enum_hash<T>();
  } else if constexpr (f == form::optional) {
    return hash_combine(schema_text("optional"), shape_hash<typename T::value_type, Outer...>());
  } else if constexpr (f == form::map) {
    return hash_combine(schema_text("map"), shape_hash<typename T::mapped_type, Outer...>());
  } else if constexpr (f == form::list) {
    return hash_combine(schema_text("list"), shape_hash<typename T::value_type, Outer...>());
  } else if constexpr (f == form::array) {
    const std::uint64_t sized = hash_combine(schema_text("array"), std::tuple_size_v<T>);
    return hash_combine(sized, shape_hash<typename T::value_type, Outer...>());
  } else if constexpr (f == form::tuple) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      std::uint64_t state = schema_text("tuple");
      ((state = hash_combine(state, shape_hash<std::tuple_element_t<I, T>, Outer...>())), ...);
      return state;
    }(std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (f == form::duration || f == form::time_point) {
    std::uint64_t state = schema_text(f == form::duration ? "duration" : "time");
    state = hash_combine(state, static_cast<std::uint64_t>(T::period::num));
    state = hash_combine(state, static_cast<std::uint64_t>(T::period::den));
    return hash_combine(state, shape_hash<typename T::rep>());
  } else if constexpr (f == form::own_codec) {
    return hash_combine(schema_text("codec"), schema_hash<T>());
  } else {
    return schema_text(built_in_name<T>());
  }
}

/// The schema of a T in `format`.
template <class T>
consteval std::uint32_t document_schema(std::string_view format) {
  return schema_fold(hash_combine(schema_text(format), shape_hash<T>()));
}

}  // namespace seawall::detail

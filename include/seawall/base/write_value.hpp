// Values to a writer of JSON or MessagePack. Included by json_codec and msgpack_codec; not for other use.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "seawall/base/shape.hpp"

namespace seawall::detail {

/// A Writer has null(), boolean(), integer(), real(), text(), perhaps bytes(); begin_list(size), item() before each
/// element, end_list(); begin_map(size), key() before each value, end_map().
template <class T, class Writer>
void write_value(Writer& out, const T& value, int nesting);

/// Too deep a value is refused here, since no reader takes it.
inline int deeper(int nesting) {
  if (nesting == max_nesting) throw std::length_error("nested deeper than " + std::to_string(max_nesting));
  return nesting + 1;
}

template <class T>
bool is_absent(const T& member) {
  if constexpr (is_optional<T>) return !member.has_value();
  else return false;
}

template <class T, class Writer>
void write_enum(Writer& out, T value) {
  bool known = false;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (known || value != enumerator.value) return;
    known = true;
    out.text(enumerator.name);
  });
  if (known) return;
  throw std::invalid_argument("no enumerator of " + type_label<T>() + " is " +
                              std::to_string(static_cast<std::underlying_type_t<T>>(value)));
}

template <class T, class Writer>
void write_struct(Writer& out, const T& value, int nesting) {
  std::size_t present = 0;
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) { present += is_absent(value.*member.pointer) ? 0 : 1; });
  out.begin_map(present);
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
    if (is_absent(value.*member.pointer)) return;
    out.key(member.name);
    write_value(out, value.*member.pointer, nesting);
  });
  out.end_map();
}

template <class T, class Writer>
void write_map(Writer& out, const T& value, int nesting) {
  out.begin_map(value.size());
  for (const auto& [key, element] : value) {
    out.key(key);
    write_value<typename T::mapped_type>(out, element, nesting);
  }
  out.end_map();
}

template <class T, class Writer>
void write_list(Writer& out, const T& value, int nesting) {
  out.begin_list(value.size());
  for (const auto& element : value) {
    out.item();
    write_value<typename T::value_type>(out, element, nesting);  // by name: an element of vector<bool> is a proxy
  }
  out.end_list();
}

template <class T, class Writer>
void write_tuple(Writer& out, const T& value, int nesting) {
  out.begin_list(std::tuple_size_v<T>);
  std::apply([&](const auto&... element) { ((out.item(), write_value(out, element, nesting)), ...); }, value);
  out.end_list();
}

template <class Writer>
void write_bytes(Writer& out, std::string_view bytes) {
  constexpr bool binary = requires { out.bytes(bytes); };
  if constexpr (binary) out.bytes(bytes);
  else out.text(bytes);
}

template <class T, class Writer>
void write_value(Writer& out, const T& value, int nesting) {
  constexpr form f = known_form<T>();
  if constexpr (f == form::boolean) {
    out.boolean(value);
  } else if constexpr (f == form::integer) {
    out.integer(static_cast<std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>(value));
  } else if constexpr (f == form::real) {
    out.real(value);
  } else if constexpr (f == form::text) {
    out.text(value);
  } else if constexpr (f == form::bytes) {
    static_assert(requires { out.bytes(std::string_view{}); },
                  "seawall: std::vector<std::byte> has no form in JSON: use msgpack_codec");
    out.bytes(codec<T>::as_bytes(value));
  } else if constexpr (f == form::optional) {
    if (value) write_value(out, *value, nesting);
    else out.null();
  } else if constexpr (f == form::enumeration) {
    write_enum(out, value);
  } else if constexpr (f == form::structure) {
    write_struct(out, value, deeper(nesting));
  } else if constexpr (f == form::map) {
    write_map(out, value, deeper(nesting));
  } else if constexpr (f == form::list || f == form::array) {
    write_list(out, value, deeper(nesting));
  } else if constexpr (f == form::tuple) {
    write_tuple(out, value, deeper(nesting));
  } else if constexpr (f == form::duration) {
    write_value(out, value.count(), nesting);
  } else if constexpr (f == form::time_point) {
    write_value(out, value.time_since_epoch(), nesting);
  } else if constexpr (f == form::own_codec) {
    std::string scratch;
    write_bytes(out, encode(value, scratch));
  }
}

}  // namespace seawall::detail

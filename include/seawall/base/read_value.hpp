// Values from tokens. Included by json_codec and msgpack_codec; not for other use.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "seawall/base/result.hpp"
#include "seawall/base/shape.hpp"
#include "seawall/base/tokens.hpp"

namespace seawall::detail {

template <class T>
bool read_value(token_reader& in, T& out);

template <class T>
bool read_scalar(token_reader& in, T& out) {
  if (!in.get(out)) return in.unexpected(type_label<T>());
  in.next();
  return true;
}

template <class T>
bool read_integer(token_reader& in, T& out) {
  std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide{};
  if (!in.get(wide) || !std::in_range<T>(wide)) return in.unexpected(type_label<T>());
  out = static_cast<T>(wide);
  in.next();
  return true;
}

template <class T>
bool read_enum(token_reader& in, T& out) {
  std::string_view name;
  bool known = false;
  if (!in.get_text(name)) return in.unexpected(type_label<T>());
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto enumerator) {
    if (known || name != enumerator.name) return;
    known = true;
    out = enumerator.value;
  });
  if (!known) return in.unexpected(type_label<T>());
  in.next();
  return true;
}

/// The member that is called `key`, or nothing. Sets `seen` at its place.
template <class T, std::size_t N>
bool read_member(token_reader& in, T& out, std::string_view key, std::array<bool, N>& seen) {
  bool known = false;
  bool fine = true;
  std::size_t place = 0;
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
    const std::size_t here = place++;
    if (known || key != member.name) return;
    known = true;
    seen[here] = true;
    fine = read_value(in, out.*member.pointer) || in.inside_member(member.name);
  });
  if (!known) in.skip();
  return fine;
}

template <class T>
bool read_struct(token_reader& in, T& out) {
  if (!in.is(token_kind::map)) return in.unexpected(type_label<T>());
  const std::uint32_t count = in.size();
  std::array<bool, boost::mp11::mp_size<members_of<T>>::value> seen{};
  in.next();
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!in.get_text(key)) {  // a key of another type is another program's, as an unknown member is
      in.skip();
      in.skip();
      continue;
    }
    in.next();
    if (!read_member(in, out, key, seen)) return false;
  }
  bool complete = true;
  std::size_t place = 0;
  boost::mp11::mp_for_each<members_of<T>>([&](auto member) {
    using type = std::remove_cvref_t<decltype(out.*member.pointer)>;
    const std::size_t here = place++;
    if (complete && !is_optional<type> && !seen[here]) complete = in.missing(member.name);
  });
  return complete;
}

template <class T>
bool read_map(token_reader& in, T& out) {
  if (!in.is(token_kind::map)) return in.unexpected(type_label<T>());
  const std::uint32_t count = in.size();
  in.next();
  out.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!in.get_text(key)) return in.refuse(type_label<T>(), "a key is not text");
    in.next();
    typename T::mapped_type element{};
    if (!read_value(in, element)) return in.inside_key(key);
    out.insert_or_assign(std::string{key}, std::move(element));
  }
  return true;
}

/// Nothing is reserved: a short document could ask for much memory before its first element turns out to be wrong.
template <class T>
bool read_list(token_reader& in, T& out) {
  if (!in.is(token_kind::list)) return in.unexpected(type_label<T>());
  const std::uint32_t count = in.size();
  in.next();
  out.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    typename T::value_type element{};
    if (!read_value(in, element)) return in.inside_element(i);
    out.insert(out.end(), std::move(element));
  }
  return true;
}

/// std::array, std::pair and std::tuple.
template <class T>
bool read_tuple(token_reader& in, T& out) {
  constexpr std::size_t size = std::tuple_size_v<T>;
  if (!in.is(token_kind::list) || in.size() != size) return in.unexpected("array of " + std::to_string(size));
  in.next();
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((read_value(in, std::get<I>(out)) || in.inside_element(I)) && ...);
  }(std::make_index_sequence<size>{});
}

template <class T>
bool read_with_codec(token_reader& in, T& out) {
  std::string_view bytes;
  if (!in.get_bytes(bytes) && !in.get_text(bytes)) return in.unexpected(type_label<T>());
  result<T> decoded = codec<T>::decode(bytes);
  if (!decoded) return in.refuse(type_label<T>(), decoded.error().message());
  out = *std::move(decoded);
  in.next();
  return true;
}

template <class T>
bool read_run(token_reader& in, T& out) {
  std::string_view run;
  if constexpr (std::same_as<T, std::string>) {
    if (!in.get_text(run)) return in.unexpected(type_label<T>());
    out = run;
  } else {
    if (!in.get_bytes(run)) return in.unexpected(type_label<T>());
    const auto* begin = reinterpret_cast<const std::byte*>(run.data());
    out.assign(begin, begin + run.size());
  }
  in.next();
  return true;
}

template <class T>
bool read_optional(token_reader& in, T& out) {
  static_assert(!is_optional<typename T::value_type>, "seawall: an optional of an optional has no form of its own");
  if (!in.is(token_kind::null)) return read_value(in, out.emplace());
  out.reset();
  in.next();
  return true;
}

template <class T>
bool read_value(token_reader& in, T& out) {
  constexpr form f = known_form<T>();
  if constexpr (f == form::boolean || f == form::real) {
    return read_scalar(in, out);
  } else if constexpr (f == form::integer) {
    return read_integer(in, out);
  } else if constexpr (f == form::text || f == form::bytes) {
    return read_run(in, out);
  } else if constexpr (f == form::optional) {
    return read_optional(in, out);
  } else if constexpr (f == form::enumeration) {
    return read_enum(in, out);
  } else if constexpr (f == form::structure) {
    return read_struct(in, out);
  } else if constexpr (f == form::map) {
    return read_map(in, out);
  } else if constexpr (f == form::list) {
    return read_list(in, out);
  } else if constexpr (f == form::array || f == form::tuple) {
    return read_tuple(in, out);
  } else if constexpr (f == form::duration) {
    typename T::rep count{};
    if (!read_value(in, count)) return false;
    out = T{count};
    return true;
  } else if constexpr (f == form::time_point) {
    typename T::duration since{};
    if (!read_value(in, since)) return false;
    out = T{since};
    return true;
  } else if constexpr (f == form::own_codec) {
    return read_with_codec(in, out);
  }
}

/// The whole of `bytes` as a T.
template <class T>
result<T> decode_document(std::string_view bytes, document_parser parse) {
  static_assert(std::default_initializable<T>, "seawall: a decoded type needs a default constructor");
  try {
    token_tape tape;
    if (!parse(bytes, tape)) return fail(errc::undecodable, "cannot read " + type_label<T>() + ' ' + tape.problem);
    token_reader in{tape};
    result<T> out{std::in_place};
    if (!read_value(in, *out)) out = fail(errc::undecodable, in.message(type_label<T>()));
    return out;
  } catch (const std::exception& thrown) {
    return std::unexpected(error{errc::undecodable, "cannot read " + type_label<T>() + ": " + thrown.what(),
                                 std::current_exception()});
  } catch (...) {
    return std::unexpected(error{errc::undecodable, "cannot read " + type_label<T>() + ": an exception",
                                 std::current_exception()});
  }
}

}  // namespace seawall::detail

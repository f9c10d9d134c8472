// params: the parameters of an expensive call, as one canonical 128-bit digest for its cache key.
//   auto key = seawall::key("report").hashed(seawall::params().add("page", 2).add("sort", "price")).str();
// Two sets of parameters have one digest exactly when they mean the same (up to the odds of a 128-bit hash):
//   order        of add() does not matter; parameters are sorted by name
//   a name twice keeps both values, in the order of adding: ?tag=a&tag=b must never get the answer to ?tag=b
//   integers     and enums: by value, whatever the width or sign of the type; 1 and int64_t{1} agree
//   bool, text, integers and floating point are different types: true, 1, 1.0 and "1" differ
//   double       float widens to double; -0.0 equals 0.0; every NaN is the same
//   absent       std::nullopt, a null const char* and std::monostate agree; they differ from "", from 0, and from a
//                parameter that was never added. An optional or variant that holds a value is that value.
//   lists        vector, array, span, list, deque: length, then the elements in order: {"a","b"} and {"ab"} differ
//   sets, maps   ordered or not, the same elements agree
//   pair, tuple  their elements
//   time         durations by length (60s equals 1min), std::chrono::sys_time by instant; integral ticks only
//   structs      of BOOST_DESCRIBE_STRUCT: their members by name; other types of yours answer with a function in their
//                own namespace: seawall::params seawall_params(const Filter&)
// char (and wchar_t ...), long double and raw pointers do not compile: their meaning differs between machines.
// The encoding is defined byte by byte (docs/guide/keys.md), so digests agree between processes, machines and versions.
// The digest is XXH3-128: no accident makes two of them equal, but it is no cryptographic hash.
// Thread safety: as a std::vector; share it only when no thread adds.
#pragma once

#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "seawall/base/hash.hpp"

namespace seawall {

class params {
 public:
  /// Adds a parameter to this object.
  template <class T>
  params& add(std::string_view name, const T& value) &;
  template <class T>
  params add(std::string_view name, const T& value) && {
    add(name, value);
    return std::move(*this);
  }
  params& add(std::string_view name, std::nullopt_t) & { return add(name, std::monostate{}); }
  params add(std::string_view name, std::nullopt_t) && { return std::move(*this).add(name, std::monostate{}); }

  std::size_t size() const noexcept { return entries_.size(); }

  /// The canonical encoding: what digest() hashes.
  std::string canonical() const;

  digest128 digest() const { return hash_bytes128(canonical()); }

 private:
  struct entry {
    std::string name;
    std::string value;
  };

  std::vector<entry> entries_;
};

namespace detail {

/// Writes values in the canonical encoding: a type byte, then little-endian numbers and length-prefixed bytes.
class param_writer {
 public:
  explicit param_writer(std::string& out) noexcept : out_(out) {}

  void absent() { out_ += 'n'; }
  void boolean(bool value) { (out_ += 'b') += value ? '\1' : '\0'; }
  void integer(bool negative, std::uint64_t magnitude);
  void number(double value);
  void text(std::string_view value);
  void duration(std::int64_t seconds, std::uint32_t nanoseconds, char type);
  void object(const params& members);
  /// A list 'l', tuple 't', set 'u' or map 'm' of elements that are encoded already; `sort` makes order irrelevant.
  void elements(char type, std::vector<std::string> encoded, bool sort);

 private:
  std::string& out_;
};

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_integral_duration = false;
template <std::integral Rep, class Period>
inline constexpr bool is_integral_duration<std::chrono::duration<Rep, Period>> = true;
template <class T>
inline constexpr bool is_sys_time = false;
template <class Duration>
inline constexpr bool is_sys_time<std::chrono::sys_time<Duration>> = is_integral_duration<Duration>;

template <class T>
concept has_params_hook = requires(const T& value) {
  { seawall_params(value) } -> std::convertible_to<params>;
};

template <class T>
concept character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept set_like = requires { typename T::key_type; };
template <class T>
concept map_like = set_like<T> && requires { typename T::mapped_type; };

/// std::filesystem::path is a range of paths, without end.
template <class T>
concept is_range = std::ranges::input_range<const T> && !std::same_as<std::ranges::range_value_t<const T>, T>;

template <class T>
void write_param(param_writer& out, const T& value);

template <class T>
std::string encode_param(const T& value) {
  std::string bytes;
  param_writer writer(bytes);
  write_param(writer, value);
  return bytes;
}

template <std::integral T>
void write_integer(param_writer& out, T value) {
  static_assert(!character<T>, "seawall::params: a character is neither a number nor a text; convert it to one");
  static_assert(sizeof(T) <= sizeof(std::uint64_t), "seawall::params: integers have 64 bits at most");
  const auto bits = static_cast<std::uint64_t>(value);
  if constexpr (std::is_signed_v<T>) out.integer(value < 0, value < 0 ? ~bits + 1 : bits);
  else out.integer(false, bits);
}

template <class Duration>
void write_duration(param_writer& out, const Duration& value, char type) {
  using namespace std::chrono;
  static_assert(std::ratio_greater_equal_v<typename Duration::period, std::nano>,
                "seawall::params: durations have ticks of a nanosecond at least");
  const auto whole = floor<std::chrono::duration<std::int64_t>>(value);
  out.duration(whole.count(), static_cast<std::uint32_t>(duration_cast<nanoseconds>(value - whole).count()), type);
}

template <class Range>
void write_range(param_writer& out, const Range& range) {
  std::vector<std::string> encoded;
  if constexpr (map_like<Range>) {
    for (const auto& [key, value] : range) encoded.push_back(encode_param(key) + encode_param(value));
    out.elements('m', std::move(encoded), true);
  } else {
    for (const std::ranges::range_value_t<const Range>& element : range) encoded.push_back(encode_param(element));
    out.elements(set_like<Range> ? 'u' : 'l', std::move(encoded), set_like<Range>);
  }
}

template <class T>
void write_members(param_writer& out, const T& value) {
  using namespace boost::describe;
  params members;
  boost::mp11::mp_for_each<describe_members<T, mod_any_access | mod_inherited>>(
      [&](auto member) { members.add(member.name, value.*member.pointer); });
  out.object(members);
}

template <class T>
void write_param(param_writer& out, const T& value) {
  if constexpr (std::same_as<T, params>) {
    out.object(value);
  } else if constexpr (has_params_hook<T>) {
    out.object(seawall_params(value));
  } else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullopt_t>) {
    out.absent();
  } else if constexpr (std::same_as<T, bool>) {
    out.boolean(value);
  } else if constexpr (std::is_enum_v<T>) {
    write_integer(out, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::integral<T>) {
    write_integer(out, value);
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    out.number(static_cast<double>(value));
  } else if constexpr (views_as_string<T>) {
    if constexpr (std::is_pointer_v<T>) {
      if (value == nullptr) return out.absent();
    }
    out.text(value);
  } else if constexpr (is_optional<T>) {
    static_assert(!is_optional<typename T::value_type>, "seawall::params: an optional in an optional is ambiguous");
    if (!value) return out.absent();
    write_param<typename T::value_type>(out, *value);
  } else if constexpr (is_variant<T>) {
    std::visit([&out](const auto& held) { write_param(out, held); }, value);
  } else if constexpr (is_tuple_like<T>) {
    std::apply([&out](const auto&... element) { out.elements('t', {encode_param(element)...}, false); }, value);
  } else if constexpr (is_integral_duration<T>) {
    write_duration(out, value, 'p');
  } else if constexpr (is_sys_time<T>) {
    write_duration(out, value.time_since_epoch(), 'w');
  } else if constexpr (is_range<T>) {
    write_range(out, value);
  } else {
    static_assert(std::is_class_v<T> && boost::describe::has_describe_members<T>::value,
                  "seawall::params: describe the type with BOOST_DESCRIBE_STRUCT, or write seawall_params() for it");
    write_members(out, value);
  }
}

}  // namespace detail

template <class T>
params& params::add(std::string_view name, const T& value) & {
  entries_.push_back({std::string(name), detail::encode_param(value)});
  return *this;
}

}  // namespace seawall

// sql::value: what goes into a statement and comes out of a row. sql::arguments: the values of one statement.
//
// What C++ types become:
//   bool, integers, enums       integer; an unsigned one beyond 2^63 - 1 is an error, not another number
//   float, double               real
//   strings                     text
//   std::vector<std::byte>      bytes; std::span of bytes, too
//   std::nullopt, nullptr       NULL; an optional: NULL, or what it holds
//   vector, set, list, span ..  one list: "= ANY($1)" (PostgreSQL), "IN (SELECT value FROM json_each(?1))"
//   other types with a codec    text: what codec<T> writes
// Thread safety: as a std::vector.
#pragma once

#include "seawall/base/codec.hpp"
#include "seawall/base/hash.hpp"
#include "seawall/base/shape.hpp"
#include "seawall/source/sql_error.hpp"

#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace seawall::sql {

using bytes = std::vector<std::byte>;

struct value;
using list = std::vector<value>;

struct value {
  std::variant<std::monostate, std::int64_t, double, std::string, bytes, list> held{};

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(held); }
  const std::int64_t* integer() const noexcept { return std::get_if<std::int64_t>(&held); }
  const double* real() const noexcept { return std::get_if<double>(&held); }
  const std::string* text() const noexcept { return std::get_if<std::string>(&held); }
  const bytes* blob() const noexcept { return std::get_if<bytes>(&held); }
  const list* elements() const noexcept { return std::get_if<list>(&held); }

  /// For messages: "NULL", 12, "text" (its beginning), 17 bytes.
  std::string describe() const;

  friend bool operator==(const value&, const value&) = default;
};

class arguments {
 public:
  /// Adds one argument.
  template <class T>
  void add(const T& what) {
    value made;
    write(what, made);
    values_.push_back(std::move(made));
  }

  /// Adds a key: the elements of a tuple or pair and the members of a described struct are arguments of their own, in
  /// their order; everything else is one.
  template <class K>
  void add_key(const K& key) {
    if constexpr (seawall::detail::is_tuple_like<K>) {
      std::apply([this](const auto&... part) { (this->add(part), ...); }, key);
    } else if constexpr (seawall::detail::described_struct<K>) {
      boost::mp11::mp_for_each<seawall::detail::members_of<K>>([&]<class D>(D) { add(key.*D::pointer); });
    } else {
      add(key);
    }
  }

  std::span<const value> values() const noexcept { return values_; }
  /// What could not be an argument, if anything.
  const std::optional<error>& problem() const noexcept { return problem_; }

 private:
  template <class T>
  void write(const T& what, value& out);
  void too_large(std::uint64_t number);

  std::vector<value> values_;
  std::optional<error> problem_;
};

template <class... Args>
arguments arguments_of(const Args&... each) {
  arguments all;
  (all.add(each), ...);
  return all;
}

template <class T>
void arguments::write(const T& what, value& out) {
  namespace own = seawall::detail;
  if constexpr (std::same_as<T, value>) {
    out = what;
  } else if constexpr (std::same_as<T, std::nullopt_t> || std::same_as<T, std::nullptr_t>) {
    out = {};
  } else if constexpr (own::is_optional<T>) {
    if (what) write(*what, out);
  } else if constexpr (std::is_enum_v<T>) {
    write(static_cast<std::underlying_type_t<T>>(what), out);
  } else if constexpr (std::integral<T>) {
    if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(std::uint64_t)) {
      if (what > static_cast<T>(std::numeric_limits<std::int64_t>::max())) return too_large(what);
    }
    out.held = static_cast<std::int64_t>(what);
  } else if constexpr (std::floating_point<T>) {
    out.held = static_cast<double>(what);
  } else if constexpr (own::views_as_string<T>) {
    if constexpr (std::is_pointer_v<T>) {
      if (what == nullptr) return;
    }
    out.held = std::string{std::string_view{what}};
  } else if constexpr (std::ranges::contiguous_range<const T> &&
                       std::same_as<std::ranges::range_value_t<const T>, std::byte>) {
    out.held = bytes(std::ranges::begin(what), std::ranges::end(what));
  } else if constexpr (encodable<T>) {
    std::string scratch;
    out.held = std::string{encode(what, scratch)};
  } else {
    static_assert(std::ranges::input_range<const T>,
                  "seawall::sql: an argument is a number, an enum, a text, bytes, an optional or a list of these, or a "
                  "type with a codec (seawall/base/codec.hpp)");
    list all;
    for (const std::ranges::range_value_t<const T>& element : what) write(element, all.emplace_back());
    out.held = std::move(all);
  }
}

}  // namespace seawall::sql

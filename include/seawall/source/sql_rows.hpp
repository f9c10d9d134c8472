// sql::rows: what a statement answered. sql::row_view: one row of it, as C++ types.
//
// A row becomes
//   a described struct   (BOOST_DESCRIBE_STRUCT) each member from the column of its name; other columns are ignored
//   a tuple or pair      its columns by their place; there must be as many
//   anything else        the only column
// and a column
//   bool                 0 or 1
//   integers, enums      an integer in the type's range
//   float, double        a real or an integer
//   std::string          text
//   std::vector<std::byte>  bytes, or the bytes of a text
//   std::optional        nothing for NULL, which is an error for all others
//   other types          by their codec<T>, from text or bytes
// Whatever does not fit is an error (errc::mapping) that names the column, the type and the statement.
// Thread safety: constant objects may be read by any number of threads.
#pragma once

#include "seawall/cache/loaded.hpp"
#include "seawall/source/sql_value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::sql {

/// How many rows a statement has inserted, updated or deleted.
struct changes {
  std::int64_t rows = 0;
};

class row_view;

class rows {
 public:
  std::string statement{};             ///< For messages, as `shortened` makes it; empty without columns.
  std::vector<std::string> columns{};
  std::vector<value> values{};         ///< Row after row.
  sql::changes changed{};
  /// All commits up to this place in the database's log are in the answer; 0: that is not known. Of a
  /// postgres::replica, when it was the standby that answered.
  std::uint64_t log_position = 0;

  std::size_t size() const noexcept { return columns.empty() ? 0 : values.size() / columns.size(); }
  row_view operator[](std::size_t row) const noexcept;

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  static constexpr std::size_t ambiguous = none - 1;
  /// The place of the column with this name; `none`, or `ambiguous` if there are several.
  std::size_t find(std::string_view column) const noexcept;
};

class row_view {
 public:
  row_view(const rows& all, std::size_t row) noexcept : all_(&all), row_(row) {}

  std::size_t columns() const noexcept { return all_->columns.size(); }
  const value& at(std::size_t column) const noexcept { return all_->values[row_ * columns() + column]; }
  /// Of the answer that the row is in.
  std::uint64_t log_position() const noexcept { return all_->log_position; }

  /// The column with this name, or at this place.
  template <class T>
  result<T> get(std::string_view column) const {
    const std::size_t place = all_->find(column);
    if (place >= rows::ambiguous) return std::unexpected(no_column(column, place));
    return get<T>(place);
  }
  template <class T>
  result<T> get(std::size_t column) const;

  /// The whole row.
  template <class T>
  result<T> as() const;

  /// An errc::mapping about this row.
  error problem(std::string_view what) const;

 private:
  error no_column(std::string_view column, std::size_t found) const;
  error no_width(std::string_view type, std::size_t expected) const;
  error no_value(std::size_t column, std::string_view type, std::string_view why) const;

  const rows* all_;
  std::size_t row_;
};

inline row_view rows::operator[](std::size_t row) const noexcept { return {*this, row}; }

namespace detail {

template <std::integral T>
bool fits(std::int64_t number) noexcept {
  using limits = std::numeric_limits<T>;
  if constexpr (std::is_unsigned_v<T>) return number >= 0 && static_cast<std::uint64_t>(number) <= limits::max();
  else return number >= limits::min() && number <= limits::max();
}

/// Why a value is not a T: empty if it is, and `out` has it then.
template <class T>
std::string read(const value& from, T& out) {
  namespace own = seawall::detail;
  if constexpr (own::is_optional<T>) {
    if (from.is_null()) return {};
    return read(from, out.emplace());
  } else if constexpr (std::same_as<T, value>) {
    out = from;
    return {};
  } else {
    const std::int64_t* integer = from.integer();
    if constexpr (std::same_as<T, bool>) {
      if (!integer || *integer < 0 || *integer > 1) return from.describe();
      out = *integer == 1;
    } else if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> number{};
      if (auto why = read(from, number); !why.empty()) return why;
      out = static_cast<T>(number);
    } else if constexpr (std::integral<T>) {
      if (!integer) return from.describe();
      if (!fits<T>(*integer)) return from.describe() + ", which is out of its range";
      out = static_cast<T>(*integer);
    } else if constexpr (std::floating_point<T>) {
      if (!integer && !from.real()) return from.describe();
      out = integer ? static_cast<T>(*integer) : static_cast<T>(*from.real());
    } else if constexpr (std::same_as<T, std::string>) {
      if (!from.text()) return from.describe();
      out = *from.text();
    } else {
      static_assert(decodable<T>,
                    "seawall::sql: a column is read as a number, an enum, a std::string, bytes, an optional of these, "
                    "or a type with a codec (seawall/base/codec.hpp)");
      if (!from.text() && !from.blob()) return from.describe();
      const std::string_view raw = from.text() ? std::string_view{*from.text()}
                                               : codec<bytes>::as_bytes(*from.blob());
      auto decoded = codec<T>::decode(raw);
      if (!decoded) return decoded.error().message();
      out = *std::move(decoded);
    }
    return {};
  }
}

template <class Tuple, std::size_t... I>
std::string read_parts(const row_view& from, Tuple& out, std::size_t& column, std::index_sequence<I...>) {
  std::string why;
  const auto part = [&](auto& to, std::size_t place) {
    column = place;
    why = read(from.at(place), to);
    return why.empty();
  };
  (part(std::get<I>(out), I) && ...);
  return why;
}

}  // namespace detail

template <class T>
result<T> row_view::get(std::size_t column) const {
  if (column >= columns()) return std::unexpected(no_width("column " + std::to_string(column), column + 1));
  try {
    T made{};
    if (auto why = detail::read(at(column), made); !why.empty()) {
      return std::unexpected(no_value(column, seawall::detail::type_label<T>(), why));
    }
    return made;
  } catch (...) {  // the codec's
    return std::unexpected(seawall::detail::current_failure());
  }
}

template <class T>
result<T> row_view::as() const {
  namespace own = seawall::detail;
  if constexpr (own::is_tuple_like<T>) {
    constexpr std::size_t width = std::tuple_size_v<T>;
    if (columns() != width) return std::unexpected(no_width("a tuple", width));
    T made{};
    std::size_t column = 0;
    auto why = detail::read_parts(*this, made, column, std::make_index_sequence<width>{});
    if (!why.empty()) return std::unexpected(no_value(column, "part " + std::to_string(column + 1), why));
    return made;
  } else if constexpr (own::described_struct<T> && !own::is_optional<T>) {
    T made{};
    std::optional<error> wrong;
    boost::mp11::mp_for_each<own::members_of<T>>([&]<class D>(D) {
      if (wrong) return;
      using member = std::remove_cvref_t<decltype(made.*D::pointer)>;
      auto got = get<member>(std::string_view{D::name});
      if (got) made.*D::pointer = *std::move(got);
      else wrong = std::move(got).error();
    });
    if (wrong) return std::unexpected(*std::move(wrong));
    return made;
  } else {
    if (columns() != 1) return std::unexpected(no_width(own::type_label<T>(), 1));
    return get<T>(std::size_t{0});
  }
}

}  // namespace seawall::sql

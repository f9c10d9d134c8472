// view: a value of a frame that a scanner has found complete, read in place.
#pragma once

#include "seawall/resp/kind.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace seawall::resp {

/// One RESP value inside the bytes of a frame; nothing is copied. Valid as long as the bytes are. Two words, made to be
/// passed by value.
/// Requires: the bytes are one frame accepted by a `scanner`, without streamed forms (`normalized` removes them).
/// Thread safety: reading from many threads is safe.
class view {
 public:
  class iterator;

  /// A null.
  view() noexcept = default;
  /// The value at the front of `frame`; attributes before it are skipped (see `attributes`). Empty: a null.
  explicit view(std::string_view frame) noexcept {
    if (frame.empty()) return;
    begin_ = value_ = frame.data();
    if (*begin_ == '|') value_ = described(begin_, frame.data() + frame.size());
  }

  resp::kind kind() const noexcept {
    const char type = *value_;
    if (type == '|') return resp::kind::map;  // of `attributes`
    if ((type == '$' || type == '*') && value_[1] == '-') return resp::kind::null;
    return static_cast<resp::kind>(type);
  }
  bool is_null() const noexcept { return kind() == resp::kind::null; }
  /// simple_error or bulk_error.
  bool is_error() const noexcept { return *value_ == '-' || *value_ == '!'; }
  /// array, set, push or map.
  bool is_aggregate() const noexcept {
    const resp::kind mine = kind();
    return mine == resp::kind::array || mine == resp::kind::map || mine == resp::kind::set || mine == resp::kind::push;
  }

  /// The text of a string, an error, a verbatim string (its format left out), a number or a big number. Empty for all
  /// else.
  std::string_view text() const noexcept {
    if (*value_ != '$') return other_text();
    const char* at = value_ + 1;
    if (*at == '-') return {};
    const std::size_t length = count(at);
    return {at, length};
  }
  /// The format of a verbatim string ("txt", "mkd"), else empty.
  std::string_view format() const noexcept;
  /// An integer; a boolean as 0 or 1; a string that is a whole decimal number of 64 bits. Else nothing.
  std::optional<std::int64_t> integer() const noexcept {
    if (*value_ != ':') return other_integer();
    const char* at = value_ + 1;
    const bool negative = *at == '-';
    if (negative || *at == '+') ++at;
    std::uint64_t magnitude = 0;
    for (; *at != '\r'; ++at) magnitude = magnitude * 10 + static_cast<std::uint64_t>(*at - '0');
    return static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  }
  /// A double, an integer, or a string that is a number, `inf` and `nan` included. Else nothing, as for numbers that
  /// no double can hold.
  std::optional<double> number() const noexcept;
  /// A boolean; the integers 0 and 1 (RESP2). Else nothing.
  std::optional<bool> boolean() const noexcept;

  /// The elements of an aggregate; a map has two for each pair: key, value. 0 for all else.
  std::size_t size() const noexcept {
    const char* at = value_;
    return elements(at);
  }
  bool empty() const noexcept { return size() == 0; }
  iterator begin() const noexcept;
  iterator end() const noexcept;
  /// The element at `index`, found by walking; null when there is none.
  view operator[](std::size_t index) const noexcept;
  /// The value of the pair whose key is the string `key`, in a map or in a flat array of pairs (RESP2); null when there
  /// is none.
  view find(std::string_view key) const noexcept;

  /// The attributes given just before this value, as a map (of several in a row, the last); null without any.
  view attributes() const noexcept;

  /// All bytes of this value on the wire, attributes included. Found by walking.
  std::string_view raw() const noexcept;

 private:
  view(const char* begin, const char* value) noexcept : begin_(begin), value_(value) {}

  /// Reads a header's number; `at` moves from its first digit behind its CR LF.
  static std::size_t count(const char*& at) noexcept {
    auto n = static_cast<std::size_t>(*at - '0');
    for (++at; *at != '\r'; ++at) n = n * 10 + static_cast<std::size_t>(*at - '0');
    at += 2;
    return n;
  }
  /// The number of children of the value at `at`, which moves to the first of them if there is one.
  static std::size_t elements(const char*& at) noexcept {
    switch (*at) {
      case '*':
      case '~':
      case '>':
        if (at[1] == '-') return 0;
        return count(++at);
      case '%':
      case '|': return 2 * count(++at);
      default: return 0;
    }
  }
  /// Behind the value at `at`, however deep it is, and the attributes before it.
  static const char* behind(const char* at) noexcept;
  /// Behind the attributes at `at`.
  static const char* behind_attributes(const char* at) noexcept;
  /// The value that the attributes at `at` describe; the last of them if there is nothing before `end`.
  static const char* described(const char* at, const char* end) noexcept;

  std::string_view other_text() const noexcept;
  std::optional<std::int64_t> other_integer() const noexcept;

  static constexpr char null_value[] = "_\r\n";
  const char* begin_ = null_value;  // its attributes, if it has any
  const char* value_ = null_value;
};

/// Walks the elements of an aggregate.
class view::iterator {
 public:
  using iterator_concept = std::forward_iterator_tag;
  using iterator_category = std::input_iterator_tag;
  using value_type = view;
  using difference_type = std::ptrdiff_t;
  using reference = view;
  using pointer = void;

  iterator() noexcept = default;

  view operator*() const noexcept { return {at_, *at_ == '|' ? described(at_, nullptr) : at_}; }
  iterator& operator++() noexcept {
    if (--left_ != 0) at_ = behind(at_);
    return *this;
  }
  iterator operator++(int) noexcept {
    iterator before = *this;
    ++*this;
    return before;
  }
  /// Requires: both of the same aggregate.
  friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }

 private:
  friend class view;
  iterator(const char* at, std::size_t left) noexcept : at_(at), left_(left) {}

  const char* at_ = nullptr;
  std::size_t left_ = 0;
};

inline view::iterator view::begin() const noexcept {
  const char* at = value_;
  const std::size_t left = elements(at);
  return {at, left};
}

inline view::iterator view::end() const noexcept { return {}; }

}  // namespace seawall::resp

// view: a value of a frame that a scanner has found complete, read in place.
#pragma once

#include "seawall/resp/kind.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

namespace seawall::resp {

/// One RESP value inside the bytes of a frame; nothing is copied. Valid as long as the bytes are. A temporary of a few
/// words, made to be passed by value.
/// Requires: the bytes are one frame accepted by a `scanner`, without streamed forms (`normalized` removes them).
/// Thread safety: reading from many threads is safe.
class view {
 public:
  class iterator;

  /// A null.
  view() noexcept = default;
  /// The value at the front of `frame`; attributes before it are skipped (see `attributes`).
  explicit view(std::string_view frame) noexcept;

  resp::kind kind() const noexcept;
  bool is_null() const noexcept;
  /// simple_error or bulk_error.
  bool is_error() const noexcept;
  /// array, set, push or map.
  bool is_aggregate() const noexcept;

  /// The text of a string, an error, a verbatim string (its format left out), a number or a big number. Empty for all
  /// else.
  std::string_view text() const noexcept;
  /// The format of a verbatim string ("txt", "mkd"), else empty.
  std::string_view format() const noexcept;
  /// An integer; a boolean as 0 or 1; a string that is a whole decimal number of 64 bits. Else nothing.
  std::optional<std::int64_t> integer() const noexcept;
  /// A double, an integer, or a string that is a number, `inf` and `nan` included. Else nothing.
  std::optional<double> number() const noexcept;
  /// A boolean; the integers 0 and 1 (RESP2). Else nothing.
  std::optional<bool> boolean() const noexcept;

  /// The elements of an aggregate; a map has two for each pair: key, value. 0 for all else.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  iterator begin() const noexcept;
  iterator end() const noexcept;
  /// The element at `index`, found by walking; null when there is none.
  view operator[](std::size_t index) const noexcept;
  /// The value of the pair whose key is the string `key`, in a map or in a flat array of pairs (RESP2); null when there
  /// is none.
  view find(std::string_view key) const noexcept;

  /// The attributes given just before this value, as a map; null without any.
  view attributes() const noexcept;

  /// All bytes of this value on the wire, attributes included.
  std::string_view raw() const noexcept;

 private:
  std::string_view frame_;
};

}  // namespace seawall::resp

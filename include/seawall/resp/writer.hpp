// Writing RESP: commands as a client sends them, and replies of every type as a server (or a test) does.
#pragma once

#include "seawall/resp/kind.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace seawall::resp {

/// The longest header: a type, 20 digits, CR LF.
inline constexpr std::size_t max_header = 23;

/// Writes `type`, `count` in decimal and CR LF to `out` (room for `max_header` bytes); returns the end.
char* write_header(char* out, kind type, std::uint64_t count) noexcept;

/// Appends replies to a string. `protocol` 2 writes what RESP2 has instead: maps, sets and pushes as arrays, booleans
/// as integers, doubles, big numbers and verbatim strings as bulk strings, bulk errors as errors, nulls as `$-1`; an
/// attribute and its elements are left out. Line ends in a simple string or an error become spaces.
/// Thread safety: none.
class reply_writer {
 public:
  explicit reply_writer(std::string& out, int protocol = 3) : out_(&out), protocol_(protocol) {}

  void simple_string(std::string_view text);
  void error(std::string_view text);
  void integer(std::int64_t n);
  void bulk_string(std::string_view bytes);
  void null();
  /// What RESP2 writes as `*-1`.
  void null_array();
  void boolean(bool yes);
  void number(double x);
  /// Requires: a sign perhaps, and digits.
  void big_number(std::string_view digits);
  void bulk_error(std::string_view text);
  /// Requires: a format of three bytes ("txt" is written for any other).
  void verbatim(std::string_view format, std::string_view text);
  /// Headers: the elements follow as calls of their own; a map has `pairs` times two.
  void array(std::size_t elements);
  void set(std::size_t elements);
  void map(std::size_t pairs);
  void push(std::size_t elements);
  void attribute(std::size_t pairs);

 private:
  void header(kind type, std::uint64_t count);
  void bytes(kind type, std::string_view text);
  bool dropped(std::uint64_t children = 0);

  std::string* out_;
  int protocol_;
  std::uint64_t dropping_ = 0;  // values to come that are left out
};

/// The same frame with streamed strings and aggregates (`$?`, `*?`, `~?`, `%?`) in their definite forms.
/// Requires: one frame accepted by a `scanner`.
std::string normalized(std::string_view frame);

}  // namespace seawall::resp

// The types of RESP2 and RESP3, and the limits that a parser holds them to.
// Source: the RESP3 specification (antirez/RESP3, redis.io/docs/reference/protocol-spec).
#pragma once

#include <cstddef>

namespace seawall::resp {

/// A value's type; the enumerator is the byte that opens it on the wire.
enum class kind : char {
  simple_string = '+',
  simple_error = '-',
  integer = ':',
  bulk_string = '$',
  array = '*',
  null = '_',           ///< Also what the null bulk string `$-1` and the null array `*-1` of RESP2 become.
  boolean = '#',
  number = ',',         ///< A double; `inf`, `-inf` and `nan` included.
  big_number = '(',
  bulk_error = '!',
  verbatim = '=',       ///< A string with a three-letter format before it.
  map = '%',
  set = '~',
  attribute = '|',      ///< Goes before the value that it describes; never a reply of its own.
  push = '>',           ///< Out of band: belongs to no request.
};

/// What a parser accepts. Beyond a limit the stream is in error, since no byte after it can be trusted.
struct limits {
  std::size_t depth = 32;                          ///< Nested aggregates, attributes included.
  std::size_t elements = std::size_t{16} << 20;    ///< Values in one frame, all levels together.
  std::size_t bulk = std::size_t{512} << 20;       ///< Bytes of one string: what Redis itself allows.
  std::size_t frame = std::size_t{1} << 30;        ///< Bytes of one whole reply.
  std::size_t line = std::size_t{64} << 10;        ///< Bytes of a simple string, an error or a number.
};

}  // namespace seawall::resp

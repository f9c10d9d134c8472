// scanner: finds where frames end in a stream of RESP bytes, and proves that they are well formed.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/resp/kind.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace seawall::resp {

/// Splits a byte stream into frames: one top-level value each, the attributes before it included. Incremental: however
/// the stream is cut into pieces, every byte is looked at once, save those of a header of some 20 bytes. Performs no
/// I/O and keeps no bytes. Nesting costs memory for one small record a level, never stack.
/// RESP2 and RESP3, streamed strings and aggregates included. Refused, besides what the specification rules out:
/// leading zeros, streamed attributes and pushes, and a push inside another value, which would shift its elements.
/// Thread safety: none.
class scanner {
 public:
  explicit scanner(const limits& most = {}) : limits_(most) {}

  /// `stream` begins where the present frame begins and holds all bytes of it that are there; between two calls it may
  /// grow and move, not change. Returns the length of the frame when it is complete (the next call begins behind it),
  /// and 0 when more bytes are needed.
  /// An error (errc::protocol) says at which byte of the frame what came instead of what; errc::limit names the limit,
  /// as soon as the header that announces too much is there. After either the stream is lost.
  result<std::size_t> scan(std::string_view stream) {
    if (stream.size() < needed_) return std::size_t{0};
    if (offset_ == 0) {
      const std::size_t length = whole_value(stream.data(), stream.size());
      if (length != 0 && length <= limits_.frame) {
        needed_ = 0;
        searched_ = 0;
        streamed_ = false;
        return length;
      }
    }
    return scan_on(stream);
  }

  /// At least this many bytes of the present frame must be there before `scan` can get further: the end of the bulk
  /// string that is arriving, or 0. A reader may wait for them without calling `scan`.
  std::size_t needed() const noexcept { return needed_; }

  /// Whether the frame that `scan` found last holds a streamed string or aggregate: `view` wants `normalized` bytes.
  bool streamed() const noexcept { return streamed_; }

  /// Forgets a frame that was begun: for a new connection.
  void reset() noexcept;

 private:
  enum class shape : std::uint8_t { definite, attribute, streamed, streamed_map };
  enum class step : std::uint8_t { more, failed, opened, value };
  struct level {
    std::uint64_t left;  // children to come; of a streamed aggregate: children seen
    shape what;
  };
  struct complaint;
  struct header;

  /// The length of the value at `at` if it is one of the short and frequent kinds and complete; 0 sends it the long
  /// way, which also finds out what may be wrong with it.
  std::size_t whole_value(const char* at, std::size_t size) const noexcept;
  std::size_t whole_bulk(const char* at, std::size_t size) const noexcept;
  std::size_t whole_line(const char* at, std::size_t size) const noexcept;
  std::size_t whole_integer(const char* at, std::size_t size) const noexcept;

  result<std::size_t> scan_on(std::string_view stream);
  step next(std::string_view stream, complaint& what);
  step bulk(std::string_view stream, complaint& what);
  step chunk(std::string_view stream, complaint& what);
  step body(std::string_view stream, std::uint64_t length, std::size_t begin, complaint& what);
  step line(std::string_view stream, complaint& what);
  step integer(std::string_view stream, complaint& what);
  step fixed(std::string_view stream, std::string_view choices, complaint& what);
  step aggregate(std::string_view stream, complaint& what);
  step end_of_streamed(std::string_view stream, complaint& what);
  step advance(std::size_t end, step then, complaint& what) noexcept;
  step close_value(complaint& what);
  void run_of_values(std::string_view stream) noexcept;
  header read_header(std::string_view stream, std::string_view also, complaint& what) const noexcept;

  limits limits_;
  std::size_t needed_ = 0;
  std::size_t offset_ = 0;        // where the present token begins
  std::size_t searched_ = 0;      // no end of line before this; 0: not begun
  std::size_t elements_ = 0;      // announced so far
  std::size_t string_bytes_ = 0;  // of the streamed string
  bool streamed_ = false;
  bool in_string_ = false;        // between $? and ;0
  bool wants_value_ = false;      // an attribute has just ended
  std::vector<level> levels_;
};

inline std::size_t scanner::whole_value(const char* at, std::size_t size) const noexcept {
  if (size < 3) return 0;
  switch (*at) {
    case '$': return whole_bulk(at, size);
    case ':': return whole_integer(at, size);
    case '+': return whole_line(at, size);
    case '_': return at[1] == '\r' && at[2] == '\n' ? 3 : 0;
    default: return 0;
  }
}

inline std::size_t scanner::whole_bulk(const char* at, std::size_t size) const noexcept {
  constexpr std::size_t digits = 8;
  std::size_t length = static_cast<unsigned char>(at[1] - '0');
  if (length > 9) return size >= 5 && std::memcmp(at, "$-1\r\n", 5) == 0 ? 5 : 0;
  std::size_t i = 2;
  for (const std::size_t last = std::min(size, 1 + digits); i < last; ++i) {
    const auto digit = static_cast<unsigned char>(at[i] - '0');
    if (digit > 9) break;
    length = length * 10 + digit;
  }
  if (length > limits_.bulk || size < i + 4 + length) return 0;
  if (std::memcmp(at + i, "\r\n", 2) != 0 || std::memcmp(at + i + 2 + length, "\r\n", 2) != 0) return 0;
  if (at[1] == '0' && i != 2) return 0;
  return i + 4 + length;
}

inline std::size_t scanner::whole_line(const char* at, std::size_t size) const noexcept {
  constexpr std::size_t longest = 32;
  for (std::size_t i = 1; i < std::min(size - 1, longest); ++i) {
    if (at[i] == '\r') return at[i + 1] == '\n' && i - 1 <= limits_.line ? i + 2 : 0;
    if (at[i] == '\n') return 0;
  }
  return 0;
}

inline std::size_t scanner::whole_integer(const char* at, std::size_t size) const noexcept {
  constexpr std::size_t digits = 18;  // any such number fits 64 bits
  const std::size_t first = at[1] == '-' ? 2 : 1;
  std::size_t i = first;
  for (const std::size_t last = std::min(size - 1, first + digits + 1); i < last; ++i) {
    if (static_cast<unsigned char>(at[i] - '0') > 9) break;
  }
  if (i == first || i > first + digits || i + 1 >= size || std::memcmp(at + i, "\r\n", 2) != 0) return 0;
  if ((at[first] == '0' && i != first + 1) || i - 1 > limits_.line) return 0;
  return i + 2;
}

}  // namespace seawall::resp

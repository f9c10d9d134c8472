// command_bytes: a command as it goes over the wire, encoded once, without an allocation when it is short.
#pragma once

#include "seawall/resp/writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace seawall::resp {

/// An array of bulk strings: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`. Up to `inline_size` bytes lie in the object itself.
/// Arguments are appended one by one and counted; `bytes()` is complete at any moment.
/// Thread safety: none. Movable, copied by `clone` only.
class command_bytes {
 public:
  static constexpr std::size_t inline_size = 112;

  command_bytes() noexcept = default;
  command_bytes(std::initializer_list<std::string_view> arguments) {
    for (const std::string_view argument : arguments) append(argument);
  }
  explicit command_bytes(std::span<const std::string_view> arguments) {
    for (const std::string_view argument : arguments) append(argument);
  }
  command_bytes(command_bytes&& other) noexcept;
  command_bytes& operator=(command_bytes&& other) noexcept;
  command_bytes clone() const;

  /// Adds an argument: bytes, or a number in decimal.
  command_bytes& append(std::string_view argument);
  command_bytes& append(std::int64_t number);
  /// Adds commands that are encoded already (for MULTI ... EXEC); they do not count as arguments of this one.
  command_bytes& append_encoded(std::string_view commands);
  /// Room for `bytes` more bytes of arguments, `count` of them, without growing in between.
  void reserve(std::size_t bytes, std::size_t count);

  /// What goes over the wire.
  std::string_view bytes() const noexcept;
  std::size_t arguments() const noexcept { return arguments_; }
  /// The argument at `index` (0 is the command's name), found by walking. Requires: index < arguments().
  std::string_view argument(std::size_t index) const noexcept;

 private:
  // The array's header is written right-aligned into the first `max_header` bytes, so that it can grow by a digit.
  std::array<char, inline_size> inline_;
  std::unique_ptr<char[]> heap_;
  std::uint32_t capacity_ = inline_size;
  std::uint32_t end_ = 0;
  std::uint32_t begin_ = 0;
  std::uint32_t arguments_ = 0;
};

}  // namespace seawall::resp

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

/// An array of bulk strings: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`. Up to `inline_size` bytes lie in the object itself, 13
/// of them kept for the array's header. Arguments are appended one by one and counted; `bytes()` is complete at any
/// moment, and empty before the first.
/// Limit: `max_size` bytes; what would exceed it is dropped, and `too_large()` says so: do not send such a command.
/// Thread safety: none. Movable, which leaves the source empty; copied by `clone` only.
class command_bytes {
 public:
  static constexpr std::size_t inline_size = 112;
  static constexpr std::size_t max_size = std::size_t{1} << 30;

  command_bytes() noexcept {}
  command_bytes(std::initializer_list<std::string_view> arguments) { append_all(arguments.begin(), arguments.size()); }
  explicit command_bytes(std::span<const std::string_view> arguments) {
    append_all(arguments.data(), arguments.size());
  }
  command_bytes(command_bytes&& other) noexcept { take(other); }
  command_bytes& operator=(command_bytes&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~command_bytes() = default;
  command_bytes clone() const;

  /// Adds an argument: bytes, or a number in decimal.
  /// Requires: nothing was appended by `append_encoded` yet.
  command_bytes& append(std::string_view argument) {
    append_all(&argument, 1);
    return *this;
  }
  command_bytes& append(std::int64_t number);
  /// Adds commands that are encoded already (for MULTI ... EXEC); they do not count as arguments of this one.
  command_bytes& append_encoded(std::string_view commands);
  /// Room for `bytes` more bytes of arguments, `count` of them, without growing in between.
  void reserve(std::size_t bytes, std::size_t count);

  /// What goes over the wire.
  std::string_view bytes() const noexcept { return {data() + begin_, end_ - std::size_t{begin_}}; }
  std::size_t arguments() const noexcept { return arguments_; }
  /// The argument at `index` (0 is the command's name), found by walking. Requires: index < arguments().
  std::string_view argument(std::size_t index) const noexcept;
  /// Whether something was dropped because the command would have exceeded `max_size`.
  bool too_large() const noexcept { return too_large_; }

 private:
  // The array's header ("*4294967295\r\n" at most) lies right-aligned before this, so that it can grow by a digit.
  static constexpr std::uint32_t body = 13;

  char* data() noexcept { return heap_ ? heap_.get() : inline_.data(); }
  const char* data() const noexcept { return heap_ ? heap_.get() : inline_.data(); }
  void append_all(const std::string_view* arguments, std::size_t count);
  void take(command_bytes& other) noexcept;
  bool make_room(std::size_t more);
  bool grow(std::size_t size);

  std::array<char, inline_size> inline_;  // not initialized: that would cost more than encoding
  std::unique_ptr<char[]> heap_;
  std::uint32_t capacity_ = inline_size;
  std::uint32_t end_ = body;
  std::uint32_t arguments_ = 0;
  std::uint8_t begin_ = body;
  bool too_large_ = false;
};

}  // namespace seawall::resp

// Lifetimes of keys and of hash fields, as arguments and as replies.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/cmd/builder.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>

namespace seawall::cmd {

/// A moment by the server's calendar.
using server_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// When an EXPIRE or HEXPIRE takes effect.
enum class expire_when : std::uint8_t {
  always,
  no_ttl,   ///< NX: only if there is no time to live yet.
  has_ttl,  ///< XX: only if there is one.
  later,    ///< GT: only if it becomes longer; without one it is endless already.
  sooner,   ///< LT: only if it becomes shorter.
};

/// What the server says of the lifetime of a key or a field: there is none, it lives without end, or until then.
/// V is `duration` (TTL: what is left) or `server_time` (EXPIRETIME: the moment).
template <class V>
class lifetime {
 public:
  /// There is no such key or field.
  lifetime() noexcept = default;
  /// From the integer that servers answer, in milliseconds: -2 no key, -1 no time to live.
  static lifetime from_milliseconds(std::int64_t number) noexcept {
    lifetime made;
    made.milliseconds_ = number;
    return made;
  }

  bool exists() const noexcept { return milliseconds_ != -2; }
  /// It exists and never expires.
  bool endless() const noexcept { return milliseconds_ == -1; }
  /// Nothing if it does not exist or never expires.
  std::optional<V> value() const noexcept {
    if (milliseconds_ < 0) return std::nullopt;
    return V{std::chrono::milliseconds{milliseconds_}};
  }

  friend bool operator==(const lifetime&, const lifetime&) = default;

 private:
  std::int64_t milliseconds_ = -2;
};

template <class V>
struct reply_reader<lifetime<V>> {
  static result<lifetime<V>> read(resp::view reply) {
    auto number = decode<std::int64_t>(reply);
    if (!number) return std::unexpected(std::move(number.error()));
    return lifetime<V>::from_milliseconds(*number);
  }
};

namespace detail {

/// NX, XX, GT or LT; nothing for `always`.
std::string_view word_of(expire_when when) noexcept;

/// "EX 10" or "PX 1500"; checks that it is positive.
void append_ttl(builder& made, std::optional<duration> ttl);
/// "PXAT ms".
void append_expire_at(builder& made, std::optional<server_time> at);

/// A command whose name depends on the unit: EXPIRE key 10 or PEXPIRE key 1500.
struct timed_names {
  command_name seconds;
  command_name milliseconds;
};
builder expire_builder(const timed_names& names, std::string_view key, duration ttl, expire_when when);
/// The same with a moment, in milliseconds.
builder expire_at_builder(const command_name& name, std::string_view key, server_time at, expire_when when);

}  // namespace detail
}  // namespace seawall::cmd

// Rows of a table of commands: what a command sends, and what it makes of a reply.
#pragma once

#include "seawall/cmd/command.hpp"
#include "test_target.hpp"  // spelled

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace seawall::cmd {

/// What a command sends, its arguments with spaces between; the complaint of an invalid one.
inline std::string bytes_of(const any_command& what) {
  return what.valid() ? spelled(what.encoded().bytes()) : what.invalid().message();
}

/// A frame from its shorthand: each word of `text` is a header or value of the protocol, CR LF between them.
/// "*2 $1 a :7" is an array of the string "a" and the integer 7.
inline std::string frame(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') out += "\r\n";
    else out += c;
  }
  return out + "\r\n";
}

/// What a command makes of a reply, which it must accept.
template <class T>
T reads(const command<T>& what, std::string_view reply) {
  const std::string bytes = frame(reply);
  result<T> given = what.read(resp::view{bytes});
  EXPECT_TRUE(given) << bytes_of(what) << ": " << (given ? "" : given.error().message());
  return given ? *std::move(given) : T{};
}

/// The error that a command makes of a reply.
template <class T>
std::string complains(const command<T>& what, std::string_view reply) {
  const std::string bytes = frame(reply);
  const result<T> given = what.read(resp::view{bytes});
  EXPECT_FALSE(given) << bytes_of(what);
  return given ? "" : given.error().message();
}

}  // namespace seawall::cmd

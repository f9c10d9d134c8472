// The table of commands: what Seawall has to know of a command besides its bytes, by name. Typed commands look
// themselves up while they are compiled; raw commands when they are made.
#pragma once

#include "seawall/cmd/known_commands.hpp"
#include "seawall/cmd/request.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string_view>

namespace seawall::cmd {

namespace detail {

constexpr char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Negative, 0 or positive as `name`, in upper case, goes before, equals or goes behind `known`.
constexpr int compare_upper(std::string_view name, std::string_view known) noexcept {
  const std::size_t common = std::min(name.size(), known.size());
  for (std::size_t i = 0; i < common; ++i) {
    const char c = upper(name[i]);
    if (c != known[i]) return static_cast<unsigned char>(c) < static_cast<unsigned char>(known[i]) ? -1 : 1;
  }
  return name.size() == known.size() ? 0 : name.size() < known.size() ? -1 : 1;
}

}  // namespace detail

/// The traits of a command, "get" or "CONFIG GET" (one space); nullptr for a command that Seawall does not know.
constexpr const traits* find_traits(std::string_view name) noexcept {
  const detail::known_command* low = std::begin(detail::rows::all);
  const detail::known_command* high = std::end(detail::rows::all);
  while (low != high) {
    const detail::known_command* middle = low + (high - low) / 2;
    const int order = detail::compare_upper(name, middle->name);
    if (order == 0) return &middle->about;
    (order < 0 ? high : low) = order < 0 ? middle : middle + 1;
  }
  return nullptr;
}

/// The traits of a command by all its arguments, name included: subcommands, options that change what it does (SET NX,
/// SORT STORE, XREAD BLOCK) and keys behind a keyword (XREAD STREAMS) are looked for.
/// A command that is not in the table counts as effect::write_once, its first argument as its only key.
traits traits_of_arguments(std::span<const std::string_view> arguments);

/// A command's name that is known when it is compiled; an unknown one does not compile.
class command_name {
 public:
  /// `text` is "GET" or "CONFIG GET", in upper case.
  consteval command_name(const char* text) : first_(text) {  // implicit: builder{"GET"}
    const traits* known = find_traits(first_);
    if (known == nullptr) throw "seawall::cmd: no such command in the table";
    about_ = *known;
    if (const std::size_t space = first_.find(' '); space != std::string_view::npos) {
      second_ = first_.substr(space + 1);
      first_ = first_.substr(0, space);
    }
  }

  constexpr std::string_view first() const noexcept { return first_; }
  /// The subcommand, or empty.
  constexpr std::string_view second() const noexcept { return second_; }
  constexpr const traits& about() const noexcept { return about_; }

 private:
  std::string_view first_;
  std::string_view second_;
  traits about_;
};

}  // namespace seawall::cmd

// raw: any command, also one that Seawall does not know.
//
//     auto reply = cmd::run(redis, cmd::raw("OBJECT", "FREQ", "user:42"));        // result<resp::value>
//     auto freq = cmd::run(redis, cmd::raw("OBJECT", "FREQ", "user:42").as<int>());
//
// Keys and side effects come from the table of commands. Of a command that is not in it, the first argument is taken as
// its only key, and it is never repeated unless it was surely not applied.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"
#include "seawall/resp/value.hpp"

#include <span>
#include <string_view>

namespace seawall::cmd {

/// A command by its arguments, name first: text, or anything with a codec.
template <detail::argument... A>
command<resp::value> raw(std::string_view name, const A&... arguments) {
  builder made{name, traits{}};
  (made.value(arguments), ...);
  return made.look_up();
}

/// The same from a list. Invalid without a name.
command<resp::value> raw(std::span<const std::string_view> arguments);

}  // namespace seawall::cmd

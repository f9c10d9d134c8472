// What the demo tells people while it runs.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <utility>

namespace seawall::demo {

/// Prints, and does not wait for more: somebody is watching.
template <class... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  fmt::print(format, std::forward<Args>(args)...);
  std::fflush(stdout);
}

}  // namespace seawall::demo

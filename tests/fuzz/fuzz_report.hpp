// How a fuzz target ends a run that found something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace seawall::fuzz {

/// Aborts with the sentence if there is one; libFuzzer then keeps the input.
inline void report(const std::string& wrong, std::string_view stream) {
  if (wrong.empty()) return;
  std::fprintf(stderr, "%s; stream of %zu bytes:\n", wrong.c_str(), stream.size());
  std::fwrite(stream.data(), 1, stream.size(), stderr);
  std::abort();
}

}  // namespace seawall::fuzz

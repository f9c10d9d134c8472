#include "scenario.hpp"

#include "truth.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace chaos {

progress_line::progress_line(bool verbose) : terminal_(::isatty(2) != 0 && !verbose) {}

progress_line::~progress_line() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

bool progress_line::due() noexcept {
  if (now() < next_) return false;
  next_ = now() + (terminal_ ? 500 : 10'000) * millisecond;
  return true;
}

void progress_line::show(const std::string& text) const {
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\033[K" : "", text, terminal_ ? "" : "\n");
}

}  // namespace chaos

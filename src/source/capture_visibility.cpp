#include "capture_visibility.hpp"

#include "seawall/source/sql_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace seawall::postgres {

result<snapshot> snapshot::parse(std::string_view text) {
  snapshot made;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](std::uint64_t& out) {
    const auto [next, code] = std::from_chars(at, end, out);
    at = next;
    return code == std::errc{};
  };
  const auto mark = [&](char wanted) { return at != end && *at++ == wanted; };
  bool good = number(made.least_) && mark(':') && number(made.next_) && mark(':');
  while (good && at != end) {
    good = (made.running_.empty() || mark(',')) && number(made.running_.emplace_back());
  }
  if (good) return made;
  return sql::fail(sql::errc::mapping, fmt::format("not a snapshot: '{}'", text));
}

bool snapshot::sees(std::uint32_t xid) const noexcept {
  // The number of 64 bits that is nearest to the next one.
  const auto apart = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(next_));
  const std::uint64_t full = next_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(apart));
  if (full >= next_) return false;
  return full < least_ || std::ranges::find(running_, full) == running_.end();
}

}  // namespace seawall::postgres

#include "subscriber_topics.hpp"

#include <fmt/format.h>

namespace seawall::redis {

result<void> check_topics(const topics& those) {
  const std::size_t all = those.channels.size() + those.patterns.size() + those.sharded.size();
  if (all == 0) {
    return fail(errc::invalid_argument, "channels, patterns and sharded are empty: at least one name must be given");
  }
  if (all > topics::most) {
    return fail(errc::invalid_argument,
                fmt::format("channels, patterns and sharded: {} names, at most {} are allowed", all, topics::most));
  }
  static constexpr std::array<std::string_view, 3> fields{"channels", "patterns", "sharded"};
  result<void> valid;
  for_each_name(those, [&](topic_kind kind, const std::string& name) {
    if (!valid || (!name.empty() && name.size() <= topics::most_bytes)) return;
    valid = fail(errc::invalid_argument, fmt::format("{}: a name of {} bytes; it must have 1 to {}",
                                                     fields[static_cast<std::size_t>(kind)], name.size(),
                                                     topics::most_bytes));
  });
  return valid;
}

}  // namespace seawall::redis

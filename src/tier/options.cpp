#include "seawall/tier/options.hpp"

#include <fmt/format.h>

namespace seawall {

result<void> validate(const tier_options& how) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  const auto bad = [](const char* field, const char* limits) {
    return fail(errc::invalid_argument, fmt::format("shared tier: {} must be {}", field, limits));
  };
  if (how.bound < milliseconds{10} || how.bound > hours{1}) return bad("bound", "10 ms to an hour");
  if (how.heartbeat < milliseconds{1} || how.heartbeat * 2 >= how.bound) {
    return bad("heartbeat", "1 ms or more and less than half of bound");
  }
  if (how.budget < milliseconds{1} || how.budget > hours{1}) return bad("budget", "1 ms to an hour");
  if (how.idle < how.bound) return bad("idle", "no shorter than bound");
  if (how.canary_interval != duration::zero() && how.canary_interval < milliseconds{100}) {
    return bad("canary_interval", "100 ms or more, or zero");
  }
  if (how.channel.empty() || how.channel.size() > 1000) return bad("channel", "1 to 1000 bytes long");
  if (how.reign_key.empty() || how.reign_key.size() > 1000) return bad("reign_key", "1 to 1000 bytes long");
  if (how.tag_life < std::chrono::minutes{1}) return bad("tag_life", "1 minute or more");
  if (how.max_payload == 0 || how.max_payload > (std::size_t{512} << 20)) return bad("max_payload", "1 to 512 MiB");
  if (how.undelivered.keys == 0 || how.undelivered.bytes == 0) return bad("undelivered", "of one key and byte or more");
  return tier::validate(how.breaker);
}

}  // namespace seawall

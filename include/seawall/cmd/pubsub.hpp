// Publishing, and asking who listens. Subscribing is a matter of connections: see the client.
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::cmd {

/// PUBLISH: how many clients of this node got it; in a cluster every node hands it on.
template <detail::argument V>
command<std::int64_t> publish(std::string_view channel, const V& message) {
  return builder{"PUBLISH"}.text(channel).value(message);
}
/// SPUBLISH: a sharded channel lives in the slot of its name. Redis 7.0.
template <detail::argument V>
command<std::int64_t> spublish(std::string_view channel, const V& message) {
  return builder{"SPUBLISH"}.key(channel).value(message);
}

/// PUBSUB CHANNELS: channels of this node that somebody is subscribed to.
command<std::vector<std::string>> pubsub_channels(std::string_view pattern = "*");
/// PUBSUB SHARDCHANNELS
command<std::vector<std::string>> pubsub_shard_channels(std::string_view pattern = "*");
/// PUBSUB NUMSUB, SHARDNUMSUB: how many subscribers each channel has on this node.
template <key_argument... C>
command<std::vector<std::pair<std::string, std::int64_t>>> pubsub_numsub(const C&... channels) {
  return builder{"PUBSUB NUMSUB"}.keys(channels...);
}
template <key_argument... C>
command<std::vector<std::pair<std::string, std::int64_t>>> pubsub_shard_numsub(const C&... channels) {
  return builder{"PUBSUB SHARDNUMSUB"}.keys(channels...);
}
/// PUBSUB NUMPAT: how many patterns are subscribed to.
command<std::int64_t> pubsub_numpat();

}  // namespace seawall::cmd

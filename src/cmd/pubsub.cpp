#include "seawall/cmd/pubsub.hpp"

namespace seawall::cmd {

command<std::vector<std::string>> pubsub_channels(std::string_view pattern) {
  return builder{"PUBSUB CHANNELS"}.text(pattern);
}
command<std::vector<std::string>> pubsub_shard_channels(std::string_view pattern) {
  return builder{"PUBSUB SHARDCHANNELS"}.text(pattern);
}
command<std::int64_t> pubsub_numpat() { return builder{"PUBSUB NUMPAT"}; }

}  // namespace seawall::cmd

// redis_tier: Redis or Valkey as the tier that several processes share.
//
//     auto redis = seawall::redis::client::connect({.url = "redis://127.0.0.1:6379"});
//     auto tier = seawall::redis_tier(*redis);
//     if (!tier) return tier.error();
//     seawall::cache<UserId, User> users{{.name = "users", .shared = *tier}};
#pragma once

#include "seawall/redis/client.hpp"
#include "seawall/tier/remote_tier.hpp"

namespace seawall {

/// A tier over a client of its own, made with the options of `like`: one connection to the server (to each primary of a
/// cluster) and a thread of its own. Nothing connects before the first call.
///
/// The user needs the commands GET, SET, GETRANGE, UNLINK, DEL, SETRANGE, EVAL, EVALSHA, INFO, TIME and CLIENT
/// TRACKING, for a cluster CLUSTER SLOTS; on the keys of the caches ("users:*"), the same in braces with ":r" behind
/// ("{users:*}:r"), "seawall:tag:users:*" for each, and `reign_key`, in a cluster followed by ":*". For caches of plain
/// values it is ":l" instead, no tags, and PTTL besides. DELEX or DELIFEQ if
/// the server has them and COMMAND INFO is granted; SCAN and DBSIZE for `remove_prefix`. Without rights to
/// "seawall:canary:*", CONFIG GET and CLUSTER NODES there is less advice.
///
/// A cluster: a slot that moves with its keys is told of like any change; that it was taken without them is noticed
/// within `bound` after the nodes know, while the tier is used.
/// Errors (errc::invalid_argument): an option out of its limits; braces in `reign_key` where it is a cluster.
result<std::shared_ptr<remote_tier>> redis_tier(const redis::client& like, tier_options how = {});

}  // namespace seawall

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

/// A tier over a client of its own, made with the options of `like`, one connection and a thread of its own. Nothing
/// connects before the first call. The user needs the commands GET, SET, GETRANGE, UNLINK, DEL, SETRANGE, EVAL,
/// EVALSHA, INFO and TIME, on the keys of the caches, the same in braces with `:r` behind, and `reign_key`.
/// Errors (errc::invalid_argument): an option out of its limits, or the URL of a cluster, which cannot be a tier yet.
result<std::shared_ptr<remote_tier>> redis_tier(const redis::client& like, tier_options how = {});

}  // namespace seawall

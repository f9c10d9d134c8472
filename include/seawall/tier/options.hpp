// tier_options: how a shared tier uses its server.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/log.hpp"
#include "seawall/base/result.hpp"
#include "seawall/tier/tuning.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace seawall {

/// Everything has a default.
struct tier_options {
  std::string name = "tier";        ///< In metrics.
  /// D: what a cache keeps of the tier in its process is at most so much older than the server's. 10 ms to an hour.
  duration bound = std::chrono::seconds{1};
  /// How often the server is asked for a sign of life, in use: 1 ms or more, and less than half of `bound`.
  duration heartbeat = std::chrono::milliseconds{250};
  /// How long one call of the tier takes at most, connecting included; then the cache goes on without it.
  duration budget = std::chrono::milliseconds{50};
  /// Without calls for so long, the heartbeat pauses; what caches keep is asked for again after that.
  duration idle = std::chrono::minutes{1};
  /// With all but tracking, what a cache keeps of the tier in its process lives for `bound`, since nothing proves that
  /// it has heard of all changes; hearing of one ends it sooner.
  tier::feed_mode feed = tier::feed_mode::tracking;
  /// Of tier::feed_mode::pub_sub: 1 to 1000 bytes. All processes that share the data must agree.
  std::string channel = "seawall:news";
  /// How often, in use, the tier changes a key of its own to see that it is told: 100 ms or more; zero: never.
  duration canary_interval = std::chrono::seconds{10};
  /// Looks at the settings of each server once, and logs what is wrong for a cache; see remote_tier::advice.
  bool advise = true;
  /// The key that says which reign of a primary the server's data are of. All processes that share the data must agree.
  /// In a cluster the beginning of such keys, one for each slot, and without braces.
  std::string reign_key = "seawall:reign";
  /// How long the record of a tag is kept: 1 minute or more. When it ends, its entries do, whatever their TTL.
  duration tag_life = std::chrono::hours{24 * 30};
  /// Longer values, decompressed, are neither stored nor taken from the server.
  std::size_t max_payload = std::size_t{64} << 20;

  tier::compression compression = {};
  tier::breaker_options breaker = {};
  tier::undelivered_limits undelivered = {};

  std::shared_ptr<seawall::clock> clock = nullptr;  ///< None: the machine's monotonic clock.
  log_hook log = nullptr;
  std::optional<std::uint64_t> seed = {};           ///< Of nonces and reigns: for simulations only.
};

/// An error that names the field which is out of its limits.
result<void> validate(const tier_options& how);

}  // namespace seawall

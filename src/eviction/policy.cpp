#include "seawall/eviction/policy.hpp"

#include "policies.hpp"

#include "seawall/eviction/adaptive.hpp"

namespace seawall::eviction {

std::unique_ptr<policy> make_policy(eviction_policy which, const arena& entries, const limits& room,
                                    std::uint64_t seed) {
  switch (which) {
    case eviction_policy::adaptive: break;
    case eviction_policy::lru: return make_lru(entries);
    case eviction_policy::lfu: return make_lfu(entries, seed);
    case eviction_policy::fifo: return make_fifo(entries);
    case eviction_policy::sieve: return make_sieve(entries);
    case eviction_policy::s3_fifo: return make_s3_fifo(entries, room);
    case eviction_policy::random: return make_random(entries, seed);
    case eviction_policy::volatile_lru: return make_volatile(entries, make_lru(entries));
    case eviction_policy::volatile_lfu: return make_volatile(entries, make_lfu(entries, seed));
    case eviction_policy::volatile_random: return make_volatile(entries, make_random(entries, seed));
    case eviction_policy::volatile_ttl: return make_volatile(entries, make_earliest_deadline(entries, seed));
    case eviction_policy::noeviction: return make_noeviction();
  }
  return std::make_unique<adaptive>(entries, room, seed);
}

}  // namespace seawall::eviction

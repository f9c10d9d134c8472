// The eviction policies by name.
#pragma once

#include "seawall/base/result.hpp"

#include <cstdint>
#include <string_view>

namespace seawall {

/// Which entry goes when a cache is full.
enum class eviction_policy : std::uint8_t {
  adaptive,         ///< W-TinyLFU with lazy queues, its window sized by what would have hit most. The default.
  lru,              ///< Least recently used, exact. Redis: allkeys-lru.
  lfu,              ///< Least often used, the oldest among equals. Redis: allkeys-lfu.
  fifo,             ///< The oldest.
  sieve,            ///< SIEVE (Zhang et al., NSDI 2024).
  s3_fifo,          ///< S3-FIFO (Yang et al., SOSP 2023).
  random,           ///< Any. Redis: allkeys-random.
  volatile_lru,     ///< As lru, among the entries with a TTL; the others are never evicted.
  volatile_lfu,     ///< As lfu, among the entries with a TTL.
  volatile_random,  ///< Any entry with a TTL.
  volatile_ttl,     ///< Of a sample of entries with a TTL, the one that expires first.
  noeviction,       ///< None: what does not fit is refused.
};

/// "adaptive", "lru", "s3-fifo", "volatile-lru", ...
std::string_view to_string(eviction_policy policy) noexcept;

/// The policy of that name; Redis's "allkeys-lru", "allkeys-lfu" and "allkeys-random" are known too.
/// Error: errc::invalid_argument, with the names that there are.
result<eviction_policy> parse_eviction_policy(std::string_view name);

/// Whether entries without a TTL are never evicted.
constexpr bool evicts_volatile_only(eviction_policy policy) noexcept {
  return policy >= eviction_policy::volatile_lru && policy <= eviction_policy::volatile_ttl;
}

}  // namespace seawall

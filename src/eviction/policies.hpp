// The policies that make_policy chooses from, except `adaptive`. Each is a class of its own in the file of its name.
#pragma once

#include "seawall/eviction/policy.hpp"

#include <cstdint>
#include <memory>

namespace seawall::eviction {

std::unique_ptr<policy> make_fifo(const arena& entries);
std::unique_ptr<policy> make_lru(const arena& entries);
std::unique_ptr<policy> make_lfu(const arena& entries, std::uint64_t seed);
std::unique_ptr<policy> make_sieve(const arena& entries);
std::unique_ptr<policy> make_s3_fifo(const arena& entries, const limits& room);
std::unique_ptr<policy> make_random(const arena& entries, std::uint64_t seed);
/// Of a few entries chosen at random, the one that expires first.
std::unique_ptr<policy> make_earliest_deadline(const arena& entries, std::uint64_t seed);
/// Evicts as `base` does, but only entries that have a deadline when they are added.
std::unique_ptr<policy> make_volatile(const arena& entries, std::unique_ptr<policy> base);
std::unique_ptr<policy> make_noeviction();

}  // namespace seawall::eviction

// What a store is told when it is made.
#pragma once

#include "seawall/eviction/policy_name.hpp"

#include <cstddef>
#include <cstdint>

namespace seawall::local {

struct store_options {
  std::size_t capacity = 100'000;  ///< Entries that are not pinned; at least 1.
  std::size_t max_weight = 0;      ///< Sum of their weights; 0: no limit.
  eviction_policy policy = eviction_policy::adaptive;
  std::size_t entry_size = 0;      ///< Bytes of an entry: header, key and value.
  bool notifies = false;           ///< Removals are kept for `deliver`.
  bool plain_data = false;         ///< Entries need no destructor.
  std::uint64_t seed = 0;
  std::size_t shards = 0;          ///< A power of two; 0: as many as processors, if each gets enough.
  std::size_t batch = 0;           ///< Changes that a lane holds; 0: by capacity.
};

}  // namespace seawall::local

// How the engine uses a key's 64-bit hash: 32 bits are kept in the entry, 15 in the table beside the pointer. Together
// they place an entry in a table of any size, so a key is never hashed again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seawall::local {

struct key_hash {
  std::uint32_t body;  ///< The high bits choose the bucket, the low ones the shard.
  std::uint16_t tag;   ///< Never 0.

  constexpr explicit key_hash(std::size_t hash) noexcept
      : body(static_cast<std::uint32_t>(static_cast<std::uint64_t>(hash) >> 32)),
        tag(static_cast<std::uint16_t>(hash | 1)) {}
  constexpr key_hash(std::uint32_t stored_body, std::uint16_t stored_tag) noexcept
      : body(stored_body), tag(stored_tag) {}
};

}  // namespace seawall::local

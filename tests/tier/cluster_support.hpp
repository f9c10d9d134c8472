// What the tests of the shared tier on a cluster share.
#pragma once

#include "servers/cluster.hpp"
#include "tier_support.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace seawall {

inline std::string url_of(servers::cluster& nodes, std::size_t seed = 0) {
  return "redis+cluster://127.0.0.1:" + std::to_string(nodes.port(seed));
}

/// A key of the cache "c:" in the slot.
inline std::string key_at(std::uint16_t slot, std::string_view name = "k") {
  return "c:" + servers::key_in(slot, name);
}

/// Slots of the three primaries of a new cluster.
inline constexpr std::uint16_t slot_a = 100, slot_b = 8'000, slot_c = 16'000;

/// A tag of the cache "c:" whose record lies with one of three primaries.
inline std::uint64_t tag_with(std::size_t primary) {
  for (std::uint64_t tag = 1;; ++tag) {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(tag));
    const std::size_t third_of = servers::slot_of("seawall:tag:c:" + std::string{digits}) / 5462;
    if (third_of == primary) return tag;
  }
}

}  // namespace seawall

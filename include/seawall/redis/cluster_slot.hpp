// cluster_slot: which of a cluster's 16384 slots a key belongs to.
// Source: Redis Cluster specification, "Key distribution model" and "Hash tags".
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seawall::redis {

using slot_number = std::uint16_t;

inline constexpr slot_number slot_count = 16384;

namespace detail {

// For each byte, what it does to the checksum.
inline constexpr std::array<std::uint16_t, 256> crc16_steps = [] {
  std::array<std::uint16_t, 256> steps{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    steps[byte] = static_cast<std::uint16_t>(crc);
  }
  return steps;
}();

}  // namespace detail

/// CRC16 in the variant XMODEM: polynomial 0x1021, begun with 0, nothing reflected.
constexpr std::uint16_t crc16(std::string_view bytes) noexcept {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc = ((crc << 8) & 0xffff) ^ detail::crc16_steps[(crc >> 8) ^ static_cast<unsigned char>(c)];
  }
  return static_cast<std::uint16_t>(crc);
}

/// The part of a key that decides its slot: what is between the first '{' and the first '}' behind it, unless that is
/// empty; else the whole key.
constexpr std::string_view hash_tag(std::string_view key) noexcept {
  const std::size_t open = key.find('{');
  if (open == key.npos) return key;
  const std::size_t close = key.find('}', open + 1);
  if (close == key.npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

constexpr slot_number slot_of(std::string_view key) noexcept { return crc16(hash_tag(key)) % slot_count; }

}  // namespace seawall::redis

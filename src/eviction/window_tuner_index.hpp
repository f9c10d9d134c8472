// Finds the headers of one shadow cache by their hash, which stands for the key: a small open-addressing table with
// linear probing, at most half full, without tombstones. Thread safety: none.
#pragma once

#include "seawall/eviction/arena.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace seawall::eviction {

class window_tuner_index {
 public:
  window_tuner_index(const arena& headers, std::size_t capacity)
      : headers_(headers),
        slots_(std::bit_ceil(2 * capacity), no_handle),
        shift_(32 - static_cast<std::uint32_t>(std::countr_zero(slots_.size()))) {}

  /// no_handle: not there.
  handle find(std::uint32_t hash) const noexcept {
    for (std::size_t slot = home(hash);; slot = after(slot)) {
      if (slots_[slot] == no_handle || headers_[slots_[slot]].hash == hash) return slots_[slot];
    }
  }

  /// Requires: its hash is not there, and less than the capacity are.
  void insert(handle which) noexcept {
    std::size_t slot = home(headers_[which].hash);
    while (slots_[slot] != no_handle) slot = after(slot);
    slots_[slot] = which;
  }

  /// Requires: it is there.
  void erase(handle which) noexcept {
    std::size_t hole = home(headers_[which].hash);
    while (slots_[hole] != which) hole = after(hole);
    // Those that were pushed past the hole from a home at or before it move into it.
    for (std::size_t slot = after(hole); slots_[slot] != no_handle; slot = after(slot)) {
      if (distance(home(headers_[slots_[slot]].hash), slot) < distance(hole, slot)) continue;
      slots_[hole] = slots_[slot];
      hole = slot;
    }
    slots_[hole] = no_handle;
  }

  std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(handle); }

 private:
  // Not the multiplier that the sample is chosen by: the products of all sampled hashes are small with that one.
  std::size_t home(std::uint32_t hash) const noexcept { return hash * 0x85ebca6bU >> shift_; }
  std::size_t after(std::size_t slot) const noexcept { return (slot + 1) & (slots_.size() - 1); }
  std::size_t distance(std::size_t from, std::size_t to) const noexcept { return (to - from) & (slots_.size() - 1); }

  const arena& headers_;
  std::vector<handle> slots_;
  std::uint32_t shift_;
};

}  // namespace seawall::eviction

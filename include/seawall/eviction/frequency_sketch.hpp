// How often keys were asked for lately, in four bits a counter: a count-min sketch (Cormode and Muthukrishnan, 2005)
// that is halved periodically, as in TinyLFU (Einziger, Friedman and Manes, ACM TOS 2017). All four counters of a key
// lie in one cache line. There are 16 counters, eight bytes, for each entry that it covers (half of them would cost 0.2
// points of hit ratio on average); it starts small and doubles as the cache fills, without losing a count, a few lines
// at each addition, so that none waits for all. An estimate is never below the true count since the last halving, up to
// 15. Thread safety: none.
#pragma once

#include "seawall/base/prefetch.hpp"
#include "seawall/base/zeroed_array.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace seawall::eviction {

class frequency_sketch {
 public:
  static constexpr std::uint64_t max_count = 15;

  /// For a cache of up to `capacity` entries; covers few of them at first. Two seeds have different collisions.
  explicit frequency_sketch(std::size_t capacity, std::uint64_t seed) : seed_(seed) { resize(capacity, 0); }

  /// A hint that `hash` comes next. Inline at any rate: GCC 12 takes a call that only prefetches for one without
  /// effect, and leaves it out.
  [[gnu::always_inline]] void prefetch(std::uint32_t hash) const noexcept {
    prefetch_to_write(&line_of(spread(hash)));
  }

  std::uint32_t estimate(std::uint32_t hash) const noexcept;
  /// `count` more uses; answers the estimate before them. Now and then it halves all counters, which takes time linear
  /// in the memory: 10 ms for 100 MB.
  std::uint32_t add(std::uint32_t hash, std::uint32_t count = 1) noexcept;

  /// The number of entries that it is accurate for, at present.
  std::size_t covered() const noexcept { return lines_.size() * entries_per_line; }
  /// Whether the cache, which holds so many entries, has outgrown it; then grow() doubles it. May throw std::bad_alloc.
  bool outgrown(std::size_t entries) const noexcept { return entries / 3 * 4 > covered() && covered() < capacity_; }
  void grow();
  /// Whether it is still doubling; then additions do a part of it.
  bool growing() const noexcept { return !smaller_.empty(); }
  /// Another capacity; `entries` are in the cache. What counters share after a reduction is the larger of both.
  void resize(std::size_t capacity, std::size_t entries);
  /// Forgets all counts, and takes the least memory again.
  void clear();

  std::size_t bytes() const noexcept { return lines_.bytes() + smaller_.bytes(); }

 private:
  static constexpr std::size_t entries_per_line = 8;
  static constexpr std::size_t first_lines = 8;  // less is not worth growing from
  static constexpr std::uint64_t additions_per_entry = 10;

  // Four rows of 32 counters; a row is two words.
  struct alignas(64) line {
    std::array<std::uint64_t, 8> words{};
  };

  // The upper half chooses the line, the lower one the counter of each row.
  std::uint64_t spread(std::uint32_t hash) const noexcept {
    std::uint64_t x = (hash ^ seed_) * 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93;
    return x ^ (x >> 32);
  }
  [[gnu::always_inline]] line& line_of(std::uint64_t spread) const noexcept {
    if (growing()) [[unlikely]] {
      const std::size_t before = place_in(smaller_, spread);
      if (before >= moved_) return smaller_[before];
    }
    return lines_[place_in(lines_, spread)];
  }
  static std::size_t place_in(const zeroed_array<line>& lines, std::uint64_t spread) noexcept {
    return static_cast<std::size_t>((spread >> 32) * lines.size() >> 32);
  }
  void move(std::size_t count) noexcept;
  std::size_t lines_for(std::size_t entries) const noexcept;
  void halve() noexcept;
  void fold();

  std::uint64_t seed_;
  std::size_t capacity_ = 0;
  zeroed_array<line> lines_;
  zeroed_array<line> smaller_;  // while it doubles: what lines_ is to take the counts of
  std::size_t moved_ = 0;       // lines of smaller_ that are in lines_ already
  std::uint64_t additions_ = 0;  // since the last halving; those before count half
};

}  // namespace seawall::eviction

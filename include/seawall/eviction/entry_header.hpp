// What every entry of the engine begins with: the part that eviction and expiry work on, without knowing keys or
// values. Sixteen bytes, so that with a key and a value of eight bytes each an entry is half a cache line and never
// lies across two.
// Thread safety: what readers touch lies in `life_`, one atomic word, relaxed: it publishes nothing. The rest is
// constant while the entry can be found, or guarded by the lock of the entry's policy.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace seawall::eviction {

/// Names an entry of an arena; 0 names none.
using handle = std::uint32_t;
inline constexpr handle no_handle = 0;

/// Deadlines are kept in ticks of 2^20 ns, which is 1.05 ms, for the first 36 years of the clock.
struct tick {
  static constexpr unsigned shift = 20;
  static constexpr std::int64_t length = std::int64_t{1} << shift;
  static constexpr std::uint64_t never = (std::uint64_t{1} << 40) - 1;

  /// The tick that has begun at a moment, in nanoseconds.
  static constexpr std::uint64_t of(std::int64_t moment) noexcept {
    if (moment == INT64_MAX) return never;
    return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(moment, 0)) >> shift, never - 1);
  }
};

class entry_header {
  // From the top: 40 bits of deadline, one that tells whether it moves, 5 of profile, 16 of weight, 2 of uses.
  static constexpr unsigned deadline_shift = 24;
  static constexpr unsigned moves_shift = 23;
  static constexpr unsigned profile_shift = 18;
  static constexpr unsigned weight_shift = 2;
  static constexpr unsigned mantissa_bits = 11;
  static constexpr unsigned weight_bits = 16;

 public:
  static constexpr std::uint8_t max_uses = 3;
  static constexpr std::uint8_t profiles = 32;
  static constexpr std::uint32_t no_place = (1U << 22) - 1;

  std::uint32_t hash = 0;           ///< 32 well mixed bits of the key's hash.
  std::uint32_t place : 22 = 0;     ///< The policy's: the part of its queue in which the entry is.
  std::uint32_t queue : 4 = 0;      ///< The policy's: in which of its queues; 0: in none.
  std::uint32_t flags : 6 = 0;      ///< The engine's.

  /// Before the entry can be found. The deadline is in nanoseconds on the cache's clock and rounded down to a tick;
  /// INT64_MAX: none. The weight is exact up to 4095, above rounded up by less than 1/2048; 0: pinned, known to no
  /// policy. `moves`: the deadline may change while the entry can be found.
  void set(std::int64_t deadline, std::size_t weight, std::uint8_t profile = 0, bool moves = false) noexcept {
    life_.store(tick::of(deadline) << deadline_shift | std::uint64_t{moves} << moves_shift |
                    std::uint64_t{profile} << profile_shift | std::uint64_t{packed(weight)} << weight_shift,
                std::memory_order_relaxed);
  }

  // ---- one word, read once ----

  class life {
   public:
    explicit constexpr life(std::uint64_t word) noexcept : word_(word) {}
    bool forever() const noexcept { return word_ >> deadline_shift == tick::never; }
    /// In nanoseconds; INT64_MAX: none.
    std::int64_t deadline() const noexcept {
      return forever() ? INT64_MAX : static_cast<std::int64_t>(word_ >> deadline_shift << tick::shift);
    }
    bool moves() const noexcept { return (word_ >> moves_shift & 1) != 0; }
    /// The engine's: idle time and staleness, by number.
    std::uint8_t profile() const noexcept { return word_ >> profile_shift & (profiles - 1); }
    bool pinned() const noexcept { return packed_weight() == 0; }
    std::size_t weight() const noexcept {
      const std::uint32_t exponent = packed_weight() >> mantissa_bits;
      const std::size_t mantissa = packed_weight() & ((1U << mantissa_bits) - 1);
      return exponent == 0 ? mantissa : (mantissa | 1U << mantissa_bits) << (exponent - 1);
    }
    std::uint8_t uses() const noexcept { return word_ & max_uses; }

   private:
    friend entry_header;
    std::uint32_t packed_weight() const noexcept {
      return static_cast<std::uint32_t>(word_ >> weight_shift & ((1U << weight_bits) - 1));
    }
    std::uint64_t word_;
  };
  life now() const noexcept { return life{life_.load(std::memory_order_relaxed)}; }

  /// For a look at many lives: entries that live on at a moment, told by a comparison.
  class horizon {
   public:
    /// Only what has no deadline at all.
    constexpr horizon() noexcept : word_(tick::never << deadline_shift) {}
    /// The moment in nanoseconds. Beyond the last tick, or before the first: as without one.
    explicit constexpr horizon(std::int64_t moment) noexcept
        : word_((std::min(static_cast<std::uint64_t>(moment) >> tick::shift, tick::never - 1) + 1) << deadline_shift) {}
    /// Whether the deadline lies in a later tick than the moment, and the profile is 0. Otherwise look closer.
    constexpr bool outlived_by(life of) const noexcept {
      return of.word_ >= word_ && (of.word_ >> profile_shift & (profiles - 1)) == 0;
    }

   private:
    std::uint64_t word_;
  };

  std::int64_t deadline() const noexcept { return now().deadline(); }
  bool expired(std::int64_t moment) const noexcept { return deadline() <= moment; }
  bool moves() const noexcept { return now().moves(); }
  std::size_t weight() const noexcept { return now().weight(); }
  bool pinned() const noexcept { return now().pinned(); }
  /// Uses since the policy last looked; saturates at `max_uses`.
  std::uint8_t uses() const noexcept { return now().uses(); }

  // ---- changes ----

  /// A use by a reader. Two at once may count as one; most find the counter full and write nothing.
  void use() noexcept { use(now()); }
  /// The same by who has just seen `now()`.
  void use(life seen) noexcept {
    if (seen.uses() == max_uses) return;
    std::uint64_t word = seen.word_;
    // Nothing else in the word changes, unless the deadline moves: that must not be undone.
    if (!seen.moves()) [[likely]] life_.store(word + 1, std::memory_order_relaxed);
    else life_.compare_exchange_strong(word, word + 1, std::memory_order_relaxed);
  }
  /// Requires: count <= max_uses.
  void set_uses(std::uint8_t count) noexcept {
    std::uint64_t word = life_.load(std::memory_order_relaxed);
    if (!life{word}.moves()) {
      life_.store((word & ~std::uint64_t{max_uses}) | count, std::memory_order_relaxed);
      return;
    }
    while (!life_.compare_exchange_weak(word, (word & ~std::uint64_t{max_uses}) | count, std::memory_order_relaxed)) {
    }
  }
  /// Takes over from an entry of the same key whose value is replaced, which is a use.
  void follow(const entry_header& before) noexcept {
    set_uses(before.uses());
    use();
  }
  /// Requires: moves(). The deadline is rounded down to a tick.
  void set_deadline(std::int64_t deadline) noexcept {
    std::uint64_t word = life_.load(std::memory_order_relaxed);
    while (!life_.compare_exchange_weak(word, with_deadline(word, tick::of(deadline)), std::memory_order_relaxed)) {
    }
  }
  /// The same, but never back: another use may have come further.
  void extend_deadline(std::int64_t deadline) noexcept {
    const std::uint64_t later = tick::of(deadline);
    std::uint64_t word = life_.load(std::memory_order_relaxed);
    while (word >> deadline_shift < later &&
           !life_.compare_exchange_weak(word, with_deadline(word, later), std::memory_order_relaxed)) {
    }
  }

 private:
  static constexpr std::uint64_t with_deadline(std::uint64_t word, std::uint64_t ticks) noexcept {
    return (word & ((std::uint64_t{1} << deadline_shift) - 1)) | ticks << deadline_shift;
  }

  // A float of five bits of exponent and eleven of mantissa, rounded up.
  static constexpr std::uint16_t packed(std::size_t weight) noexcept {
    if (weight < std::size_t{1} << mantissa_bits) return static_cast<std::uint16_t>(weight);
    unsigned exponent = static_cast<unsigned>(std::bit_width(weight)) - mantissa_bits;
    std::size_t mantissa = (weight + (std::size_t{1} << (exponent - 1)) - 1) >> (exponent - 1);
    if (mantissa >> (mantissa_bits + 1) != 0) {
      mantissa >>= 1;
      ++exponent;
    }
    if (exponent > 31) return 0xffff;
    return static_cast<std::uint16_t>(exponent << mantissa_bits | (mantissa & ((1U << mantissa_bits) - 1)));
  }

  std::atomic<std::uint64_t> life_{tick::never << deadline_shift | std::uint64_t{1} << weight_shift};
};

static_assert(sizeof(entry_header) == 16);

}  // namespace seawall::eviction

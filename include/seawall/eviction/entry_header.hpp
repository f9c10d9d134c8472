// What every entry of the engine begins with: the part that eviction and expiry work on, without knowing keys or
// values. Thread safety: `deadline` and `uses` are touched by readers without a lock, relaxed: neither publishes
// anything. The rest is constant while the entry can be found, or guarded by the lock of the entry's policy.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seawall::eviction {

/// Names an entry of an arena; 0 names none.
using handle = std::uint32_t;
inline constexpr handle no_handle = 0;

struct entry_header {
  std::atomic<std::int64_t> deadline{INT64_MAX};  ///< Nanoseconds on the cache's clock; from here on it serves nobody.
  std::uint32_t weight = 1;                        ///< 0: pinned, known to no policy.
  std::uint32_t hash = 0;                          ///< 32 well mixed bits of the key's hash.
  std::uint32_t place = 0;                         ///< The policy's: where in its queue the entry is.
  std::atomic<std::uint8_t> uses{0};               ///< Uses since the policy last looked; saturates at `max_uses`.
  std::uint8_t queue = 0;                          ///< The policy's: in which of its queues; 0: in none.
  std::uint8_t flags = 0;                          ///< The engine's.
  std::uint8_t profile = 0;                        ///< The engine's: idle time and staleness, by number.

  static constexpr std::uint8_t max_uses = 3;

  /// A use by a reader. Two at once may count as one; most find the counter full and write nothing.
  void use() noexcept {
    const std::uint8_t before = uses.load(std::memory_order_relaxed);
    if (before < max_uses) uses.store(static_cast<std::uint8_t>(before + 1), std::memory_order_relaxed);
  }
};

static_assert(sizeof(entry_header) == 24);

}  // namespace seawall::eviction

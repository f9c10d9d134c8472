// The few (idle time, staleness) pairs that the entries of one cache use, by number: an entry keeps five bits instead
// of two durations.
// Thread safety: all members may be called from any thread; reading takes no lock.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/eviction/entry_header.hpp"
#include "seawall/local/small_mutex.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace seawall::local {

struct profile {
  duration idle{};       ///< Each use moves the deadline to now + idle; 0: it does not move.
  duration stale_for{};  ///< The last part of an entry's life, in which it is stale.

  bool operator==(const profile&) const = default;
};

class profile_table {
 public:
  static constexpr std::size_t capacity = eviction::entry_header::profiles;

  profile_table() = default;

  const profile& operator[](std::uint8_t number) const noexcept { return profiles_[number]; }

  /// The number of a profile, added if it is new; nothing when there are 31 others. Number 0 is {0, 0}.
  std::optional<std::uint8_t> number_of(const profile& wanted) noexcept {
    std::size_t count = count_.load(std::memory_order_acquire);
    if (const auto found = search(wanted, count)) return found;
    const std::lock_guard lock{mutex_};
    count = count_.load(std::memory_order_relaxed);
    if (const auto found = search(wanted, count)) return found;
    if (count == capacity) return std::nullopt;
    profiles_[count] = wanted;
    count_.store(count + 1, std::memory_order_release);
    return static_cast<std::uint8_t>(count);
  }

 private:
  std::optional<std::uint8_t> search(const profile& wanted, std::size_t count) const noexcept {
    for (std::size_t i = 0; i != count; ++i) {
      if (profiles_[i] == wanted) return static_cast<std::uint8_t>(i);
    }
    return std::nullopt;
  }

  std::array<profile, capacity> profiles_{};  // those below count_ are constant
  std::atomic<std::size_t> count_{1};         // written under mutex_, with release: it publishes the profile
  small_mutex mutex_;
};

}  // namespace seawall::local

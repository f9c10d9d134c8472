// A mutex of four bytes, for locks that are many and held for nanoseconds. It spins a little, then sleeps in the kernel
// (std::atomic::wait). States as in Drepper, "Futexes are tricky" (2011): free, held, held with sleepers.
// Thread safety: as a mutex: lock and unlock on the same thread, not recursive. Acquire on lock, release on unlock.
#pragma once

#include "seawall/local/schedule_point.hpp"

#include <atomic>
#include <cstdint>

namespace seawall::local {

class small_mutex {
 public:
  bool try_lock() noexcept {
    std::uint32_t expected = free;
    return state_.load(std::memory_order_relaxed) == free &&
           state_.compare_exchange_strong(expected, held, std::memory_order_acquire, std::memory_order_relaxed);
  }

  void lock() noexcept {
    schedule_point();
    std::uint32_t expected = free;
    if (!state_.compare_exchange_strong(expected, held, std::memory_order_acquire, std::memory_order_relaxed))
        [[unlikely]] {
      lock_slow();
    }
  }

  void unlock() noexcept {
    if (state_.exchange(free, std::memory_order_release) == contended) [[unlikely]] state_.notify_one();
    schedule_point();
  }

 private:
  static constexpr std::uint32_t free = 0;
  static constexpr std::uint32_t held = 1;
  static constexpr std::uint32_t contended = 2;

  void lock_slow() noexcept {
#if defined(SEAWALL_SCHEDULE_POINTS)
    while (!try_lock()) schedule_point();
#else
    for (int spin = 0; spin != 100; ++spin) {
      if (try_lock()) return;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    while (state_.exchange(contended, std::memory_order_acquire) != free) {
      state_.wait(contended, std::memory_order_relaxed);
    }
#endif
  }

  std::atomic<std::uint32_t> state_{free};
};

}  // namespace seawall::local

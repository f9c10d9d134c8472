// one_time_event: what many threads wait for, and happens once. They sleep in the kernel on one word, and none of them
// needs a lock afterwards; a condition variable would wake all of them into the same mutex.
// Thread safety: all members.
#pragma once

#include "seawall/base/clock.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>

namespace seawall::source {

class one_time_event {
 public:
  void happen() noexcept {
    happened_.store(1, std::memory_order_release);
    ::syscall(SYS_futex, &happened_, FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max(), nullptr, nullptr, 0);
  }

  bool has_happened() const noexcept { return happened_.load(std::memory_order_acquire) != 0; }

  /// Waits; whether it has happened by then. `until` is of the steady clock.
  bool wait_until(time_point until) const noexcept {
    const auto since = std::max(until, time_point{}).time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const timespec end{.tv_sec = seconds.count(), .tv_nsec = (since - seconds).count()};
    bool in_time = true;
    while (!has_happened() && in_time) {
      const long woken = ::syscall(SYS_futex, &happened_, FUTEX_WAIT_BITSET_PRIVATE, 0, &end, nullptr,
                                   FUTEX_BITSET_MATCH_ANY);
      in_time = woken == 0 || errno != ETIMEDOUT;
    }
    return has_happened();
  }

 private:
  std::atomic<std::uint32_t> happened_{0};
  static_assert(sizeof happened_ == 4, "the kernel's word");
};

}  // namespace seawall::source

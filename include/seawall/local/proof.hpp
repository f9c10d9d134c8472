// proof: how an entry that mirrors another store is known to be still right.
#pragma once

#include "seawall/base/clock.hpp"

#include <atomic>

namespace seawall::local {

/// Until when what was read over one connection counts as proved. Shared by all entries that were.
/// Thread safety: all members may be called from any thread.
class proof {
 public:
  /// Whether a read under this proof may still be served at `now`.
  bool covers(time_point now) const noexcept { return now < until_.load(std::memory_order_relaxed); }

  /// The store has shown that everything it did before `asked` has been told; so reads hold until `asked` + bound.
  void extend(time_point until) noexcept {
    time_point before = until_.load(std::memory_order_relaxed);
    while (before != time_point::min() && before < until &&
           !until_.compare_exchange_weak(before, until, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }

  /// Messages may have been lost: nothing that was read under it is served again, whatever comes later.
  void end() noexcept { until_.store(time_point::min(), std::memory_order_release); }

  /// Becomes a new proof, which covers nothing yet. Requires: nobody has an entry that was read under the old one.
  void renew() noexcept { until_.store(time_point{}, std::memory_order_release); }

 private:
  std::atomic<time_point> until_{time_point{}};
};

}  // namespace seawall::local

// sequence_window: which operations have been dealt with, and up to which one all have. It takes memory for those that
// are open, not for those that were settled since the oldest one came.
// Thread safety: none.
#pragma once

#include "seawall/base/clock.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace seawall::source {

class sequence_window {
 public:
  explicit sequence_window(std::uint64_t settled_through = 0) noexcept : last_(settled_through) {}

  /// An operation that is to be done. Requires: a sequence greater than all before.
  void open(std::uint64_t sequence, time_point since) {
    last_ = sequence;
    open_.push_back({sequence, since, false});
  }

  /// Sequences up to this one that were not opened need nothing of their own. Requires: no smaller than all before.
  void pass(std::uint64_t sequence) noexcept { last_ = sequence; }

  /// It needs nothing any more. Requires: it was opened.
  void settle(std::uint64_t sequence) {
    std::ranges::lower_bound(open_, sequence, {}, &item::sequence)->settled = true;
    ++settled_;
    for (; !open_.empty() && open_.front().settled; --settled_) open_.pop_front();
    if (settled_ <= open_.size() / 2) return;
    std::erase_if(open_, [](const item& at) { return at.settled; });
    settled_ = 0;
  }

  /// All that were opened up to this one are settled.
  std::uint64_t settled_through() const noexcept { return open_.empty() ? last_ : open_.front().sequence - 1; }
  /// How many up to this one are not settled.
  std::size_t unsettled(std::uint64_t through) const {
    const auto end = std::ranges::upper_bound(open_, through, {}, &item::sequence);
    return static_cast<std::size_t>(std::count_if(open_.begin(), end, [](const item& at) { return !at.settled; }));
  }
  /// Since when the oldest one waits that is not settled; `never` when all are.
  time_point oldest() const noexcept { return open_.empty() ? never : open_.front().since; }

 private:
  struct item {
    std::uint64_t sequence;
    time_point since;
    bool settled;
  };
  std::deque<item> open_;
  std::size_t settled_ = 0;  // of open_
  std::uint64_t last_;
};

}  // namespace seawall::source

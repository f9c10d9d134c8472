// Belady's optimum with bypass: the most hits that any policy can have with a capacity, if it knew the future and need
// not store what it was asked for.
//
// Memory: 4 bytes per request (when its key comes next), 1 per distinct key, and at most 2 x capacity + 1024 heap nodes
// of 4 bytes. A hit pushes a new node and leaves its old one behind; what is left behind lies in the past, so it sinks
// below all that counts, and a sweep drops it when the heap has grown to its limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <queue>
#include <vector>

namespace seawall::bench {

class belady {
 public:
  /// `ids`: the requests, their keys numbered 0..distinct-1; must outlive this.
  belady(const std::vector<std::uint32_t>& ids, std::size_t distinct) : ids_(ids), distinct_(distinct) {
    std::vector<std::uint32_t> seen(distinct, nowhere);
    next_.resize(ids.size());
    for (std::size_t i = ids.size(); i-- != 0;) {
      next_[i] = seen[ids[i]];
      seen[ids[i]] = static_cast<std::uint32_t>(i);
    }
  }

  std::size_t hits(std::size_t capacity) const {
    std::vector<char> resident(distinct_, 0);
    std::vector<std::uint32_t> heap;  // of next uses, the farthest on top; ids_ tells whose
    const std::size_t limit = 2 * std::min(capacity, distinct_) + 1024;
    std::size_t held = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i != ids_.size(); ++i) {
      const std::uint32_t id = ids_[i];
      const std::uint32_t next = next_[i];
      if (resident[id] != 0) {
        ++count;
        if (next == nowhere) {
          resident[id] = 0;
          --held;
          continue;
        }
      } else {
        if (next == nowhere) continue;
        if (held == capacity) {
          if (next >= heap.front()) continue;
          resident[ids_[heap.front()]] = 0;
          std::pop_heap(heap.begin(), heap.end());
          heap.pop_back();
        } else {
          ++held;
        }
        resident[id] = 1;
      }
      if (heap.size() == limit) drop_past(heap, i);
      heap.push_back(next);
      std::push_heap(heap.begin(), heap.end());
    }
    return count;
  }

 private:
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();

  static void drop_past(std::vector<std::uint32_t>& heap, std::size_t now) {
    std::erase_if(heap, [now](std::uint32_t next) { return next <= now; });
    std::make_heap(heap.begin(), heap.end());
  }

  const std::vector<std::uint32_t>& ids_;
  std::size_t distinct_;
  std::vector<std::uint32_t> next_;
};

}  // namespace seawall::bench

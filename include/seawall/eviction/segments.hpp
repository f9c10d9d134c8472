// The queues of a policy that has several, by their numbers in entry_header::queue, and what is in each: entries, or
// weight if that is limited. Thread safety: none.
#pragma once

#include "seawall/eviction/block_queue.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace seawall::eviction {

class segments {
 public:
  /// There are three, 1 to 3; whoever needs fewer leaves the others empty.
  segments(const arena& entries, bool by_weight) noexcept
      : entries_(entries), all_{{{{pool_, entries}}, {{pool_, entries}}, {{pool_, entries}}}}, by_weight_(by_weight) {}

  /// What an entry counts.
  std::size_t cost(const entry_header& entry) const noexcept { return by_weight_ ? entry.weight() : 1; }
  const block_queue& operator[](std::uint32_t id) const noexcept { return all_[id - 1].order; }
  std::size_t amount(std::uint32_t id) const noexcept { return all_[id - 1].amount; }
  std::size_t amount() const noexcept { return all_[0].amount + all_[1].amount + all_[2].amount; }
  /// In entries.
  std::size_t size() const noexcept { return all_[0].order.size() + all_[1].order.size() + all_[2].order.size(); }
  std::size_t bytes() const noexcept { return pool_.bytes(); }

  /// Sees to it that the next so many blocks are there when entries come or move. Throws std::bad_alloc.
  void reserve(std::size_t blocks) { pool_.reserve(blocks); }

  /// An entry that is in no queue becomes the newest of one. Throws std::bad_alloc, unless a block is in reserve.
  void push(std::uint32_t into, handle which) {
    all_[into - 1].order.push_front(which);
    enter(into, entries_[which]);
  }
  /// The entry becomes the oldest.
  void push_back(std::uint32_t into, handle which) {
    all_[into - 1].order.push_back(which);
    enter(into, entries_[which]);
  }
  /// Takes the oldest out. Requires: the queue is not empty.
  handle pop(std::uint32_t from) noexcept {
    const handle which = all_[from - 1].order.pop_back();
    leave(entries_[which]);
    return which;
  }

  /// As policy::prefetch.
  void prefetch(const entry_header& entry) const noexcept {
    if (entry.queue != 0) pool_.prefetch(entry.place);
  }
  /// Takes an entry out, if it is in a queue.
  void remove(handle which) noexcept {
    entry_header& entry = entries_[which];
    if (entry.queue == 0) return;
    all_[entry.queue - 1U].order.erase(which);
    leave(entry);
  }
  /// As policy::replace; false, and nothing done, if `old` is in no queue.
  bool replace(handle old, handle now) noexcept {
    entry_header& before = entries_[old];
    if (before.queue == 0) return false;
    entry_header& after = entries_[now];
    all_[before.queue - 1U].order.replace(old, now);
    enter(before.queue, after);
    leave(before);
    after.follow(before);
    return true;
  }

  /// Takes out all entries without touching them.
  void clear() noexcept {
    for (segment& each : all_) {
      each.order.clear();
      each.amount = 0;
    }
  }

  /// Whether weight counts, or else the number.
  void count_weight(bool by_weight) noexcept {
    if (by_weight == by_weight_) return;
    by_weight_ = by_weight;
    for (segment& each : all_) {
      each.amount = 0;
      each.order.for_each(false, [&](handle which) {
        each.amount += cost(entries_[which]);
        return true;
      });
    }
  }

 private:
  struct segment {
    block_queue order;
    std::size_t amount = 0;
  };

  void enter(std::uint32_t id, entry_header& entry) noexcept {
    all_[id - 1].amount += cost(entry);
    entry.queue = id & 0xf;
  }
  void leave(entry_header& entry) noexcept {
    all_[entry.queue - 1U].amount -= cost(entry);
    entry.queue = 0;
  }

  const arena& entries_;
  block_pool pool_;
  std::array<segment, 3> all_;
  bool by_weight_;
};

}  // namespace seawall::eviction

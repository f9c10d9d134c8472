// A queue of entries, oldest to newest, in 4.2 bytes an entry: an unrolled doubly linked list of handles. It is the one
// structure that keeps order for all policies. Entries come and go at both ends and, by their handle, from the middle:
// that leaves a hole; an empty block is freed, and two neighbours that are both less than 3/8 full become one. So a
// queue of n entries takes at most n / 11 + 3 blocks, and no operation moves more than one block of entries. The queue
// keeps the number of an entry's block in entry_header::place, and changes it when it moves the entry; in which slot of
// the block it is, is searched when it leaves from the middle. Thread safety: none.
#pragma once

#include "seawall/eviction/arena.hpp"
#include "seawall/eviction/block_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace seawall::eviction {

class block_queue {
 public:
  /// Where an entry is, until the next change.
  struct position {
    std::uint32_t block;
    std::uint32_t slot;
    bool operator==(const position&) const = default;
  };
  static constexpr position nowhere{block_pool::none, 0};

  /// An empty queue. The pool and the arena must outlive it.
  block_queue(block_pool& pool, const arena& entries) noexcept : pool_(&pool), entries_(&entries) {}
  block_queue(const block_queue&) = delete;
  block_queue& operator=(const block_queue&) = delete;
  /// Leaves its blocks to the pool, which knows nothing of it: clear() gives them back.
  ~block_queue() = default;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  /// The entry becomes the newest. Throws std::bad_alloc, unless the pool has a block in reserve.
  void push_front(handle which) {
    if (newest_ == block_pool::none || (*pool_)[newest_].end == order_block::slot_count) add_newest();
    order_block& home = (*pool_)[newest_];
    put(newest_, home, home.end++, which);
  }

  /// The entry becomes the oldest.
  void push_back(handle which) {
    if (oldest_ == block_pool::none || (*pool_)[oldest_].begin == 0) add_oldest();
    order_block& home = (*pool_)[oldest_];
    put(oldest_, home, --home.begin, which);
  }

  /// The oldest entry, no_handle when empty.
  handle back() const noexcept {
    if (empty()) return no_handle;
    const order_block& home = (*pool_)[oldest_];
    return home.slots[home.begin];
  }

  /// The newest entry, no_handle when empty.
  handle front() const noexcept {
    if (empty()) return no_handle;
    const order_block& home = (*pool_)[newest_];
    return home.slots[home.end - 1];
  }

  /// Takes the oldest entry out. Requires: !empty().
  handle pop_back() noexcept {
    order_block& home = (*pool_)[oldest_];
    const handle which = home.slots[home.begin];
    --size_;
    if (--home.count == 0)
      unlink(oldest_);
    else
      trim_begin(home);
    return which;
  }

  /// Takes out an entry. Requires: it is in this queue.
  void erase(handle which) noexcept;

  /// `now` takes the place of `old`. Requires: `old` is in this queue.
  void replace(handle old, handle now) noexcept;

  /// Takes out all entries without touching them.
  void clear() noexcept;

  // ---- looking, from the oldest to the newest or back; nowhere: there is none ----

  position oldest() const noexcept { return empty() ? nowhere : position{oldest_, (*pool_)[oldest_].begin}; }
  position newest() const noexcept { return empty() ? nowhere : position{newest_, (*pool_)[newest_].end - 1U}; }
  position newer(position than) const noexcept;
  position older(position than) const noexcept;
  handle operator[](position where) const noexcept { return (*pool_)[where.block].slots[where.slot]; }
  /// Requires: it is in this queue.
  position find(handle which) const noexcept;

  /// Copies the oldest entries into `into`, the oldest first; answers how many.
  std::size_t peek(std::span<handle> into) const noexcept;

  /// Calls visit(handle) for all entries from one end to the other until it answers false; answers whether it never
  /// did.
  template <class F>
  bool for_each(bool newest_first, F&& visit) const {
    for (position where = newest_first ? newest() : oldest(); where != nowhere;
         where = newest_first ? older(where) : newer(where)) {
      if (!visit((*this)[where])) return false;
    }
    return true;
  }

 private:
  void put(std::uint32_t block, order_block& home, std::uint32_t slot, handle which) noexcept {
    home.slots[slot] = which;
    ++home.count;
    ++size_;
    keep_place(which, block);
  }
  void keep_place(handle which, std::uint32_t block) const noexcept {
    (*entries_)[which].place = block & entry_header::no_place;
  }
  static void trim_begin(order_block& home) noexcept {
    do ++home.begin;
    while (home.slots[home.begin] == no_handle);
  }
  static void trim_end(order_block& home) noexcept {
    do --home.end;
    while (home.slots[home.end - 1] == no_handle);
  }
  void add_newest();
  void add_oldest();
  void unlink(std::uint32_t block) noexcept;
  void merge(std::uint32_t older, std::uint32_t newer) noexcept;

  block_pool* pool_;
  const arena* entries_;
  std::uint32_t oldest_ = block_pool::none;
  std::uint32_t newest_ = block_pool::none;
  std::size_t size_ = 0;
};

}  // namespace seawall::eviction

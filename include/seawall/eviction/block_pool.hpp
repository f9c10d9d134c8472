// The memory of block_queue: blocks of four cache lines, shared by all queues of one policy and named by numbers that
// fit entry_header::place, so that there are four million at most. Blocks come in chunks of 4 KiB; a chunk without a
// block in use goes back to the system when others have room. Thread safety: none.
#pragma once

#include "seawall/base/prefetch.hpp"
#include "seawall/eviction/entry_header.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace seawall::eviction {

/// A stretch of a queue, the oldest entry in the first slot. Slots outside [begin, end) are not in use; within, one
/// that holds `no_handle` is a hole. The first and the last of them are no holes.
struct alignas(64) order_block {
  static constexpr std::uint32_t slot_count = 61;

  std::uint32_t older;
  std::uint32_t newer;
  std::uint8_t begin;
  std::uint8_t end;
  std::uint8_t count;  // without the holes
  handle slots[slot_count];
};

static_assert(sizeof(order_block) == 256);

class block_pool {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// Fewer blocks than a place can name: for tests.
  explicit block_pool(std::uint32_t most_blocks = entry_header::no_place) noexcept
      : most_chunks_(most_blocks / chunk_blocks) {}
  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;

  order_block& operator[](std::uint32_t number) const noexcept {
    return chunks_[number / chunk_blocks].blocks[number % chunk_blocks];
  }

  /// Starts to fetch a block that is in use, to change it.
  void prefetch(std::uint32_t number) const noexcept {
    const char* const block = reinterpret_cast<const char*>(&(*this)[number]);
    for (std::size_t line = 0; line != sizeof(order_block); line += 64) prefetch_to_write(block + line);
  }

  /// Sees to it that the next `count` allocations do not throw. Throws std::bad_alloc.
  void reserve(std::size_t count) {
    while (free_ < count) add_chunk();
  }
  /// A block of unspecified contents. Throws std::bad_alloc, also when all numbers are in use.
  std::uint32_t allocate();
  void release(std::uint32_t number) noexcept;

  std::size_t in_use() const noexcept { return in_use_; }
  std::size_t bytes() const noexcept {
    return (in_use_ + free_) * sizeof(order_block) + chunks_.capacity() * sizeof(chunk) +
           (room_.capacity() + gone_.capacity()) * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t chunk_blocks = 16;
  static constexpr std::uint32_t all_free = (1U << chunk_blocks) - 1;

  struct chunk {
    std::unique_ptr<order_block[]> blocks;  // null: given back
    std::uint32_t free = 0;                 // a bit for each block
    bool listed = false;                    // in `room_`
  };

  void add_chunk();

  std::uint32_t most_chunks_;
  std::vector<chunk> chunks_;
  std::vector<std::uint32_t> room_;  // chunks with free blocks; some that have none by now
  std::vector<std::uint32_t> gone_;  // chunks without memory
  std::size_t in_use_ = 0;
  std::size_t free_ = 0;
};

}  // namespace seawall::eviction

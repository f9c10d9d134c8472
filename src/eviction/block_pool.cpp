#include "seawall/eviction/block_pool.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace seawall::eviction {

// All that can throw comes first; `release` needs no memory, because `room_` and `gone_` can hold every chunk.
void block_pool::add_chunk() {
  if (gone_.empty() && chunks_.size() == most_chunks_) throw std::bad_alloc{};  // numbers are used up
  auto blocks = std::make_unique_for_overwrite<order_block[]>(chunk_blocks);
  if (gone_.empty()) {
    const std::size_t count = chunks_.size() + 1;
    if (count > chunks_.capacity()) chunks_.reserve(std::max<std::size_t>(4, 2 * count));
    room_.reserve(chunks_.capacity());
    gone_.reserve(chunks_.capacity());
    gone_.push_back(static_cast<std::uint32_t>(chunks_.size()));
    chunks_.emplace_back();
  }
  const std::uint32_t index = gone_.back();
  gone_.pop_back();
  chunk& added = chunks_[index];
  added.blocks = std::move(blocks);
  added.free = all_free;
  if (!added.listed) room_.push_back(index);
  added.listed = true;
  free_ += chunk_blocks;
}

std::uint32_t block_pool::allocate() {
  if (free_ == 0) add_chunk();
  while (chunks_[room_.back()].free == 0) {
    chunks_[room_.back()].listed = false;
    room_.pop_back();
  }
  chunk& home = chunks_[room_.back()];
  const auto slot = static_cast<std::uint32_t>(std::countr_zero(home.free));
  home.free &= home.free - 1;
  --free_;
  ++in_use_;
  return room_.back() * chunk_blocks + slot;
}

void block_pool::release(std::uint32_t number) noexcept {
  const std::uint32_t index = number / chunk_blocks;
  chunk& home = chunks_[index];
  home.free |= 1U << number % chunk_blocks;
  ++free_;
  --in_use_;
  if (home.free == all_free && free_ >= 2 * chunk_blocks) {
    // Others have room, and so much that the next few allocations do not ask for this memory again.
    home.blocks.reset();
    home.free = 0;
    free_ -= chunk_blocks;
    gone_.push_back(index);
  } else if (!home.listed) {
    home.listed = true;
    room_.push_back(index);
  }
}

}  // namespace seawall::eviction

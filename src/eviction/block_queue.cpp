#include "seawall/eviction/block_queue.hpp"

#include "handle_search.hpp"

#include <array>
#include <bit>
#include <cstddef>

namespace seawall::eviction {
namespace {

constexpr std::uint32_t none = block_pool::none;
// Below this many entries a block is merged with a neighbour that is as empty: 3/8 of the slots. The merged block then
// has room for a good many more, so that two blocks that lie on the edge are not merged and split in turn.
constexpr std::uint32_t sparse = order_block::slot_count * 3 / 8;

}  // namespace

void block_queue::add_newest() {
  const std::uint32_t added = pool_->allocate();
  order_block& home = (*pool_)[added];
  home.older = newest_;
  home.newer = none;
  home.begin = home.end = home.count = 0;
  if (newest_ != none)
    (*pool_)[newest_].newer = added;
  else
    oldest_ = added;
  newest_ = added;
}

void block_queue::add_oldest() {
  const std::uint32_t added = pool_->allocate();
  order_block& home = (*pool_)[added];
  home.older = none;
  home.newer = oldest_;
  home.begin = home.end = order_block::slot_count;
  home.count = 0;
  if (oldest_ != none)
    (*pool_)[oldest_].older = added;
  else
    newest_ = added;
  oldest_ = added;
}

void block_queue::unlink(std::uint32_t block) noexcept {
  const order_block& gone = (*pool_)[block];
  if (gone.older != none)
    (*pool_)[gone.older].newer = gone.newer;
  else
    oldest_ = gone.newer;
  if (gone.newer != none)
    (*pool_)[gone.newer].older = gone.older;
  else
    newest_ = gone.older;
  pool_->release(block);
}

// A slot outside [begin, end) may still hold what was there before.
auto block_queue::find(handle which) const noexcept -> position {
  constexpr std::uint64_t header_words = offsetof(order_block, slots) / sizeof(handle);
  const std::uint32_t block = (*entries_)[which].place;
  const order_block& home = (*pool_)[block];
  const std::uint64_t from_begin = words_equal_to(which, &home) >> header_words >> home.begin;
  return {block, home.begin + static_cast<std::uint32_t>(std::countr_zero(from_begin))};
}

void block_queue::replace(handle old, handle now) noexcept {
  const position where = find(old);
  (*pool_)[where.block].slots[where.slot] = now;
  keep_place(now, where.block);
}

void block_queue::erase(handle which) noexcept {
  const auto [block, slot] = find(which);
  order_block& home = (*pool_)[block];
  --size_;
  if (--home.count == 0) return unlink(block);
  home.slots[slot] = no_handle;
  if (slot == home.begin) trim_begin(home);
  if (slot + 1 == home.end) trim_end(home);
  if (home.count >= sparse) return;
  if (home.older != none && (*pool_)[home.older].count < sparse)
    merge(home.older, block);
  else if (home.newer != none && (*pool_)[home.newer].count < sparse)
    merge(block, home.newer);
}

// Both have few entries, so that moving all of them is still less than a block, and leaves no holes.
void block_queue::merge(std::uint32_t older, std::uint32_t newer) noexcept {
  std::array<handle, order_block::slot_count> all;
  std::uint32_t count = 0;
  for (const std::uint32_t block : {older, newer}) {
    const order_block& from = (*pool_)[block];
    for (std::uint32_t slot = from.begin; slot != from.end; ++slot) {
      if (from.slots[slot] != no_handle) all[count++] = from.slots[slot];
    }
  }
  unlink(newer);
  order_block& home = (*pool_)[older];
  home.begin = 0;
  home.end = home.count = static_cast<std::uint8_t>(count);
  for (std::uint32_t slot = 0; slot != count; ++slot) {
    home.slots[slot] = all[slot];
    keep_place(all[slot], older);
  }
}

void block_queue::clear() noexcept {
  for (std::uint32_t block = oldest_; block != none;) {
    const std::uint32_t next = (*pool_)[block].newer;
    pool_->release(block);
    block = next;
  }
  oldest_ = newest_ = none;
  size_ = 0;
}

auto block_queue::newer(position than) const noexcept -> position {
  const order_block& home = (*pool_)[than.block];
  for (std::uint32_t slot = than.slot + 1; slot < home.end; ++slot) {
    if (home.slots[slot] != no_handle) return {than.block, slot};
  }
  return home.newer == none ? nowhere : position{home.newer, (*pool_)[home.newer].begin};
}

auto block_queue::older(position than) const noexcept -> position {
  const order_block& home = (*pool_)[than.block];
  for (std::uint32_t slot = than.slot; slot-- > home.begin;) {
    if (home.slots[slot] != no_handle) return {than.block, slot};
  }
  return home.older == none ? nowhere : position{home.older, (*pool_)[home.older].end - 1U};
}

std::size_t block_queue::peek(std::span<handle> into) const noexcept {
  std::size_t count = 0;
  for (std::uint32_t block = oldest_; block != none && count != into.size(); block = (*pool_)[block].newer) {
    const order_block& home = (*pool_)[block];
    for (std::uint32_t slot = home.begin; slot != home.end && count != into.size(); ++slot) {
      if (home.slots[slot] != no_handle) into[count++] = home.slots[slot];
    }
  }
  return count;
}

}  // namespace seawall::eviction

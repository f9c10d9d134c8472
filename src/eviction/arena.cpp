#include "seawall/eviction/arena.hpp"

#include "seawall/base/prefetch.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define SEAWALL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEAWALL_ASAN 1
#endif
#endif
#if defined(SEAWALL_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace seawall::eviction {
namespace {

constexpr std::size_t small_chunk = std::size_t{64} << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;

// Free slots in stock: one of so many that are allocated, and not more than suffice for a while.
constexpr std::size_t stock_part = 16;
constexpr std::size_t most_in_stock = 2048;

// The list of free slots goes through entry_header::place: a small chunk has this many at most, a larger one 64.
static_assert(small_chunk / sizeof(entry_header) <= entry_header::no_place);

// What lies behind the header of a free slot is poisoned: with AddressSanitizer a reader that is left behind is found.
void poison([[maybe_unused]] entry_header& slot, [[maybe_unused]] std::size_t size) noexcept {
#if defined(SEAWALL_ASAN)
  __asan_poison_memory_region(&slot + 1, size - sizeof slot);
#endif
}
void unpoison([[maybe_unused]] void* at, [[maybe_unused]] std::size_t size) noexcept {
#if defined(SEAWALL_ASAN)
  __asan_unpoison_memory_region(at, size);
#endif
}

}  // namespace

arena::arena(std::size_t entry_size)
    : entry_size_(entry_size), chunk_bytes_(std::max(small_chunk, std::bit_ceil(32 * entry_size))) {
  assert(entry_size >= sizeof(entry_header) && entry_size % 8 == 0);
  reciprocal_ = ((std::uint64_t{1} << 32) + entry_size - 1) / entry_size;
  slots_end_ = static_cast<std::uint32_t>(chunk_bytes_ / entry_size);
  first_slot_ = static_cast<std::uint32_t>((sizeof(chunk) + entry_size - 1) / entry_size);
  slot_bits_ = static_cast<std::uint32_t>(std::bit_width(slots_end_ - 1));
  slot_mask_ = (std::uint32_t{1} << slot_bits_) - 1;
}

arena::~arena() {
  for (const auto& [address, size] : mappings_) {
    unpoison(address, size);
    munmap(address, size);
  }
}

// Chunks come one at a time at first, later so many at once that the system can back them with a huge page. More than
// one would be a waste: all of it takes memory from the first touch on, and half lies idle on average. Of what was
// reserved the last aligned piece is kept. The system maps from high addresses to low ones, so that piece ends where
// the one before begins, and the kernel makes one mapping of them: a process may have 65,530.
std::byte* arena::take_memory() {
  if (spare_.empty()) {
    const bool alone = held_chunks_ * chunk_bytes_ < 2 * huge_page || chunk_bytes_ > huge_page;
    const std::size_t batch = alone ? chunk_bytes_ : huge_page;
    if (mappings_.size() == mappings_.capacity()) mappings_.reserve(2 * mappings_.size() + 1);
    spare_.reserve(held_chunks_ + batch / chunk_bytes_);
    void* const raw = mmap(nullptr, 2 * batch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) throw std::bad_alloc{};
    auto* const begin = static_cast<std::byte*>(raw);
    const std::size_t behind = reinterpret_cast<std::uintptr_t>(raw) % batch;
    const std::size_t before = batch - behind;
    munmap(begin, before);
    if (behind != 0) munmap(begin + before + batch, behind);
    if (batch >= huge_page) madvise(begin + before, batch, MADV_HUGEPAGE);
    mappings_.emplace_back(begin + before, batch);
    for (std::size_t at = batch; at != 0; at -= chunk_bytes_) spare_.push_back(begin + before + at - chunk_bytes_);
  }
  std::byte* const memory = spare_.back();
  spare_.pop_back();
  return memory;
}

auto arena::add_chunk() -> chunk& {
  const bool reuse = !holes_.empty();
  if (!reuse) {
    if (chunks_.size() >> (32 - slot_bits_) != 0) throw std::bad_alloc{};  // handles are used up
    if (chunks_.size() == chunks_.capacity()) chunks_.reserve(chunks_.empty() ? 4 : 2 * chunks_.size());
    holes_.reserve(chunks_.capacity());
  }
  // Giving a chunk back must not need memory.
  const std::size_t most = held_chunks_ + spare_.size() + 1;
  if (spare_.capacity() < most) spare_.reserve(2 * most);
  stock_.reserve(std::min<std::size_t>(most_in_stock, slots_end_));
  std::byte* const memory = take_memory();
  std::uint32_t index = static_cast<std::uint32_t>(chunks_.size());
  if (reuse) {
    index = holes_.back();
    holes_.pop_back();
    chunks_[index] = memory;
  } else {
    chunks_.push_back(memory);
  }
  ++held_chunks_;
  chunk& added = *::new (memory) chunk{INT64_MAX, index, 0, 0, first_slot_, 0, 0};
  link(added);
  return added;
}

void arena::link(chunk& which) noexcept {
  which.previous = 0;
  which.next = room_;
  if (room_ != 0) header_of(room_ - 1).previous = which.index + 1;
  room_ = which.index + 1;
}

void arena::unlink(chunk& which) noexcept {
  if (which.previous != 0) header_of(which.previous - 1).next = which.next;
  else room_ = which.next;
  if (which.next != 0) header_of(which.next - 1).previous = which.previous;
  which.previous = which.next = 0;
}

entry_header* arena::take_from_chunk() {
  chunk& home = room_ != 0 ? header_of(room_ - 1) : add_chunk();
  std::uint32_t slot = home.free_head;
  auto* const at = reinterpret_cast<std::byte*>(&home);
  if (slot != 0) home.free_head = reinterpret_cast<entry_header*>(at + slot * entry_size_)->place;
  else slot = home.fresh++;
  ++home.used;
  if (!has_room(home)) unlink(home);
  return reinterpret_cast<entry_header*>(at + slot * entry_size_);
}

// What was freed last is taken first: it is at hand. The slots that come next are asked for ahead, which a list through
// the slots themselves would not allow.
entry_header& arena::take() {
  constexpr std::size_t ahead = 6;
  entry_header* fresh = nullptr;
  if (stock_.empty()) {
    fresh = take_from_chunk();
  } else {
    fresh = stock_.back();
    stock_.pop_back();
    if (stock_.size() >= ahead) prefetch_to_write(stock_[stock_.size() - ahead]);
  }
  ++allocated_;
  unpoison(fresh, entry_size_);
  return *::new (fresh) entry_header{};
}

// The stock is a part of what is allocated, so that all of it has gone when nothing is allocated any more. The only
// chunk stays anyway, so there it may be larger.
void arena::give_back(entry_header& entry) noexcept {
  assert((entry.flags & free_flag) == 0);
  entry.flags = free_flag;
  entry.queue = 0;
  poison(entry, entry_size_);
  --allocated_;
  const std::size_t most = std::min(held_chunks_ == 1 ? most_in_stock : allocated_ / stock_part, stock_.capacity());
  if (stock_.size() < most) return stock_.push_back(&entry);
  give_to_chunk(entry);
  for (; stock_.size() > most; stock_.pop_back()) give_to_chunk(*stock_.back());
}

void arena::give_to_chunk(entry_header& entry) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(&entry);
  auto* const memory = reinterpret_cast<std::byte*>(address & ~(chunk_bytes_ - 1));
  chunk& home = *reinterpret_cast<chunk*>(memory);
  const bool had_room = has_room(home);
  entry.place = home.free_head & entry_header::no_place;
  home.free_head = handle_of(entry) & slot_mask_;
  if (!had_room) link(home);
  if (--home.used != 0) return;
  // The last chunk with room stays: a cache that lives on the edge would map and unmap with every entry.
  if (home.previous == 0 && home.next == 0) return;
  unlink(home);
  const std::uint32_t index = home.index;
  unpoison(memory, chunk_bytes_);
  madvise(memory, chunk_bytes_, MADV_DONTNEED);
  spare_.push_back(memory);
  holes_.push_back(index);
  chunks_[index] = nullptr;
  --held_chunks_;
}

}  // namespace seawall::eviction

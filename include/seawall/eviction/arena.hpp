// The memory of entries: slots of one size in aligned chunks, named by 32-bit handles. An entry's address never
// changes, so readers may hold pointers; who frees a slot makes sure that no reader is left (see docs/concurrency.md).
// Thread safety: none but `operator[]` and `handle_of` for a slot that is allocated; the engine keeps one arena per
// shard under the shard's lock. Memory of a chunk that empties goes back to the system.
#pragma once

#include "seawall/eviction/entry_header.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seawall::eviction {

class arena {
 public:
  /// Slots of `entry_size` bytes, a multiple of 8 and at least sizeof(entry_header). Allocates nothing yet.
  explicit arena(std::size_t entry_size);
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;
  /// Gives all memory back; entries are not destroyed, that is the owner's.
  ~arena();

  entry_header& operator[](handle which) const noexcept {
    return *reinterpret_cast<entry_header*>(chunks_[which >> slot_bits_] + (which & slot_mask_) * entry_size_);
  }

  handle handle_of(const entry_header& entry) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(&entry);
    const auto base = address & ~(chunk_bytes_ - 1);
    const auto slot = static_cast<handle>((address - base) * reciprocal_ >> 32);
    return reinterpret_cast<const chunk*>(base)->index << slot_bits_ | slot;
  }

  /// A free slot, its header as constructed, the rest raw. Throws std::bad_alloc.
  entry_header& take();
  void give_back(entry_header& entry) noexcept;
  /// The same by name.
  handle allocate() { return handle_of(take()); }
  void release(handle which) noexcept { give_back((*this)[which]); }

  std::size_t allocated() const noexcept { return allocated_; }
  /// Bytes taken from the system.
  std::size_t bytes() const noexcept { return held_chunks_ * chunk_bytes_ + chunks_.capacity() * sizeof(chunks_[0]); }

  // ---- for the sweep of expired entries: chunks by number, with the earliest deadline that may be in one ----

  std::size_t chunk_count() const noexcept { return chunks_.size(); }
  /// INT64_MAX when nothing in the chunk can expire, or there is no such chunk.
  std::int64_t earliest(std::size_t number) const noexcept {
    return chunks_[number] == nullptr ? INT64_MAX : header_of(number).earliest;
  }
  void note_deadline(handle which, std::int64_t deadline) noexcept {
    chunk& home = header_of(which >> slot_bits_);
    if (deadline < home.earliest) home.earliest = deadline;
  }
  /// Calls `inspect(handle, header)`, which answers the deadline that counts (INT64_MAX: none), for each allocated
  /// slot.
  template <class F>
  void sweep(std::size_t number, F&& inspect) {
    if (chunks_[number] == nullptr) return;
    std::int64_t earliest = INT64_MAX;
    const std::uint32_t end = header_of(number).fresh;
    for (std::uint32_t slot = first_slot_; slot != end; ++slot) {
      const handle which = static_cast<handle>(number << slot_bits_) | slot;
      entry_header& entry = (*this)[which];
      if ((entry.flags & free_flag) != 0) continue;
      const std::int64_t deadline = inspect(which, entry);
      if (deadline < earliest) earliest = deadline;
    }
    header_of(number).earliest = earliest;
  }

  /// Set in the flags of a slot that is not allocated.
  static constexpr std::uint8_t free_flag = 0x20;

 private:
  struct chunk {
    std::int64_t earliest;
    std::uint32_t index;
    std::uint32_t used;       // slots that are allocated or in stock
    std::uint32_t free_head;  // a list through entry_header::place; 0: none
    std::uint32_t fresh;      // slots from here on were never allocated
    std::uint32_t previous;   // of the chunks with free slots, by index + 1; 0: none
    std::uint32_t next;
  };

  chunk& header_of(std::size_t number) const noexcept { return *reinterpret_cast<chunk*>(chunks_[number]); }
  entry_header* take_from_chunk();
  void give_to_chunk(entry_header& entry) noexcept;
  bool has_room(const chunk& of) const noexcept { return of.free_head != 0 || of.fresh != slots_end_; }
  chunk& add_chunk();
  std::byte* take_memory();
  void link(chunk& which) noexcept;
  void unlink(chunk& which) noexcept;

  std::size_t entry_size_;
  std::size_t chunk_bytes_;   // a power of two, and the alignment of chunks
  std::uint64_t reciprocal_;  // of entry_size_, 2^32 / size rounded up
  std::uint32_t slot_bits_;
  std::uint32_t slot_mask_;
  std::uint32_t first_slot_;  // those before hold the chunk's header
  std::uint32_t slots_end_;
  std::vector<entry_header*> stock_;  // of free slots, the last one freed on top; to their chunks they are in use
  std::vector<std::byte*> chunks_;   // null: given back
  std::vector<std::uint32_t> holes_;  // indices of null chunks
  std::vector<std::byte*> spare_;     // address space whose memory was given back
  std::vector<std::pair<void*, std::size_t>> mappings_;
  std::uint32_t room_ = 0;  // the first chunk with a free slot, by index + 1
  std::size_t allocated_ = 0;
  std::size_t held_chunks_ = 0;
};

}  // namespace seawall::eviction

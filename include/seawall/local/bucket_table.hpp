// One generation of the hash table: buckets of one cache line, eight slots each. A slot is a pointer to an entry with
// 16 bits of its hash. An entry that finds its home bucket full goes to another, in an order of the page's buckets that
// its hash gives; the buckets it passed count it, so a search that meets a bucket with count 0 ends there. Buckets come
// in pages of up to 64; a page has the lock of its writers, and no search leaves the page of its home.
//
// Thread safety: `find` may run at any time, under an epoch guard, and takes no lock. Everything else needs the lock of
// the page it touches; a slot is one atomic word, so readers see an entry or they do not.
#pragma once

#include "seawall/base/prefetch.hpp"
#include "seawall/base/zeroed_array.hpp"
#include "seawall/eviction/entry_header.hpp"
#include "seawall/local/key_hash.hpp"
#include "seawall/local/schedule_point.hpp"
#include "seawall/local/small_mutex.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

// Loads of two slots at once are no atomic operations in the language, though each half is one on x86-64;
// ThreadSanitizer and the schedule tests see the plain way.
#if defined(__SSE2__) && !defined(SEAWALL_SCHEDULE_POINTS) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define SEAWALL_SLOTS_BY_PAIRS 1
#elif !__has_feature(thread_sanitizer)
#define SEAWALL_SLOTS_BY_PAIRS 1
#endif
#endif
#if defined(SEAWALL_SLOTS_BY_PAIRS)
#include <emmintrin.h>
#endif

namespace seawall::local {

using eviction::entry_header;

class bucket_table {
 public:
  static constexpr std::size_t slots_per_bucket = 8;
  static constexpr std::size_t max_page_buckets = 64;

  struct page {
    small_mutex mutex;
    std::uint16_t entries = 0;  // guarded by mutex
    bool moved = false;         // guarded by mutex: all that was here is in the next table
  };

  /// A slot, and how far it is from the home of what is or may be put there.
  struct position {
    entry_header* entry = nullptr;  ///< Null: the slot is free.
    std::uint32_t distance = 0;     ///< Buckets passed.
    std::uint32_t slot = 0;
  };

  /// What a writer learns about a key.
  struct search {
    position found;       ///< `entry` null: the key is not there.
    position room;        ///< A free slot; meaningful if `has_room`.
    bool has_room = false;
    std::uint32_t alike = 0;  ///< Other keys with the very same 47 bits.
    position coldest;         ///< Of those that may be evicted, one that was used least; `entry` null: none may.
    unsigned least_uses = ~0U;  ///< Its uses then.
  };

  /// Memory for at least `buckets`: a power of two up to 64, or a multiple of 64. Throws std::bad_alloc.
  explicit bucket_table(std::size_t buckets);
  bucket_table(const bucket_table&) = delete;
  bucket_table& operator=(const bucket_table&) = delete;

  std::size_t buckets() const noexcept { return bucket_count_; }
  std::size_t pages() const noexcept { return page_count_; }
  std::size_t page_slots() const noexcept { return slots_per_bucket * (page_mask_ + 1); }
  std::size_t bytes() const noexcept;

  std::size_t page_of(std::uint32_t body) const noexcept { return bucket_of(body) >> page_bits_; }
  page& page_at(std::size_t number) noexcept { return pages_[number]; }
  /// The smallest body that has its home in the page; 2^32 behind the last page.
  std::uint64_t first_body(std::size_t page_number) const noexcept {
    return ((static_cast<std::uint64_t>(page_number) << (page_bits_ + 32)) + bucket_count_ - 1) / bucket_count_;
  }

  /// Starts to fetch what a change of the hash will touch.
  void prefetch(std::uint32_t body) const noexcept {
    const std::size_t home = bucket_of(body);
    prefetch_to_write(&buckets_[home]);
    prefetch_to_write(&pages_[home >> page_bits_]);
  }

  /// The entry under the hash for which `match(const entry_header&)` is true, or null.
  template <class Match>
  [[gnu::always_inline]] entry_header* find(key_hash hash, Match&& match) const {
    const std::size_t home = bucket_of(hash.body);
    std::size_t at = home;
    do {
      const bucket& here = buckets_[at];
      unsigned hits = matches(here, hash.tag);
      schedule_point();
      for (; hits != 0; hits &= hits - 1) {
        const auto i = static_cast<unsigned>(std::countr_zero(hits));
        entry_header* const entry = entry_of(here.slots[i].load(std::memory_order_acquire));
        if (entry != nullptr && match(*entry)) return entry;
      }
      // After the slots. Entries do not move between buckets: what is not here, and beyond only if this counts it, was
      // not there all the while.
      if ((here.slots[slots_per_bucket - 1].load(std::memory_order_acquire) & count_mask) == 0) [[likely]] {
        return nullptr;
      }
      schedule_point();
      at = next_in_page(at, hash.body);
    } while (at != home);
    return nullptr;
  }

  // ---- under the lock of the page ----

  /// Looks for the key, and for a free slot at most `reach` buckets from its home.
  template <class Match>
  search locate(key_hash hash, std::size_t reach, Match&& match) const {
    search result;
    std::size_t at = bucket_of(hash.body);
    const std::size_t limit = page_mask_ + 1;
    for (std::uint32_t distance = 0; distance != limit; ++distance, at = next_in_page(at, hash.body)) {
      const bucket& here = buckets_[at];
      for (unsigned hits = matches(here, hash.tag); hits != 0; hits &= hits - 1) {
        const auto i = static_cast<std::uint32_t>(std::countr_zero(hits));
        entry_header* const entry = entry_of(here.slots[i].load(std::memory_order_relaxed));
        if (match(*entry)) {
          result.found = {entry, distance, i};
          return result;
        }
        if (entry->hash == hash.body) [[unlikely]] note_alike(result, {entry, distance, i});
      }
      if (!result.has_room && distance < reach) {
        if (const unsigned free = matches(here, free_tag)) {
          result.room = {nullptr, distance, static_cast<std::uint32_t>(std::countr_zero(free))};
          result.has_room = true;
        }
      }
      if (count_of(here) == 0 && (result.has_room || distance + 1 >= reach)) break;
    }
    return result;
  }

  /// The free slot of the page that is nearest to the home of the hash, if there is one.
  std::optional<position> free_near(std::uint32_t body) const noexcept {
    std::size_t at = bucket_of(body);
    for (std::uint32_t distance = 0; distance <= page_mask_; ++distance, at = next_in_page(at, body)) {
      if (const unsigned free = matches(buckets_[at], free_tag)) {
        return position{nullptr, distance, static_cast<std::uint32_t>(std::countr_zero(free))};
      }
    }
    return std::nullopt;
  }

  /// Where this very entry is; `entry` null if it is not there.
  position where(const entry_header& entry) const noexcept;

  /// Calls `inspect(position)` for the occupied slots within `reach` buckets from the hash's home.
  template <class F>
  void around(std::uint32_t body, std::size_t reach, F&& inspect) const {
    std::size_t at = bucket_of(body);
    const std::size_t end = std::min(reach, page_mask_ + 1);
    for (std::uint32_t distance = 0; distance != end; ++distance, at = next_in_page(at, body)) {
      for (std::uint32_t i = 0; i != slots_per_bucket; ++i) {
        if (entry_header* entry = entry_of(buckets_[at].slots[i].load(std::memory_order_relaxed))) {
          inspect(position{entry, distance, i});
        }
      }
    }
  }

  /// Requires: the slot is free, and `where` is as seen from the home of `hash`.
  void insert(key_hash hash, const position& where, entry_header& entry) noexcept;
  /// Puts `entry`, of the same key, in place of what is there.
  void replace(key_hash hash, const position& where, entry_header& entry) noexcept;
  /// `where` is as seen from the home of `body`.
  void erase(std::uint32_t body, const position& where) noexcept;
  /// The position of a slot that was seen from `from`, as seen from the home of the entry in it.
  position from_its_home(std::uint32_t from, const position& where) const noexcept;

  /// Calls `visit(entry)` for every entry in the page.
  template <class F>
  void each(std::size_t page_number, F&& visit) const {
    for (std::size_t b = page_number << page_bits_; b != (page_number + 1) << page_bits_; ++b) {
      for (const auto& slot : buckets_[b].slots) {
        if (entry_header* entry = entry_of(slot.load(std::memory_order_relaxed))) visit(*entry);
      }
    }
  }

  /// The same, and empties the page.
  template <class F>
  void take_all(std::size_t page_number, F&& visit) {
    for (std::size_t b = page_number << page_bits_; b != (page_number + 1) << page_bits_; ++b) {
      for (auto& slot : buckets_[b].slots) {
        entry_header* const entry = entry_of(slot.load(std::memory_order_relaxed));
        slot.store(0, std::memory_order_release);
        if (entry != nullptr) schedule_point();
        if (entry != nullptr) visit(*entry);
      }
    }
  }

  /// Calls `visit(entry, tag, take_out)` for every entry in the page, which calls `take_out()` when the entry can be
  /// found elsewhere. The counts stay, so that a reader in this table still finds what has not been taken out yet.
  template <class F>
  void move_out(std::size_t page_number, F&& visit) {
    const std::size_t end = (page_number + 1) << page_bits_;
    std::size_t ahead = page_number << page_bits_;
    for (std::size_t b = ahead; b != end; ++b) {
      for (const std::size_t until = std::min(b + buckets_ahead, end); ahead != until; ++ahead) {
        for (const auto& slot : buckets_[ahead].slots) {
          __builtin_prefetch(entry_of(slot.load(std::memory_order_relaxed)));
        }
      }
      for (auto& slot : buckets_[b].slots) {
        const std::uint64_t word = slot.load(std::memory_order_relaxed);
        entry_header* const entry = entry_of(word);
        if (entry == nullptr) continue;
        visit(*entry, static_cast<std::uint16_t>(word >> 48), [&slot, word] {
          schedule_point();
          slot.store(word & count_mask, std::memory_order_release);
        });
      }
    }
  }

  // ---- growth: see store_table.cpp ----

  std::atomic<bucket_table*> previous{nullptr};  ///< What is still being moved into this table.
  std::atomic<std::size_t> moved_pages{0};       ///< Of this table, into the next.
  std::atomic<std::size_t> next_to_move{0};      ///< A hint for those who help.

 private:
  struct alignas(64) bucket {
    std::atomic<std::uint64_t> slots[slots_per_bucket];
  };

  // A slot: 16 bits of tag, 45 of pointer, and in the last two slots of a bucket 3 bits each of the bucket's count of
  // entries that passed it: the last slot counts to 7, the one before it goes on from there. So a reader sees in one
  // word whether there are any. A full counter stays full: searches then look further than they must, never less.
  static constexpr std::uint64_t count_mask = 7;
  static constexpr std::uint16_t free_tag = 0;  // no entry has it
  static constexpr std::uint64_t pointer_mask = 0xffff'ffff'fff8;
  static constexpr unsigned full_count = 14;
  static constexpr std::size_t buckets_ahead = 4;  // whose entries are fetched: a processor waits for so many at a time

  // The slots whose tag it is, a bit for each. They are loaded again before they are followed: this is only a hint, and
  // the processor may load two slots at once.
  [[gnu::always_inline]] static unsigned matches(const bucket& of, std::uint16_t tag) noexcept {
#if defined(SEAWALL_SLOTS_BY_PAIRS)
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(tag) << 16));
    const auto found = [&](int i) { return sign_bits(_mm_cmpeq_epi16(halves<0xdd>(of, i), wanted)); };
    return found(0) | found(2) << 4;
#else
    unsigned hits = 0;
    for (std::size_t i = 0; i != slots_per_bucket; ++i) {
      hits |= static_cast<unsigned>(of.slots[i].load(std::memory_order_acquire) >> 48 == tag) << i;
    }
    return hits;
#endif
  }

  // Under the page's lock: the slots in which the entry may be, judged by the low half of its address.
  static unsigned candidates(const bucket& of, const entry_header& entry) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(&entry);
#if defined(SEAWALL_SLOTS_BY_PAIRS)
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(address));
    const __m128i mask = _mm_set1_epi32(static_cast<int>(pointer_mask));
    const auto addresses = [&](int i) { return _mm_and_si128(halves<0x88>(of, i), mask); };
    return sign_bits(_mm_cmpeq_epi32(addresses(0), wanted)) | sign_bits(_mm_cmpeq_epi32(addresses(2), wanted)) << 4;
#else
    unsigned found = 0;
    for (std::size_t i = 0; i != slots_per_bucket; ++i) {
      found |= static_cast<unsigned>((of.slots[i].load(std::memory_order_relaxed) & pointer_mask) == address) << i;
    }
    return found;
#endif
  }

#if defined(SEAWALL_SLOTS_BY_PAIRS)
  // The lower (0x88) or upper (0xdd) halves of four slots, from pair `i` of slots on.
  template <int which>
  [[gnu::always_inline]] static __m128i halves(const bucket& of, int i) noexcept {
    const auto* const pairs = reinterpret_cast<const __m128i*>(of.slots);
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(_mm_load_si128(pairs + i)),
                                           _mm_castsi128_ps(_mm_load_si128(pairs + i + 1)), which));
  }
  [[gnu::always_inline]] static unsigned sign_bits(__m128i of_four) noexcept {
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(of_four)));
  }
#endif

  static void note_alike(search& into, const position& where) noexcept {
    ++into.alike;
    const auto life = where.entry->now();
    if (life.uses() >= into.least_uses || life.pinned()) return;
    into.coldest = where;
    into.least_uses = life.uses();
  }
  static entry_header* entry_of(std::uint64_t word) noexcept {
    return reinterpret_cast<entry_header*>(word & pointer_mask);
  }
  static unsigned count_of(const bucket& of) noexcept {
    return static_cast<unsigned>((of.slots[6].load(std::memory_order_relaxed) & count_mask) +
                                 (of.slots[7].load(std::memory_order_relaxed) & count_mask));
  }
  static void set_count(bucket& of, unsigned count) noexcept;
  static void set_slot(std::atomic<std::uint64_t>& slot, std::uint16_t tag, const entry_header* entry) noexcept;

  std::size_t bucket_of(std::uint32_t body) const noexcept {
    return static_cast<std::size_t>(body * static_cast<std::uint64_t>(bucket_count_) >> 32);
  }
  // The order of a page's buckets for a hash: by an odd stride of its own. If all took the next bucket, full ones would
  // fill their neighbours, and searches would pass more of them: see decision 009.
  static std::size_t stride(std::uint32_t body) noexcept { return body >> 5 | 1; }
  std::size_t next_in_page(std::size_t at, std::uint32_t body) const noexcept {
    return (at & ~page_mask_) | ((at + stride(body)) & page_mask_);
  }
  std::size_t bucket_at(std::uint32_t body, std::size_t distance) const noexcept {
    const std::size_t home = bucket_of(body);
    return (home & ~page_mask_) | ((home + distance * stride(body)) & page_mask_);
  }

  zeroed_array<bucket> buckets_;
  std::size_t bucket_count_;
  std::size_t page_mask_;
  unsigned page_bits_;
  std::size_t page_count_;
  std::unique_ptr<page[]> pages_;
};

}  // namespace seawall::local

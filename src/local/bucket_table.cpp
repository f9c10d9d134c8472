#include "seawall/local/bucket_table.hpp"

#include <algorithm>
#include <cassert>

namespace seawall::local {

bucket_table::bucket_table(std::size_t buckets) {
  const std::size_t wanted = std::max<std::size_t>(buckets, 1);
  bucket_count_ = wanted <= max_page_buckets ? std::bit_ceil(wanted)
                                             : (wanted + max_page_buckets - 1) / max_page_buckets * max_page_buckets;
  const std::size_t page_buckets = std::min(bucket_count_, max_page_buckets);
  page_mask_ = page_buckets - 1;
  page_bits_ = static_cast<unsigned>(std::countr_zero(page_buckets));
  page_count_ = bucket_count_ / page_buckets;
  pages_ = std::make_unique<page[]>(page_count_);
  buckets_ = zeroed_array<bucket>(bucket_count_);
}

std::size_t bucket_table::bytes() const noexcept { return buckets_.bytes() + page_count_ * sizeof(page); }

void bucket_table::set_count(bucket& of, unsigned count) noexcept {
  const auto set = [&](std::size_t slot, unsigned part) {
    const std::uint64_t word = of.slots[slot].load(std::memory_order_relaxed);
    if ((word & count_mask) != part) of.slots[slot].store((word & ~count_mask) | part, std::memory_order_release);
  };
  set(7, std::min<unsigned>(count, 7));
  set(6, count - std::min<unsigned>(count, 7));
}

void bucket_table::set_slot(std::atomic<std::uint64_t>& slot, std::uint16_t tag, const entry_header* entry) noexcept {
  const std::uint64_t count = slot.load(std::memory_order_relaxed) & count_mask;
  const auto address = reinterpret_cast<std::uintptr_t>(entry);
  assert((address & ~pointer_mask) == 0);
  slot.store(static_cast<std::uint64_t>(tag) << 48 | address | count, std::memory_order_release);
}

auto bucket_table::where(const entry_header& entry) const noexcept -> position {
  std::size_t at = bucket_of(entry.hash);
  for (std::uint32_t distance = 0; distance <= page_mask_; ++distance, at = next_in_page(at, entry.hash)) {
    const bucket& here = buckets_[at];
    for (unsigned likely = candidates(here, entry); likely != 0; likely &= likely - 1) {
      const auto i = static_cast<std::uint32_t>(std::countr_zero(likely));
      entry_header* const found = entry_of(here.slots[i].load(std::memory_order_relaxed));
      if (found == &entry) return {found, distance, i};
    }
    if (count_of(here) == 0) break;
  }
  return {};
}

// The counts go up before the entry appears: a reader that finds it absent must not have been told to look further in
// vain, but one that looks for it must be told.
void bucket_table::insert(key_hash hash, const position& where, entry_header& entry) noexcept {
  for (std::uint32_t passed = 0; passed != where.distance; ++passed) {
    bucket& here = buckets_[bucket_at(hash.body, passed)];
    const unsigned count = count_of(here);
    if (count != full_count) set_count(here, count + 1);
  }
  schedule_point();
  set_slot(buckets_[bucket_at(hash.body, where.distance)].slots[where.slot], hash.tag, &entry);
}

void bucket_table::replace(key_hash hash, const position& where, entry_header& entry) noexcept {
  set_slot(buckets_[bucket_at(hash.body, where.distance)].slots[where.slot], hash.tag, &entry);
}

void bucket_table::erase(std::uint32_t body, const position& where) noexcept {
  set_slot(buckets_[bucket_at(body, where.distance)].slots[where.slot], 0, nullptr);
  schedule_point();
  for (std::uint32_t passed = 0; passed != where.distance; ++passed) {
    bucket& here = buckets_[bucket_at(body, passed)];
    const unsigned count = count_of(here);
    if (count != full_count) set_count(here, count - 1);
  }
}

auto bucket_table::from_its_home(std::uint32_t from, const position& where) const noexcept -> position {
  const std::size_t at = bucket_at(from, where.distance);
  std::uint32_t distance = 0;
  while (bucket_at(where.entry->hash, distance) != at) ++distance;
  return {where.entry, distance, where.slot};
}

}  // namespace seawall::local

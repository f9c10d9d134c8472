#include "ghost_list.hpp"

#include <algorithm>

namespace seawall::eviction {
namespace {

constexpr std::size_t first_buckets = 16;

}  // namespace

ghost_list::ghost_list() : buckets_(first_buckets, none) {}

std::uint32_t& ghost_list::bucket(std::uint32_t hash) noexcept {
  return buckets_[(hash * 0x9e3779b1U) * std::uint64_t{buckets_.size()} >> 32];
}

void ghost_list::push(std::uint32_t hash) {
  if (size_ == buckets_.size()) rehash();
  std::uint32_t added = free_;
  if (added != none) {
    free_ = ghosts_[added].chain;
  } else {
    added = static_cast<std::uint32_t>(ghosts_.size());
    ghosts_.emplace_back();
  }
  std::uint32_t& home = bucket(hash);
  ghosts_[added] = {.hash = hash, .older = newest_, .newer = none, .chain = home};
  home = added;
  if (newest_ != none)
    ghosts_[newest_].newer = added;
  else
    oldest_ = added;
  newest_ = added;
  ++size_;
}

bool ghost_list::take(std::uint32_t hash) noexcept {
  for (std::uint32_t* link = &bucket(hash); *link != none; link = &ghosts_[*link].chain) {
    if (ghosts_[*link].hash != hash) continue;
    forget(link);
    return true;
  }
  return false;
}

void ghost_list::trim(std::size_t most) noexcept {
  while (size_ > most) {
    std::uint32_t* link = &bucket(ghosts_[oldest_].hash);
    while (*link != oldest_) link = &ghosts_[*link].chain;
    forget(link);
  }
}

// `link` is what points to the ghost in the chain of its bucket.
void ghost_list::forget(std::uint32_t* link) noexcept {
  const std::uint32_t gone = *link;
  ghost& it = ghosts_[gone];
  *link = it.chain;
  (it.older != none ? ghosts_[it.older].newer : oldest_) = it.newer;
  (it.newer != none ? ghosts_[it.newer].older : newest_) = it.older;
  it.chain = free_;
  free_ = gone;
  --size_;
}

void ghost_list::rehash() {
  std::vector<std::uint32_t> twice(2 * buckets_.size(), none);
  buckets_.swap(twice);
  for (std::uint32_t each = oldest_; each != none; each = ghosts_[each].newer) {
    std::uint32_t& home = bucket(ghosts_[each].hash);
    ghosts_[each].chain = home;
    home = each;
  }
}

void ghost_list::clear() { *this = ghost_list(); }

}  // namespace seawall::eviction

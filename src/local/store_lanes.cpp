// The part of store that writers and readers note things in: the lanes of their stripe. A lane is drained into its
// shard when it is full.
#include "seawall/base/prefetch.hpp"
#include "seawall/local/store.hpp"

#include <mutex>
#include <utility>

namespace seawall::local {
namespace {

constexpr std::size_t most_samples = 32;
constexpr std::size_t most_uses = 32;
constexpr std::size_t changes_ahead = 4;  // so far ahead memory is fetched

}  // namespace

// Threads whose number is beyond the stripes share one with the thread that has its number. That one finds a slot at
// hand, where `note` laid it when it held the lock anyway.
entry_header& store::allocate(key_hash hash) {
  const std::uint32_t slot = detail::this_thread_slot();
  stripe& mine = stripe_of(slot);
  lane& here = mine.lanes[shard_index(hash.body)];
  entry_header* fresh = nullptr;
  if (slot < stripe_count_) fresh = std::exchange(here.at_hand, nullptr);
  if (fresh == nullptr) {
    const std::lock_guard lock{mine.mutex};
    if (here.free.empty()) {
      shard& home = shard_of(hash.body);
      const std::lock_guard home_lock{home.mutex};
      restock(here, home);
    }
    fresh = here.free.back();
    here.free.pop_back();
  }
  fresh->hash = hash.body;
  return *fresh;
}

// Requires: both locks. Throws std::bad_alloc if there is not even one slot.
void store::restock(lane& of, shard& from) {
  while (of.free.size() < batch_) {
    try {
      of.free.push_back(&from.entries.take());
    } catch (...) {
      if (of.free.empty()) throw;
      return;
    }
  }
}

void store::discard(entry_header& entry) noexcept {
  shard& home = shard_of(entry.hash);
  const std::lock_guard lock{home.mutex};
  if ((entry.flags & reserved_flag) != 0) {
    --home.promised;
    home.promised_weight -= entry.weight();
  }
  home.entries.give_back(entry);
}

// Under the stripe's lock: one key in so many is shown to the window tuner.
void store::sample(stripe& mine, std::uint32_t body) {
  if (!tuner_ || !tuner_->samples(body)) return;
  mine.samples.push_back(body);
  if (mine.samples.size() < most_samples) return;
  feed_tuner(mine.samples);
  mine.samples.clear();
}

// A lane that is nearly full is drained if the shard is free, and a full one in any case: so threads rarely wait for
// each other. The stock of free slots is filled up under the same lock.
void store::settle(lane& of, shard& into, time_point now) noexcept {
  if (of.changes.size() == batch_) into.mutex.lock();
  else if (!into.mutex.try_lock()) return;
  const std::lock_guard lock{into.mutex, std::adopt_lock};
  const bool grows = of.changes.back().after != nullptr;
  drain_lane(of, into, now);
  if (!grows) return;
  try {
    restock(of, into);
  } catch (...) {  // out of memory: `allocate` will say so
  }
}

// Requires: the stripe's lock.
[[gnu::always_inline]] inline void store::note(stripe& in, const change& what, time_point now) {
  const std::uint32_t body = (what.before != nullptr ? what.before : what.after)->hash;
  lane& here = in.lanes[shard_index(body)];
  here.changes.push_back(what);
  if (here.changes.size() >= nearly_full_) [[unlikely]] settle(here, shard_of(body), now);
}

// `pushed_out` is another entry that gave way to `after`. If their hashes are the same, one takes the other's place in
// the policy too, which cannot tell their keys apart: that is less work than a removal and an insertion.
void store::note(entry_header* before, entry_header* after, time_point now, entry_header* pushed_out) {
  const std::uint32_t slot = detail::this_thread_slot();
  stripe& mine = stripe_of(slot);
  const std::lock_guard lock{mine.mutex};
  const std::int64_t difference =
      (after != nullptr ? 1 : 0) - (before != nullptr ? 1 : 0) - (pushed_out != nullptr ? 1 : 0);
  if (difference != 0) {
    mine.entries.store(mine.entries.load(std::memory_order_relaxed) + difference, std::memory_order_relaxed);
  }
  if (after != nullptr && before == nullptr) sample(mine, after->hash);
  if (after != nullptr && slot < stripe_count_) {
    lane& here = mine.lanes[shard_index(after->hash)];
    if (here.at_hand == nullptr && !here.free.empty()) {
      here.at_hand = here.free.back();
      here.free.pop_back();
      prefetch_to_write(here.at_hand);  // it was last touched by whoever freed it
    }
  }
  if (pushed_out != nullptr && pushed_out->hash == after->hash) {
    note(mine, {.before = pushed_out, .after = after, .one_key = false}, now);
    return;
  }
  note(mine, {.before = before, .after = after}, now);
  if (pushed_out != nullptr) note(mine, {.before = pushed_out, .after = nullptr}, now);
}

void store::log_use(entry_header& entry) noexcept {
  stripe& mine = stripe_of(detail::this_thread_slot());
  if (!mine.mutex.try_lock()) return;
  const std::lock_guard lock{mine.mutex, std::adopt_lock};
  sample(mine, entry.hash);
  if (!wants_uses_) return;
  shard& home = shard_of(entry.hash);
  lane& here = mine.lanes[shard_index(entry.hash)];
  here.uses.push_back(&entry);
  if (here.uses.size() < most_uses) return;
  if (home.mutex.try_lock()) {
    const std::lock_guard home_lock{home.mutex, std::adopt_lock};
    drain_lane(here, home, time_point::min());
  }
  here.uses.clear();
}

// An entry in `uses` may have left, and its slot may have been given back or taken by another: then nothing happens, or
// the other one is favoured. Its memory is there as long as the arena is.
void store::drain_lane(lane& of, shard& into, time_point now) noexcept {
  for (const entry_header* const used : of.uses) {
    if (used->queue != 0 && used->queue != unqueued) into.policy->used(into.entries.handle_of(*used));
  }
  of.uses.clear();
  for (std::size_t i = 0; i != of.changes.size(); ++i) {
    if (i + changes_ahead < of.changes.size()) {
      const entry_header* const leaves = of.changes[i + changes_ahead].before;
      if (leaves != nullptr && leaves->queue != unqueued) into.policy->prefetch(*leaves);
    }
    const change& one = of.changes[i];
    if (one.before == nullptr) link(into, *one.after);
    else if (one.after == nullptr) leave(into, *one.before);
    else take_over(into, one);
  }
  of.changes.clear();
  evict(into, now);
}

void store::drain(time_point now) {
  for (std::size_t i = 0; i != stripe_count_; ++i) {
    stripe& one = stripes_[i];
    const std::lock_guard lock{one.mutex};
    for (std::size_t s = 0; s != shards_.size(); ++s) {
      if (one.lanes[s].changes.empty() && one.lanes[s].uses.empty()) continue;
      const std::lock_guard home_lock{shards_[s]->mutex};
      drain_lane(one.lanes[s], *shards_[s], now);
    }
  }
  for (const auto& one : shards_) {
    const std::lock_guard lock{one->mutex};
    evict(*one, now);
  }
  adopt_orphans(now);
}

void store::adopt_orphans(time_point now) {
  std::vector<entry_header*> found;
  {
    const std::lock_guard lock{left_over_};
    found.swap(orphans_);
  }
  if (found.empty()) return;
  const epoch_domain::guard guard{epochs_};
  for (entry_header* const entry : found) note(entry, nullptr, now);
}

}  // namespace seawall::local

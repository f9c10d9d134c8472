// The part of store that keeps the policy: noted changes, limits, eviction, expiry, and the waiting room of the dead.
#include "seawall/local/store.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace seawall::local {

// ---- what a change does to the shard ----

void store::link(shard& in, entry_header& entry) noexcept {
  if ((entry.flags & reserved_flag) != 0) {
    --in.promised;
    in.promised_weight -= entry.weight();
  }
  entry.flags = (entry.flags & ~reserved_flag) | added_flag;
  if ((entry.flags & unlinked_flag) != 0) return finish(in, entry);
  const handle which = in.entries.handle_of(entry);
  in.entries.note_deadline(which, entry.deadline());
  if (entry.pinned()) {
    ++in.pinned;
    pinned_.fetch_add(1, std::memory_order_relaxed);
  } else {
    ++in.linked;
    in.weight += entry.weight();
    try {
      in.policy->add(which);
    } catch (...) {  // out of memory: it stays until it expires or is removed
    }
  }
  if (entry.queue == 0) entry.queue = unqueued;
}

void store::uncount(shard& in, const entry_header& entry) noexcept {
  if (entry.pinned()) {
    --in.pinned;
    pinned_.fetch_sub(1, std::memory_order_relaxed);
  } else {
    --in.linked;
    in.weight -= entry.weight();
  }
}

// The entry was unlinked by a writer.
void store::leave(shard& in, entry_header& entry) noexcept {
  if ((entry.flags & added_flag) == 0) {  // its publication waits in another lane, which will finish it
    entry.flags |= unlinked_flag;
    return;
  }
  if (entry.queue != 0) {  // otherwise it was chosen as a victim in between, and is counted no more
    if (entry.queue != unqueued) in.policy->remove(in.entries.handle_of(entry));
    entry.queue = 0;
    uncount(in, entry);
  }
  finish(in, entry);
}

void store::take_over(shard& in, const change& what) noexcept {
  entry_header& before = *what.before;
  entry_header& after = *what.after;
  const bool in_place = before.queue != 0 && before.queue != unqueued && !after.pinned() &&
                        (after.flags & (unlinked_flag | reserved_flag)) == 0 &&
                        !evicts_volatile_only(options_.policy);
  if (!in_place) {
    leave(in, before);
    link(in, after);
    return;
  }
  const handle which = in.entries.handle_of(after);
  in.entries.note_deadline(which, after.deadline());
  after.flags |= added_flag;
  in.policy->replace(in.entries.handle_of(before), which);
  if (!what.one_key) after.set_uses(0);  // nobody has asked for it yet
  in.weight += after.weight();
  in.weight -= before.weight();
  before.queue = 0;
  if (after.queue == 0) after.queue = unqueued;
  finish(in, before);
}

void store::finish(shard& in, entry_header& entry) noexcept {
  entry.flags |= finished_flag;
  if (!notifies_ || (entry.flags & told_flag) != 0) retire(in, entry);
}

void store::retire(shard& in, entry_header& entry) noexcept {
  try {
    in.limbo.push_back({&entry, epochs_.current()});
  } catch (...) {  // out of memory: its slot is lost until the end
    return;
  }
  if (in.limbo.size() >= limbo_limit_) needs_tidying_.store(true, std::memory_order_relaxed);
}

// ---- limits ----

bool store::reserve(entry_header& entry, time_point now) {
  if (entry.pinned()) return true;
  shard& home = shard_of(entry.hash);
  const std::lock_guard lock{home.mutex};
  const auto fits = [&] {
    return home.linked + home.promised < home.room &&
           (home.room_weight == 0 || home.weight + home.promised_weight + entry.weight() <= home.room_weight);
  };
  while (!fits()) {
    std::array<handle, 1> victim;
    if (home.policy->evict(1, 1, victim) == 0) return false;
    entry_header& gone = home.entries[victim[0]];
    uncount(home, gone);
    const removal_cause cause = expired(gone, now) ? removal_cause::expired : removal_cause::capacity;
    if (!unlink(gone, cause)) continue;
    home.count_eviction();
    finish(home, gone);
  }
  ++home.promised;
  home.promised_weight += entry.weight();
  entry.flags |= reserved_flag;
  return true;
}

void store::evict(shard& in, time_point now) noexcept {
  const double share = window_.load(std::memory_order_relaxed);
  if (in.window != share) [[unlikely]] {
    in.window = share;
    in.policy->set_window(share);
  }
  for (;;) {
    const std::size_t entries = in.linked > in.target ? in.linked - in.target : 0;
    const std::size_t weight = in.room_weight != 0 && in.weight > in.room_weight ? in.weight - in.room_weight : 0;
    if (entries == 0 && weight == 0) return;
    std::array<handle, 64> victims;
    const std::size_t count = in.policy->evict(entries, weight, victims);
    if (count == 0) return;
    const bucket_table* const table = table_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i != count; ++i) table->prefetch(in.entries[victims[i]].hash);
    for (std::size_t i = 0; i != count; ++i) {
      entry_header& gone = in.entries[victims[i]];
      uncount(in, gone);
      const removal_cause cause = expired(gone, now) ? removal_cause::expired : removal_cause::capacity;
      if (!unlink(gone, cause)) continue;  // a writer did; its change will finish the entry
      in.count_eviction();
      finish(in, gone);
    }
  }
}

void store::set_limits() {
  const std::size_t count = shards_.size();
  const std::size_t in_lanes = stripe_count_ * (batch_ - 1);
  for (std::size_t i = 0; i != count; ++i) {
    shard& one = *shards_[i];
    const std::lock_guard lock{one.mutex};
    one.room = std::max<std::size_t>(1, capacity() / count + (i < capacity() % count ? 1 : 0));
    one.room_weight = max_weight() == 0 ? 0 : std::max<std::size_t>(1, max_weight() / count);
    one.target = one.room - std::min(in_lanes, one.room / 8);
    one.policy->resize({one.target, one.room_weight});
  }
}

std::size_t store::heaviest() const noexcept {
  return max_weight() == 0 ? SIZE_MAX : std::max<std::size_t>(1, max_weight() / shards_.size());
}

void store::resize(std::size_t capacity, std::size_t max_weight, time_point now) {
  capacity_.store(capacity, std::memory_order_relaxed);
  max_weight_.store(max_weight, std::memory_order_relaxed);
  set_limits();
  if (tuner_) {
    const std::lock_guard lock{tuning_};
    tuner_->resize(capacity);
    noted_uses_.store(tuner_->sampled(), std::memory_order_relaxed);
  }
  const epoch_domain::guard guard{epochs_};
  drain(now);
  // What may not be evicted needs room, though it is more than the limit.
  const std::size_t fitting = fitting_buckets(size());
  if (table_.load(std::memory_order_acquire)->buckets() / 2 > fitting) rebuild(fitting);
}

// Under a stripe's lock, so it may not wait long: a sample that comes while another thread feeds is lost.
void store::feed_tuner(std::span<const std::uint32_t> sampled) {
  if (!tuning_.try_lock()) return;
  const std::lock_guard lock{tuning_, std::adopt_lock};
  try {
    for (const std::uint32_t hash : sampled) {
      if (tuner_->record(hash)) window_.store(tuner_->window(), std::memory_order_relaxed);
    }
  } catch (...) {  // out of memory: the window stays as it is
  }
}

// ---- expiry ----

time_point store::sweep(time_point now, std::size_t chunks) {
  const epoch_domain::guard guard{epochs_};
  drain(now);  // a deadline that waits in a lane is not noted yet
  time_point next = never;
  for (const auto& one : shards_) next = std::min(next, sweep(*one, now, chunks));
  return next;
}

time_point store::sweep(shard& in, time_point now, std::size_t& chunks) {
  const std::int64_t moment = now.time_since_epoch().count();
  std::int64_t next = INT64_MAX;
  for (std::size_t number = 0;; ++number) {
    const std::lock_guard lock{in.mutex};
    if (number >= in.entries.chunk_count()) break;
    if (in.entries.earliest(number) <= moment && chunks != 0) {
      --chunks;
      in.entries.sweep(number, [&](handle which, entry_header& entry) {
        if (entry.queue == 0) return INT64_MAX;
        const std::int64_t deadline = entry.deadline();
        if (deadline > moment) return deadline;
        if (entry.queue != unqueued) in.policy->remove(which);
        entry.queue = 0;
        uncount(in, entry);
        if (unlink(entry, removal_cause::expired)) {
          in.count_eviction();
          finish(in, entry);
        }
        return INT64_MAX;
      });
    }
    next = std::min(next, in.entries.earliest(number));
  }
  return next == INT64_MAX ? never : time_point{duration{next}};
}

// ---- the dead ----

// `bound` as `advance` answers it, once for all shards; 0: not yet.
std::vector<entry_header*> store::take_reclaimable(shard& from, bool all, std::uint64_t& bound) {
  std::vector<entry_header*> dead;
  {
    const std::lock_guard lock{from.mutex};
    if (from.limbo.empty() || (!all && from.limbo.size() < limbo_limit_)) return dead;
    dead.reserve(from.limbo.size());
  }
  if (bound == 0) bound = epochs_.advance();
  {
    const std::lock_guard lock{from.mutex};
    std::erase_if(from.limbo, [&](const retired& one) {
      if (one.epoch >= bound || dead.size() == dead.capacity()) return false;
      dead.push_back(one.entry);
      return true;
    });
  }
  return dead;
}

void store::free_old_tables() {
  {
    const std::lock_guard lock{left_over_};
    if (old_tables_.empty()) return;
  }
  const std::uint64_t bound = epochs_.advance();
  const std::lock_guard lock{left_over_};
  std::erase_if(old_tables_, [&](const old_table& one) {
    if (one.epoch >= bound) return false;
    delete one.table;
    return true;
  });
}

void store::give_back(shard& to, std::span<entry_header* const> dead) noexcept {
  constexpr std::size_t at_once = 64;  // others wait for the lock
  for (std::size_t from = 0; from < dead.size(); from += at_once) {
    const std::lock_guard lock{to.mutex};
    for (entry_header* const entry : dead.subspan(from, std::min(at_once, dead.size() - from))) {
      to.entries.give_back(*entry);
    }
  }
}

}  // namespace seawall::local

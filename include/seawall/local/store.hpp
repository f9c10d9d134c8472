// The engine without its types: a concurrent hash table of entries, the shards that decide which of them go, and the
// reclamation of what readers may still hold. local/engine.hpp puts keys and values on top.
//
// Reading takes no lock. A writer takes the lock of a page of the table (64 buckets) for the change, and notes it in a
// lane of its own; full lanes are drained into the shard in one go, where victims are chosen and removed in batches.
// So two threads that insert rarely touch the same lines of memory.
//
// The life of an entry: allocated - published (in the table) - unlinked (not in the table; its change is noted) -
// finished (the policy knows; the listener was told) - retired (waits for readers) - released.
//
// Lock order: stripe (with its lanes) -> shard -> page -> a page of the next table -> news, left_over_; growing_ ->
// page; under a stripe, tuning_ is only tried. No user code runs under any of them but the comparison of keys.
// Thread safety: all members may be called from any thread; what needs an epoch guard says so. See docs/concurrency.md.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/eviction/arena.hpp"
#include "seawall/eviction/policy.hpp"
#include "seawall/eviction/window_tuner.hpp"
#include "seawall/local/bucket_table.hpp"
#include "seawall/local/epoch.hpp"
#include "seawall/local/key_hash.hpp"
#include "seawall/local/schedule_point.hpp"
#include "seawall/local/small_mutex.hpp"
#include "seawall/local/store_options.hpp"
#include "seawall/metrics/cache_stats.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace seawall::local {

using eviction::handle;

/// Why an entry left, with the entry; it is alive until the listener has been told.
struct removal {
  entry_header* entry;
  removal_cause cause;
};

class store {
 public:
  explicit store(const store_options& options);
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  /// Requires: `dismantle` was called.
  ~store();

  epoch_domain& epochs() const noexcept { return epochs_; }

  // ---- reading, under an epoch guard ----

  /// The entry under the hash for which `match(const entry_header&)` is true, expired or not; or null.
  template <class Match>
  [[gnu::always_inline]] entry_header* find(std::size_t hash, Match&& match) const {
    const bucket_table* const table = table_.load(std::memory_order_acquire);
    schedule_point();
    // Before the search, not after: if nothing was being moved then, what is absent was not just moved away.
    const bucket_table* const moving = table->previous.load(std::memory_order_acquire);
    if (entry_header* entry = table->find(key_hash{hash}, match)) [[likely]] return entry;
    if (moving == nullptr && table_.load(std::memory_order_acquire) == table) [[likely]] return nullptr;
    return find_while_moving(hash, match);
  }

  /// Starts to fetch what a change under the hash will touch first. Requires: a guard.
  void prefetch(key_hash hash) const noexcept { table_.load(std::memory_order_acquire)->prefetch(hash.body); }

  /// To be called for each hit, with the entry's hash and its life as it was just seen.
  [[gnu::always_inline]] void use(entry_header& entry, entry_header::life seen, key_hash hash) noexcept {
    entry.use(seen);
    if (eviction::window_tuner::place(hash.body) < noted_uses_.load(std::memory_order_relaxed)) log_use(entry);
  }

  // ---- writing, under an epoch guard ----

  /// Memory for an entry of that hash: its header is constructed, the rest is raw. Throws std::bad_alloc.
  entry_header& allocate(key_hash hash);
  /// Gives back what was allocated and not published; key and value are already destroyed.
  void discard(entry_header& entry) noexcept;

  /// Whether entries may be refused for want of room, so that `reserve` must be asked first.
  bool refuses() const noexcept { return refuses_; }
  /// Makes room for an entry; false when nothing may be evicted. The entry is then to be published or discarded.
  bool reserve(entry_header& entry, time_point now);

  struct written {
    entry_header* before = nullptr;  ///< What was there and had not expired.
    bool done = false;               ///< `allow` said yes.
  };

  /// One change of one key, atomic: `allow(entry_header* current)` sees what is there (null: nothing, or expired) under
  /// the page's lock and decides; then `fresh` takes its place, or, when `fresh` is null, it is removed for `cause`.
  template <class Match, class Allow>
  [[gnu::always_inline]] written write(key_hash hash, entry_header* fresh, time_point now, removal_cause cause,
                                       Match&& match, Allow&& allow);

  /// Removes what is there, a page at a time; `between()` is called after each, without a guard.
  void clear(removal_cause cause, const std::function<void()>& between);
  /// Gives back what a full cache needed and one that holds so little does not.
  void shrink();
  void resize(std::size_t capacity, std::size_t max_weight, time_point now);

  // ---- maintenance ----

  /// Where user code may run: destroys what no reader holds any more, by `destroy(entry_header&)`, and tells the
  /// listener by `deliver(const removal&)`. Cheap when there is nothing to do.
  template <class Destroy, class Deliver>
  void tidy(Destroy&& destroy, Deliver&& deliver) {
    if (notifies_ && has_news_.load(std::memory_order_relaxed)) deliver_all(deliver);
    if (!needs_tidying_.load(std::memory_order_relaxed)) [[likely]] return;
    reclaim(destroy, false);
  }
  /// The same, as much as can be done now.
  template <class Destroy, class Deliver>
  void tidy_all(Destroy&& destroy, Deliver&& deliver) {
    {
      const epoch_domain::guard guard{epochs_};
      drain(time_point::min());
    }
    if (notifies_) deliver_all(deliver);
    reclaim(destroy, true);
  }
  /// Hands every entry to `destroy`; nobody else may use the store any more.
  void dismantle(const std::function<void(entry_header&)>& destroy);

  /// Applies all noted changes and evicts down to the limits.
  void drain(time_point now);
  /// Takes out what has expired, in about `chunks` pieces of some thousand entries; when to come again (`never`: when
  /// something with a deadline has been stored).
  time_point sweep(time_point now, std::size_t chunks);

  // ---- looking around, under an epoch guard ----

  /// Calls `visit(entry_header&)` for the entries that are there all the while, and perhaps for others. No lock is
  /// held.
  void for_each(const std::function<void(entry_header&)>& visit);
  static constexpr std::uint64_t end_of_hashes = std::uint64_t{1} << 32;
  /// The same for a page of them, from a hash on; returns the hash where the next page begins.
  std::uint64_t for_each_from(std::uint64_t from, const std::function<void(entry_header&)>& visit);
  /// Up to `count` entries in the order of the policy.
  std::vector<entry_header*> ordered(std::size_t count, bool hottest, time_point now);

  std::size_t size() const noexcept;
  std::size_t capacity() const noexcept { return capacity_.load(std::memory_order_relaxed); }
  std::size_t max_weight() const noexcept { return max_weight_.load(std::memory_order_relaxed); }
  /// The heaviest entry that can be kept.
  std::size_t heaviest() const noexcept;
  std::size_t shards() const noexcept { return shards_.size(); }
  /// Adds entries, bytes, limits and removals.
  void fill(cache_stats& stats);
  void count_removal(removal_cause cause) noexcept { removals_.add(static_cast<std::size_t>(cause)); }
  double window() const noexcept { return window_.load(std::memory_order_relaxed); }
  std::size_t bytes() const;
  /// For tests, at rest: throws std::logic_error with a sentence about the first invariant that does not hold.
  void check();

 private:
  struct change {
    entry_header* before;  // unlinked
    entry_header* after;   // published
    bool one_key = true;   // both are of one key; otherwise their hashes are the same
  };
  struct lane {
    std::vector<change> changes;
    std::vector<const entry_header*> uses;
    std::vector<entry_header*> free;
    entry_header* at_hand = nullptr;  // a free slot: touched without the lock, by the thread with the stripe's number
  };
  struct alignas(128) stripe {
    small_mutex mutex;
    std::vector<lane> lanes;              // guarded by mutex; one for each shard
    std::vector<std::uint32_t> samples;   // guarded by mutex
    std::atomic<std::int64_t> entries{0};  // written under mutex: published less unlinked by writers
  };
  struct retired {
    entry_header* entry;
    std::uint64_t epoch;
  };
  struct alignas(128) shard {
    explicit shard(std::size_t entry_size) : entries(entry_size) {}
    void count_eviction() noexcept {
      evicted.store(evicted.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    mutable small_mutex mutex;
    eviction::arena entries;                     // guarded by mutex; so is all that follows
    std::unique_ptr<eviction::policy> policy;
    std::size_t linked = 0;                      // entries that count, as far as the lanes are drained
    std::size_t pinned = 0;
    std::size_t weight = 0;
    std::size_t promised = 0;                    // reserved, not yet linked
    std::size_t promised_weight = 0;
    std::size_t room = 0;                        // limits of this shard
    std::size_t room_weight = 0;
    std::size_t target = 0;                      // room less what lanes may hold
    double window = 0;
    std::vector<retired> limbo;
    std::atomic<std::int64_t> evicted{0};        // written under mutex
  };
  struct news {
    small_mutex mutex;
    std::vector<removal> waiting;  // guarded by mutex
    bool delivering = false;       // guarded by mutex
  };

  // Bits of entry_header::flags, guarded by the shard's mutex.
  static constexpr std::uint32_t unlinked_flag = 0x01;   // unlinked before its publication was drained
  static constexpr std::uint32_t added_flag = 0x02;      // its publication was drained
  static constexpr std::uint32_t told_flag = 0x04;       // the listener was told
  static constexpr std::uint32_t finished_flag = 0x08;   // nobody but readers knows it
  static constexpr std::uint32_t reserved_flag = 0x10;   // written by its owner before it is published
  static constexpr std::uint32_t unqueued = 15;          // entry_header::queue of a resident entry no policy evicts

  static constexpr std::size_t reach = bucket_table::max_page_buckets;  // buckets within which an entry is put
  static constexpr std::uint32_t most_alike = 8;  // keys with the same 47 bits: a search compares each of them

  static bool expired(const entry_header& entry, time_point now) noexcept {
    return entry.expired(now.time_since_epoch().count());
  }
  shard& shard_of(std::uint32_t body) noexcept { return *shards_[body & (shards_.size() - 1)]; }
  std::size_t shard_index(std::uint32_t body) const noexcept { return body & (shards_.size() - 1); }
  stripe& stripe_of(std::uint32_t thread_slot) noexcept { return stripes_[thread_slot & (stripe_count_ - 1)]; }

  template <class Match>
  [[gnu::noinline]] entry_header* find_while_moving(std::size_t whole, Match match) const {
    for (const key_hash hash{whole};;) {
      const bucket_table* const table = table_.load(std::memory_order_acquire);
      schedule_point();
      const bucket_table* const moving = table->previous.load(std::memory_order_acquire);
      if (entry_header* entry = table->find(hash, match)) return entry;
      if (moving != nullptr) {
        if (entry_header* entry = moving->find(hash, match)) return entry;
        if (entry_header* entry = table->find(hash, match)) return entry;  // it was moved in between
      }
      if (table_.load(std::memory_order_acquire) == table) return nullptr;
    }
  }

  // The table and its growth (store_table.cpp).
  struct locked_page {
    bucket_table* table;
    bucket_table::page* page;
  };
  struct locked_range {
    bucket_table* table;
    bucket_table::page* page;
    std::size_t number;
    std::uint64_t end;  // the first hash that is not in the page
  };
  locked_page lock_page(std::uint32_t body);
  locked_range lock_range(std::uint64_t from);
  void help_moving(bucket_table& from, bucket_table& to, std::uint32_t body);
  bool move_page(bucket_table& from, bucket_table& to, std::size_t number);
  static entry_header* take_place(bucket_table& in, key_hash hash, entry_header& entry) noexcept;
  void finish_moving(bucket_table& from, bucket_table& to);
  bool wants_growth(const locked_page& at) const noexcept;
  void grow(bucket_table& full, bool must);
  void rebuild(std::size_t buckets);
  std::size_t fitting_buckets(std::size_t at_least = 0) const noexcept;
  std::size_t size_after(std::size_t buckets) const noexcept;
  static bucket_table::position coldest(const bucket_table& in, std::uint32_t body) noexcept;
  bool place(const locked_page& at, const bucket_table::search& seen, key_hash hash, entry_header& fresh,
             entry_header*& pushed_out);
  bool unlink(entry_header& entry, removal_cause cause) noexcept;
  void announce(entry_header& entry, removal_cause cause) noexcept {
    count_removal(cause);
    if (notifies_) tell(entry, cause);
  }
  void tell(entry_header& entry, removal_cause cause) noexcept;
  void leave_over(entry_header& entry) noexcept;

  // Lanes and shards (store_shard.cpp).
  [[gnu::cold]] void log_use(entry_header& entry) noexcept;
  void sample(stripe& mine, std::uint32_t body);
  void note(entry_header* before, entry_header* after, time_point now, entry_header* pushed_out = nullptr);
  void note(stripe& in, const change& what, time_point now);
  void settle(lane& of, shard& into, time_point now) noexcept;
  void restock(lane& of, shard& from);
  void adopt_orphans(time_point now);
  void drain_lane(lane& of, shard& into, time_point now) noexcept;
  void link(shard& in, entry_header& entry) noexcept;
  void leave(shard& in, entry_header& entry) noexcept;
  void take_over(shard& in, const change& what) noexcept;
  void uncount(shard& in, const entry_header& entry) noexcept;
  void finish(shard& in, entry_header& entry) noexcept;
  void retire(shard& in, entry_header& entry) noexcept;
  void evict(shard& in, time_point now) noexcept;
  time_point sweep(shard& in, time_point now, std::size_t& chunks);
  void set_limits();
  void feed_tuner(std::span<const std::uint32_t> sampled);

  template <class Destroy>
  void reclaim(Destroy&& destroy, bool all);
  void free_old_tables();
  std::vector<entry_header*> take_reclaimable(shard& from, bool all, std::uint64_t& bound);
  void give_back(shard& to, std::span<entry_header* const> dead) noexcept;
  template <class Deliver>
  void deliver_all(Deliver&& deliver);
  news* take_news(std::vector<removal>& into);
  void told(news& source, std::span<const removal> delivered) noexcept;

  const store_options options_;
  const bool notifies_;
  const bool refuses_;
  bool wants_uses_ = false;  // constant after construction
  std::size_t batch_ = 1;    // constant after construction: the most changes that a lane holds
  std::size_t nearly_full_ = 1;  // constant after construction: so many that it is drained if the shard is free
  std::size_t stripe_count_ = 1;
  std::size_t limbo_limit_ = 64;
  mutable epoch_domain epochs_;
  std::atomic<bucket_table*> table_;
  std::atomic<std::uint64_t> noted_uses_{0};       // of the keys placed below it, uses are logged
  std::unique_ptr<eviction::window_tuner> tuner_;  // guarded by tuning_, but for samples()
  std::unique_ptr<stripe[]> stripes_;
  std::vector<std::unique_ptr<shard>> shards_;
  std::atomic<bool> needs_tidying_{false};
  std::atomic<bool> has_news_{false};
  std::atomic<double> window_{0.01};
  std::atomic<std::size_t> capacity_;
  std::atomic<std::size_t> max_weight_;
  std::atomic<std::size_t> pinned_{0};  // as far as the lanes are drained: the table needs room for them, too
  small_mutex tuning_;
  small_mutex growing_;  // held while a new table is put in place, and by who must not see one
  std::array<news, 16> news_;
  struct old_table {
    bucket_table* table;
    std::uint64_t epoch;
  };
  small_mutex left_over_;
  std::vector<old_table> old_tables_;    // guarded by left_over_: retired tables
  std::vector<entry_header*> orphans_;  // guarded by left_over_: unlinked because a new table had no room for them
  counter_block removals_{removal_cause_table.size()};
};

template <class Match, class Allow>
inline auto store::write(key_hash hash, entry_header* fresh, time_point now, removal_cause cause, Match&& match,
                         Allow&& allow) -> written {
  written result;
  entry_header* before = nullptr;
  entry_header* pushed_out = nullptr;
  bool outdated = false;
  bool crowded = false;
  bucket_table* full = nullptr;
  for (bool placed = false; !placed;) {
    if (full != nullptr) grow(*full, true);
    const locked_page at = lock_page(hash.body);
    const std::lock_guard lock{at.page->mutex, std::adopt_lock};
    const auto seen = at.table->locate(hash, reach, match);
    before = seen.found.entry;
    outdated = before != nullptr && expired(*before, now);
    if (!allow(outdated ? nullptr : before)) return result;
    placed = true;
    if (fresh != nullptr && before != nullptr) at.table->replace(hash, seen.found, *fresh);
    else if (fresh != nullptr) placed = place(at, seen, hash, *fresh, pushed_out);
    else if (before != nullptr) {
      at.table->erase(hash.body, seen.found);
      --at.page->entries;
    }
    if (placed && before != nullptr) announce(*before, outdated ? removal_cause::expired : cause);
    full = at.table;
    crowded = fresh != nullptr && wants_growth(at);
  }
  result.done = true;
  if (crowded) [[unlikely]] grow(*full, false);
  if (!outdated) result.before = before;
  if (before != nullptr || fresh != nullptr) note(before, fresh, now, pushed_out);
  return result;
}

template <class Destroy>
void store::reclaim(Destroy&& destroy, bool all) {
  needs_tidying_.store(false, std::memory_order_relaxed);
  adopt_orphans(time_point::min());
  free_old_tables();
  std::uint64_t bound = 0;
  for (const auto& one : shards_) {
    const std::vector<entry_header*> dead = take_reclaimable(*one, all, bound);
    if (dead.empty()) continue;
    for (entry_header* const entry : dead) destroy(*entry);
    give_back(*one, dead);
  }
}

template <class Deliver>
void store::deliver_all(Deliver&& deliver) {
  std::vector<removal> batch;
  while (news* const source = take_news(batch)) {
    for (const removal& one : batch) deliver(one);
    told(*source, batch);
  }
}

}  // namespace seawall::local

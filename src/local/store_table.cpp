// The part of store that changes the table: where entries are put, and how the table grows while it is used.
//
// A new table is put in place first, with the old one as `previous`. Writers move the old page of their key before they
// touch it, and one more; an entry is in the new table before it leaves the old one. So a reader that looked into both,
// and into the new one again, has seen every entry that was there all the while.
#include "seawall/local/store.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace seawall::local {
namespace {

constexpr auto never_matches = [](const entry_header&) { return false; };

// Slots that are taken of 1000 when a cache is full: fuller buckets cost searches, emptier ones memory.
constexpr std::size_t full_load = 800;

}  // namespace

auto store::lock_page(std::uint32_t body) -> locked_page {
  for (;;) {
    bucket_table* const table = table_.load(std::memory_order_acquire);
    if (bucket_table* const moving = table->previous.load(std::memory_order_acquire)) [[unlikely]] {
      help_moving(*moving, *table, body);
    }
    bucket_table::page& page = table->page_at(table->page_of(body));
    page.mutex.lock();
    // If a newer table is there already but this page has not moved, its writers still belong here.
    if (!page.moved) [[likely]] return {table, &page};
    page.mutex.unlock();
  }
}

void store::help_moving(bucket_table& from, bucket_table& to, std::uint32_t body) {
  move_page(from, to, from.page_of(body));
  const std::size_t another = from.next_to_move.fetch_add(1, std::memory_order_relaxed);
  if (another < from.pages()) move_page(from, to, another);
}

bool store::move_page(bucket_table& from, bucket_table& to, std::size_t number) {
  bucket_table::page& page = from.page_at(number);
  {
    const std::lock_guard lock{page.mutex};
    if (page.moved) return false;
    // Neighbours mostly go to the same page, whose lock is kept for them.
    std::unique_lock<small_mutex> target_lock;
    from.move_out(number, [&](entry_header& entry, std::uint16_t tag, const auto& take_out) {
      const key_hash hash{entry.hash, tag};
      bucket_table::page& target = to.page_at(to.page_of(entry.hash));
      if (target_lock.mutex() != &target.mutex) {
        if (target_lock) target_lock.unlock();
        target_lock = std::unique_lock{target.mutex};
      }
      if (const auto room = to.free_near(entry.hash)) {
        to.insert(hash, *room, entry);
        ++target.entries;
        // Under the target's lock: who pushes the entry out of there must not leave it to be found here.
        take_out();
      } else {
        entry_header* leaves = &entry;
        if (entry.pinned()) leaves = take_place(to, hash, entry);
        take_out();
        announce(*leaves, removal_cause::capacity);
        leave_over(*leaves);
      }
    });
    page.entries = 0;
    page.moved = true;
  }
  if (from.moved_pages.fetch_add(1, std::memory_order_acq_rel) + 1 != from.pages()) return true;
  to.previous.store(nullptr, std::memory_order_release);
  const std::lock_guard lock{left_over_};
  old_tables_.push_back({&from, epochs_.current()});
  needs_tidying_.store(true, std::memory_order_relaxed);
  return true;
}

// Requires: the lock of the full page. Puts a pinned entry where another one was; answers that one, or the entry itself
// when all are pinned.
entry_header* store::take_place(bucket_table& in, key_hash hash, entry_header& entry) noexcept {
  bucket_table::position victim;
  in.around(hash.body, bucket_table::max_page_buckets, [&](const bucket_table::position& candidate) {
    if (!candidate.entry->pinned()) victim = candidate;
  });
  if (victim.entry == nullptr) return &entry;
  in.erase(victim.entry->hash, in.from_its_home(hash.body, victim));
  in.insert(hash, {nullptr, victim.distance, victim.slot}, entry);
  return victim.entry;
}

// Its change cannot be noted here, under a page's lock. Without memory for that it is never freed.
void store::leave_over(entry_header& entry) noexcept {
  const std::lock_guard lock{left_over_};
  try {
    orphans_.push_back(&entry);
  } catch (...) {
    return;
  }
  needs_tidying_.store(true, std::memory_order_relaxed);
}

void store::finish_moving(bucket_table& from, bucket_table& to) {
  for (std::size_t i = 0; i != from.pages(); ++i) move_page(from, to, i);
}

std::size_t store::fitting_buckets(std::size_t at_least) const noexcept {
  const std::size_t entries = std::max(at_least, capacity() + pinned_.load(std::memory_order_relaxed));
  const std::size_t slots = entries + entries * (1000 - full_load) / full_load + 1;
  return slots / bucket_table::slots_per_bucket + 1;
}

bool store::wants_growth(const locked_page& at) const noexcept {
  return at.page->entries > at.table->page_slots() / 8 * 7 && at.table->buckets() < fitting_buckets();
}

// The sizes are what fits, a quarter of it, and halves of that: so the table never grows shortly before it has its last
// size, and the last step, which would move the most, moves half of what doubling would.
std::size_t store::size_after(std::size_t buckets) const noexcept {
  const std::size_t fitting = fitting_buckets();
  if (buckets >= fitting) return 2 * buckets;
  const std::size_t least = buckets + buckets / 2 + 1;
  std::size_t next = fitting / 4;
  if (next < least) return fitting;
  while (next / 2 >= least) next /= 2;
  return next;
}

// When memory runs out the table stays as it is, unless it must grow. Where growth does not help, since the hashes of
// too many keys that may not be evicted are alike, it ends with std::bad_alloc while there is memory.
void store::grow(bucket_table& full, bool must) {
  if (must) growing_.lock();
  else if (!growing_.try_lock()) return;
  const std::lock_guard lock{growing_, std::adopt_lock};
  if (table_.load(std::memory_order_acquire) != &full) return;
  if (bucket_table* const moving = full.previous.load(std::memory_order_acquire)) {
    if (!must) return;
    finish_moving(*moving, full);
  }
  if (must && full.buckets() / 16 > fitting_buckets() + bucket_table::max_page_buckets) throw std::bad_alloc{};
  try {
    auto next = std::make_unique<bucket_table>(size_after(full.buckets()));
    next->previous.store(&full, std::memory_order_relaxed);
    table_.store(next.release(), std::memory_order_release);
  } catch (...) {
    if (must) throw;
  }
}

void store::rebuild(std::size_t buckets) {
  const std::lock_guard lock{growing_};
  const epoch_domain::guard guard{epochs_};
  bucket_table* const old = table_.load(std::memory_order_acquire);
  if (bucket_table* const moving = old->previous.load(std::memory_order_acquire)) finish_moving(*moving, *old);
  auto next = std::make_unique<bucket_table>(buckets);
  bucket_table& target = *next;
  next->previous.store(old, std::memory_order_relaxed);
  table_.store(next.release(), std::memory_order_release);
  finish_moving(*old, target);
}

// Requires: the page's lock. Of what may be evicted within reach, one that was used least.
bucket_table::position store::coldest(const bucket_table& in, std::uint32_t body) noexcept {
  bucket_table::position found;
  unsigned least = ~0U;
  in.around(body, reach, [&](const bucket_table::position& candidate) {
    const auto life = candidate.entry->now();
    if (life.pinned() || life.uses() >= least) return;
    least = life.uses();
    found = candidate;
  });
  return found;
}

// Requires: the page's lock; the key is not there. False: only a larger table has room.
bool store::place(const locked_page& at, const bucket_table::search& seen, key_hash hash, entry_header& fresh,
                  entry_header*& pushed_out) {
  const bool too_alike = seen.alike >= most_alike && !refuses_;
  if (too_alike && seen.coldest.entry != nullptr) {
    at.table->replace(hash, seen.coldest, fresh);
    announce(*seen.coldest.entry, removal_cause::capacity);
    pushed_out = seen.coldest.entry;
    return true;
  }
  bucket_table::position room = seen.room;
  if (!seen.has_room || too_alike) {
    const bool can_grow = at.table->buckets() < fitting_buckets();
    if (!too_alike && can_grow) return false;
    // Something within reach gives way; one that was used less rather than one that was used more.
    bucket_table::position victim;
    if (!refuses_ && !too_alike) victim = coldest(*at.table, hash.body);
    if (victim.entry != nullptr) {
      at.table->erase(victim.entry->hash, at.table->from_its_home(hash.body, victim));
      --at.page->entries;
      announce(*victim.entry, removal_cause::capacity);
      pushed_out = victim.entry;
      room = {nullptr, victim.distance, victim.slot};
    } else {
      const auto wider = at.table->locate(hash, bucket_table::max_page_buckets, never_matches);
      if (!wider.has_room) return false;
      room = wider.room;
    }
  }
  at.table->insert(hash, room, fresh);
  ++at.page->entries;
  return true;
}

bool store::unlink(entry_header& entry, removal_cause cause) noexcept {
  const locked_page at = lock_page(entry.hash);
  const std::lock_guard lock{at.page->mutex, std::adopt_lock};
  const auto position = at.table->where(entry);
  if (position.entry == nullptr) return false;
  at.table->erase(entry.hash, position);
  --at.page->entries;
  announce(entry, cause);
  return true;
}

// Under the page's lock: the listener hears of a key's entries in the order in which they left.
void store::tell(entry_header& entry, removal_cause cause) noexcept {
  news& mine = news_[entry.hash % news_.size()];
  const std::lock_guard lock{mine.mutex};
  try {
    mine.waiting.push_back({&entry, cause});
  } catch (...) {  // out of memory: the listener is not told, so the entry is not freed
    return;
  }
  has_news_.store(true, std::memory_order_relaxed);
}

auto store::take_news(std::vector<removal>& into) -> news* {
  into.clear();
  has_news_.store(false, std::memory_order_relaxed);
  for (news& one : news_) {
    const std::lock_guard lock{one.mutex};
    if (one.delivering || one.waiting.empty()) continue;
    one.delivering = true;
    into.swap(one.waiting);
    has_news_.store(true, std::memory_order_relaxed);  // there may be more
    return &one;
  }
  return nullptr;
}

void store::told(news& source, std::span<const removal> delivered) noexcept {
  for (const removal& one : delivered) {
    shard& home = shard_of(one.entry->hash);
    const std::lock_guard lock{home.mutex};
    one.entry->flags |= told_flag;
    if ((one.entry->flags & finished_flag) != 0) retire(home, *one.entry);
  }
  const std::lock_guard lock{source.mutex};
  source.delivering = false;
}

// The page of a hash, with everything in it that belongs there, locked; and where the next one begins. Looking around
// goes by hash and not by page, because the table may be replaced meanwhile.
auto store::lock_range(std::uint64_t from) -> locked_range {
  const auto body = static_cast<std::uint32_t>(from);
  for (;;) {
    bucket_table& table = *table_.load(std::memory_order_acquire);
    const std::size_t number = table.page_of(body);
    const std::uint64_t end = table.first_body(number + 1);
    if (bucket_table* const moving = table.previous.load(std::memory_order_acquire)) {
      const std::size_t last = moving->page_of(static_cast<std::uint32_t>(end - 1));
      for (std::size_t i = moving->page_of(static_cast<std::uint32_t>(table.first_body(number))); i <= last; ++i) {
        move_page(*moving, table, i);
      }
    }
    bucket_table::page& page = table.page_at(number);
    page.mutex.lock();
    if (!page.moved) return {&table, &page, number, end};
    page.mutex.unlock();
  }
}

void store::for_each(const std::function<void(entry_header&)>& visit) {
  for (std::uint64_t from = 0; from < end_of_hashes;) from = for_each_from(from, visit);
}

std::uint64_t store::for_each_from(std::uint64_t from, const std::function<void(entry_header&)>& visit) {
  std::vector<entry_header*> here;
  std::uint64_t next = 0;
  {
    const locked_range at = lock_range(from);
    const std::lock_guard lock{at.page->mutex, std::adopt_lock};
    here.reserve(at.page->entries);
    at.table->each(at.number, [&](entry_header& entry) {
      if (entry.hash >= from && entry.hash < at.end) here.push_back(&entry);
    });
    next = at.end;
  }
  for (entry_header* const entry : here) visit(*entry);
  return next;
}

void store::clear(removal_cause cause, const std::function<void()>& between) {
  std::vector<entry_header*> here;
  for (std::uint64_t from = 0; from < std::uint64_t{1} << 32;) {
    here.clear();
    {
      const epoch_domain::guard guard{epochs_};
      {
        const locked_range at = lock_range(from);
        const std::lock_guard lock{at.page->mutex, std::adopt_lock};
        here.reserve(at.page->entries);
        at.table->take_all(at.number, [&](entry_header& entry) {
          here.push_back(&entry);
          announce(entry, cause);
        });
        at.page->entries = 0;
        from = at.end;
      }
      for (entry_header* const entry : here) note(entry, nullptr, time_point::min());
    }
    between();
  }
}

void store::shrink() {
  {
    const epoch_domain::guard guard{epochs_};
    const std::size_t slots = table_.load(std::memory_order_acquire)->buckets() * bucket_table::slots_per_bucket;
    if (slots < 4096 || size() > slots / 8) return;
  }
  rebuild(size() / bucket_table::slots_per_bucket * 2 + 1);
  for (const auto& one : shards_) {
    const std::lock_guard lock{one->mutex};
    if (one->policy->size() == 0) one->policy->clear();
    if (!one->limbo.empty()) continue;
    one->limbo.shrink_to_fit();
    one->limbo.reserve(2 * limbo_limit_);
  }
}

}  // namespace seawall::local

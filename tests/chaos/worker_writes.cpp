#include "worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "servers/wait.hpp"

namespace chaos {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;

std::string worker::tag_of(std::uint64_t key) const { return fmt::format("{}.{}", key / 16, key % writers_); }

std::vector<std::uint64_t> worker::with_tag_of(std::uint64_t key) const {
  std::vector<std::uint64_t> keys;
  const std::uint64_t first = key / 16 * 16;
  for (std::uint64_t one = first; one < std::min<std::uint64_t>(first + 16, shared_.keys()); ++one) {
    if (one % writers_ == key % writers_) keys.push_back(one);
  }
  return keys;
}

// Each key has one writer in each process, so that a key's history in a process is one thread's.
void worker::write_until_calm(std::size_t writer) {
  dice chance{shared_.head().seed.load() * 1000 + index_ * 100 + writer};
  local_tally mine;
  writes waiting = left_behind(writer);
  mine[tally::taken_over] += waiting.size();
  std::vector<std::uint64_t> keys;
  while (shared_.stage() == phase::run || !waiting.empty()) {
    if (shared_.stage() == phase::run) {
      keys.clear();
      for (std::size_t count = chance.one_in(16) ? 6 : 1; count != 0; --count) {
        const std::uint64_t key = chance.key(shared_.keys()) / writers_ * writers_ + writer;
        if (key < shared_.keys() && !contains(keys, key)) keys.push_back(key);
      }
      const bool by_tag = !keys.empty() && chance.one_in(16);
      if (by_tag) keys = with_tag_of(keys.front());
      change(keys, by_tag, chance, waiting, mine);
    }
    announce(waiting, mine);
    mine.give_to(state_);
    pause_between_tries(std::chrono::milliseconds{2 + chance.below(38)});
  }
  --writing_;
}

/// What a forerunner of this process did not live to announce, as an outbox would tell.
worker::writes worker::left_behind(std::size_t writer) {
  writes found;
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = writer; key < shared_.keys(); key += writers_) {
    if (mine_of(key).pending.load() == 0) continue;
    keys.push_back(key);
    found.push_back({key, shared_.at(key).committed.load(), shared_.head().two_primaries.load()});
    ++shared_.at(key).invalidations;
  }
  if (!keys.empty()) invalidate(keys);
  for (const write& one : found) checker_.has_invalidated(one.key, one.version);
  return found;
}

void worker::change(std::span<const std::uint64_t> keys, bool by_tag, dice& chance, writes& waiting,
                    local_tally& mine) {
  if (keys.empty()) return;
  for (const std::uint64_t key : keys) mine_of(key).pending.store(1);
  if (is_wrong(mischief::early)) invalidate(keys, by_tag);
  if (is_wrong(mischief::early)) pause_between_tries(5ms);
  for (const std::uint64_t key : keys) ++shared_.at(key).committed;
  if (chance.one_in(50)) pause_between_tries(std::chrono::milliseconds{chance.below(20)});
  const std::size_t first = waiting.size();
  for (const std::uint64_t key : keys) {
    row& of = shared_.at(key);
    ++of.invalidations;
    waiting.push_back({key, of.committed.load(), shared_.head().two_primaries.load()});
  }
  if (!is_wrong(mischief::early) && !is_wrong(mischief::silent)) invalidate(keys, by_tag);
  for (std::size_t i = first; i != waiting.size() && !is_wrong(mischief::silent); ++i) {
    checker_.has_invalidated(waiting[i].key, waiting[i].version);
  }
  mine[tally::writes] += keys.size();
}

void worker::invalidate(std::span<const std::uint64_t> keys, bool by_tag) {
  if (by_tag) cache_->invalidate_tag(tag_of(keys.front()));
  else if (keys.size() == 1) cache_->invalidate(keys.front());
  else cache_->invalidate_many(keys);
}

/// Whether some of them were invalidated while there may have been two primaries, so that it is unknown which one was
/// told. They are invalidated again when that is over.
bool worker::disturbed(writes& waiting, local_tally& mine) {
  const std::uint64_t present = shared_.head().two_primaries.load();
  if (present % 2 == 1) return true;
  std::vector<std::uint64_t> again;
  for (write& one : waiting) {
    if (one.two_primaries == present) continue;
    one.two_primaries = present;
    if (!contains(again, one.key)) again.push_back(one.key);
  }
  if (again.empty()) return false;
  mine[tally::repeated] += again.size();
  invalidate(again);
  return true;
}

/// From here on everybody is to see the writes, unless the tier keeps an invalidation that could not be delivered.
void worker::announce(writes& waiting, local_tally& mine) {
  if (waiting.empty()) return;
  const bool is_deaf = is_wrong(mischief::deaf);
  if ((!is_deaf && tier_->stats().undelivered != 0) || disturbed(waiting, mine)) {
    ++mine[tally::withheld];
    return;
  }
  const std::int64_t when = now();
  for (const write& one : waiting) {
    mine_of(one.key).told.add(when, one.version);
    raise_to(shared_.at(one.key).announced, one.version);
  }
  for (const write& one : waiting) mine_of(one.key).pending.store(0);
  waiting.clear();
}

}  // namespace chaos

#include "seawall/eviction/adaptive.hpp"

#include "victims.hpp"

#include "seawall/base/random.hpp"

#include <algorithm>
#include <cassert>

namespace seawall::eviction {
namespace {

constexpr std::size_t lookahead = 16;         // victims whose memory is fetched at once
constexpr std::size_t spare_blocks = 4;       // evictions move entries from queue to queue and must not throw
constexpr std::size_t drain_at_once = 256;    // of a window that shrank
constexpr std::uint32_t lucky_frequency = 6;  // from here on a loser may be admitted
constexpr std::uint64_t lucky_one_in = 128;
constexpr std::size_t out_of_reach = 3;  // so many times as frequent, a resident is no measure for candidates

}  // namespace

adaptive::adaptive(const arena& entries, const limits& room, std::uint64_t seed, frequency_sketch* shared)
    : entries_(entries),
      room_(room),
      queues_(entries, room.weight != 0),
      own_(shared == nullptr ? room.entries : 1, seed),
      sketch_(shared == nullptr ? own_ : *shared),
      random_(mix64(seed) | 1) {
  divide();
}

void adaptive::divide() noexcept {
  const std::size_t whole = std::max<std::size_t>(1, capacity());
  const auto share = static_cast<std::size_t>(window_share_ * static_cast<double>(whole) + 0.5);
  limit(window) = std::clamp<std::size_t>(share, 1, std::max<std::size_t>(1, whole - 1));
  const std::size_t main = whole - limit(window);
  limit(protected_) = main - main / 5 - (main % 5 != 0);
  limit(probation) = main - limit(protected_);
  slack_ = whole / 64 + 1;
  if (!limits_weight()) slack_ = std::min<std::size_t>(slack_, 64);
}

// The engine evicts in batches, so a full cache may lie a little below its capacity. The window then keeps what it has
// too much, for contests to come; only in a cache with free room do entries leave it without one.
void adaptive::add(handle which) {
  queues_.reserve(spare_blocks);
  if (learns() && own_.outgrown(size())) own_.grow();
  queues_.push(window, which);
  if (queues_.amount(window) > limit(window) + slack_ && queues_.amount() + slack_ < capacity()) {
    drain_window(drain_at_once);
  }
}

void adaptive::remove(handle which) { queues_.remove(which); }

void adaptive::replace(handle old, handle now) {
  if (!queues_.replace(old, now)) add(now);
}

// Two kinds of memory are far away, the headers and the lines of the sketch (the queues' blocks are dense). All headers
// are asked for first, then all lines, so that the waits overlap. What comes to be looked at is foreseen: as many
// entries of probation as there are victims, one more for each that was used, and then, roughly, one of protected to
// make room for it.
void adaptive::prefetch(std::size_t from_window, std::size_t from_main) const noexcept {
  std::array<handle, lookahead> window_memory;
  std::array<handle, 2 * lookahead> main_memory;
  const auto candidates =
      std::span(window_memory).first(queues_[window].peek(std::span(window_memory).first(from_window)));
  for (const handle which : candidates) prefetch_to_write(&entries_[which]);

  const std::span<handle> ahead(main_memory);
  const std::size_t count = from_main == 0 ? 0 : queues_[probation].peek(ahead.first(2 * from_main));
  std::size_t seen = 0;
  std::size_t unused = 0;
  while (seen != count && unused != from_main) {
    const auto next = ahead.subspan(seen, std::min(from_main - unused, count - seen));
    for (const handle which : next) prefetch_to_write(&entries_[which]);
    if (seen == 0) {
      for (const handle which : candidates) sketch_.prefetch(entries_[which].hash);
    }
    for (const handle which : next) {
      sketch_.prefetch(entries_[which].hash);
      unused += entries_[which].uses() == 0;
    }
    seen += next.size();
  }
  if (count == 0) {
    for (const handle which : candidates) sketch_.prefetch(entries_[which].hash);
  }

  const std::size_t displaced = count < from_main ? from_main : seen - unused;
  const auto protected_tail = ahead.first(queues_[protected_].peek(ahead.first(displaced)));
  for (const handle which : protected_tail) prefetch_to_write(&entries_[which]);
  for (const handle which : protected_tail) {
    if (entries_[which].uses() != 0) sketch_.prefetch(entries_[which].hash);
  }
}

// An entry's first use, which brought it here, is counted only now, with those since: the sketch line is at hand then.
// Answers the frequency including them.
std::uint32_t adaptive::leave_window(entry_header& entry) noexcept {
  if (!learns()) {
    entry.set_uses(0);
    return sketch_.estimate(entry.hash);
  }
  const std::uint32_t uses = 1U + entry.uses();
  entry.set_uses(0);
  return own_.add(entry.hash, uses) + uses;
}

void adaptive::drain_window(std::size_t most) {
  while (window_over() && most != 0) {
    std::size_t batch = std::min(lookahead, most);
    most -= batch;
    prefetch(batch, 0);
    for (; batch != 0 && window_over(); --batch) {
      const handle which = queues_.pop(window);
      entry_header& entry = entries_[which];
      leave_window(entry);
      queues_.push(probation, which);
    }
  }
}

// The hand passes an entry that was used: one of its uses goes to the sketch.
void adaptive::pass(entry_header& entry, std::uint8_t uses_left) noexcept {
  if (learns()) own_.add(entry.hash, 1);
  entry.set_uses(uses_left);
}

void adaptive::shrink_protected(std::size_t& budget) {
  for (; queues_.amount(protected_) > limit(protected_) && budget != 0; --budget) {
    const handle which = queues_.pop(protected_);
    entry_header& entry = entries_[which];
    const std::uint8_t uses = entry.uses();
    if (uses != 0) pass(entry, static_cast<std::uint8_t>(uses - 1));
    queues_.push(uses != 0 ? protected_ : probation, which);
  }
}

// The entry that main would lose next; it stays where it is, at the end of its queue. no_handle: main is empty.
handle adaptive::next_victim(std::size_t& budget) {
  for (;;) {
    const queue_id from = queues_[probation].empty() ? protected_ : probation;
    const handle which = queues_[from].back();
    if (which == no_handle) return no_handle;
    entry_header& entry = entries_[which];
    const std::uint8_t uses = entry.uses();
    if (uses == 0 || budget == 0) return which;
    --budget;
    queues_.pop(from);
    pass(entry, from == probation ? 0 : static_cast<std::uint8_t>(uses - 1));
    queues_.push(protected_, which);
    if (from == probation) shrink_protected(budget);
  }
}

void adaptive::take(std::uint32_t from, victims& out) noexcept {
  const handle which = queues_.pop(from);
  out.add(which, entries_[which]);
}

// Against an attack with colliding keys (see Caffeine): nobody can be sure to keep an entry out.
bool adaptive::lucky(std::uint32_t frequency) noexcept {
  if (frequency < lucky_frequency) return false;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return (random_ >> 32) % lucky_one_in == 0;
}

// A resident that wins clearly goes back to the front: the next candidate meets another one. If it stayed at the end,
// it would keep out what is worth more than the entries behind it. One that wins narrowly stays, so that a loop, whose
// keys are asked for about equally often, does not churn. Not by weight: a light resident that beats one heavy
// candidate says little about the next.
void adaptive::put_off(handle resident) {
  const std::uint32_t home = entries_[resident].queue;
  queues_.pop(home);
  queues_.push(home, resident);
}

// Whether the candidate was asked for more often than what it would displace, on average over the weight; then these
// are victims. So a byte of the cache goes to who has more uses for it; the sum of the victims' frequencies would keep
// out large objects that many ask for.
bool adaptive::displace(const entry_header& candidate, std::uint32_t frequency, victims& out, std::size_t& budget) {
  std::array<handle, 64> displaced;
  const std::size_t most = std::min(displaced.size(), out.room());
  std::size_t count = 0;
  const std::size_t needed = queues_.cost(candidate);
  std::size_t rivals = 0;  // their frequencies, each times its weight
  std::size_t freed = 0;
  bool wins = lucky(frequency);
  do {
    const handle which = next_victim(budget);
    if (which == no_handle) break;
    entry_header& victim = entries_[which];
    freed += queues_.cost(victim);
    rivals += queues_.cost(victim) * sketch_.estimate(victim.hash);
    const std::size_t uses = frequency * std::max(freed, needed);
    if (!wins && uses <= rivals) {
      if (!limits_weight() && out_of_reach * uses <= rivals) put_off(which);
      while (count != 0) queues_.push_back(probation, displaced[--count]);
      return false;
    }
    displaced[count++] = queues_.pop(victim.queue);
  } while (freed < needed && count != most);
  for (std::size_t i = 0; i != count; ++i) out.add(displaced[i], entries_[displaced[i]]);
  return true;
}

void adaptive::contest(victims& out, std::size_t& budget) {
  const handle which = queues_[window].back();
  entry_header& candidate = entries_[which];
  const bool stays = displace(candidate, leave_window(candidate), out, budget);
  queues_.pop(window);
  if (stays)
    queues_.push(probation, which);
  else
    out.add(which, candidate);
}

std::size_t adaptive::evict(std::size_t entries, std::size_t weight, std::span<handle> into) {
  victims out(entries, weight, into);
  std::size_t budget = 1024 + 64 * out.expected();
  while (!out.done()) {
    std::size_t batch = std::min(lookahead, out.expected());
    prefetch(window_over() ? batch : 0, batch);
    for (; batch != 0 && !out.done(); --batch) {
      if (main_empty()) {
        if (queues_[window].empty()) return out.count();
        take(window, out);
      } else if (window_over()) {
        contest(out, budget);
      } else {
        take(entries_[next_victim(budget)].queue, out);
      }
    }
  }
  // A window that is too large by more than what had to go has shrunk. If `into` was too short, there are contests
  // left.
  if (out.enough()) drain_window(drain_at_once);
  return out.count();
}

void adaptive::set_window(double share) {
  window_share_ = std::clamp(share, 0.0, 1.0);
  divide();
}

void adaptive::resize(const limits& now) {
  room_ = now;
  divide();
  if (learns()) own_.resize(now.entries, size());
  queues_.count_weight(limits_weight());
}

void adaptive::clear() {
  queues_.clear();
  if (learns()) own_.clear();
}

std::size_t adaptive::size() const noexcept { return queues_.size(); }

void adaptive::visit(bool hottest_first, const std::function<bool(handle)>& visit) const {
  std::array order{protected_, window, probation};
  if (!hottest_first) std::ranges::reverse(order);
  for (const queue_id id : order) {
    if (!queues_[id].for_each(hottest_first, visit)) return;
  }
}

auto adaptive::used_by(queue_id which) const noexcept -> usage {
  return {queues_[which].size(), queues_.amount(which), limit(which)};
}

std::size_t adaptive::bytes() const noexcept { return queues_.bytes() + own_.bytes(); }

}  // namespace seawall::eviction

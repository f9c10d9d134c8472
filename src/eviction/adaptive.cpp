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

std::uint8_t uses_of(const entry_header& entry) noexcept { return entry.uses.load(std::memory_order_relaxed); }

}  // namespace

adaptive::adaptive(const arena& entries, const limits& room, std::uint64_t seed, frequency_sketch* shared)
    : entries_(entries),
      room_(room),
      segments_{{{{pool_, entries}}, {{pool_, entries}}, {{pool_, entries}}}},
      own_(shared == nullptr ? room.entries : 1, seed),
      sketch_(shared == nullptr ? own_ : *shared),
      random_(mix64(seed) | 1) {
  divide();
}

void adaptive::divide() noexcept {
  const std::size_t whole = std::max<std::size_t>(1, capacity());
  const auto share = static_cast<std::size_t>(window_share_ * static_cast<double>(whole) + 0.5);
  at(window).limit = std::clamp<std::size_t>(share, 1, std::max<std::size_t>(1, whole - 1));
  const std::size_t main = whole - at(window).limit;
  at(protected_).limit = main - main / 5 - (main % 5 != 0);
  at(probation).limit = main - at(protected_).limit;
  slack_ = whole / 64 + 1;
  if (!limits_weight()) slack_ = std::min<std::size_t>(slack_, 64);
}

void adaptive::push(queue_id into, handle which, entry_header& entry) {
  segment& home = at(into);
  home.order.push_front(which);
  home.amount += cost(entry);
  entry.queue = into;
}

handle adaptive::pop(queue_id from) noexcept {
  segment& home = at(from);
  const handle which = home.order.pop_back();
  entry_header& entry = entries_[which];
  home.amount -= cost(entry);
  entry.queue = 0;
  return which;
}

// The engine evicts in batches, so a full cache may lie a little below its capacity. The window then keeps what it has
// too much, for contests to come; only in a cache with free room do entries leave it without one.
void adaptive::add(handle which) {
  pool_.reserve(spare_blocks);
  if (learns() && own_.outgrown(size())) own_.grow();
  push(window, which, entries_[which]);
  if (at(window).amount > at(window).limit + slack_ && total() + slack_ < capacity()) drain_window(drain_at_once);
}

void adaptive::remove(handle which) {
  entry_header& entry = entries_[which];
  if (entry.queue == 0) return;
  segment& home = at(entry.queue);
  home.order.erase(entry.place);
  home.amount -= cost(entry);
  entry.queue = 0;
}

void adaptive::replace(handle old, handle now) {
  entry_header& before = entries_[old];
  if (before.queue == 0) return add(now);
  entry_header& after = entries_[now];
  segment& home = at(before.queue);
  home.order.replace(before.place, now);
  home.amount += cost(after);
  home.amount -= cost(before);
  after.queue = before.queue;
  after.uses.store(uses_of(before), std::memory_order_relaxed);
  after.use();
  before.queue = 0;
}

// Two kinds of memory are far away, the headers and the lines of the sketch (the queues' blocks are dense). All headers
// are asked for first, then all lines, so that the waits overlap. What comes to be looked at is foreseen: as many
// entries of probation as there are victims, one more for each that was used, and then, roughly, one of protected to
// make room for it.
void adaptive::prefetch(std::size_t from_window, std::size_t from_main) const noexcept {
  std::array<handle, lookahead> window_memory;
  std::array<handle, 2 * lookahead> main_memory;
  const auto candidates =
      std::span(window_memory).first(at(window).order.peek(std::span(window_memory).first(from_window)));
  for (const handle which : candidates) __builtin_prefetch(&entries_[which], 1);

  const std::span<handle> ahead(main_memory);
  const std::size_t count = from_main == 0 ? 0 : at(probation).order.peek(ahead.first(2 * from_main));
  std::size_t seen = 0;
  std::size_t unused = 0;
  while (seen != count && unused != from_main) {
    const auto next = ahead.subspan(seen, std::min(from_main - unused, count - seen));
    for (const handle which : next) __builtin_prefetch(&entries_[which], 1);
    if (seen == 0) {
      for (const handle which : candidates) sketch_.prefetch(entries_[which].hash);
    }
    for (const handle which : next) {
      sketch_.prefetch(entries_[which].hash);
      unused += uses_of(entries_[which]) == 0;
    }
    seen += next.size();
  }
  if (count == 0) {
    for (const handle which : candidates) sketch_.prefetch(entries_[which].hash);
  }

  const std::size_t displaced = count < from_main ? from_main : seen - unused;
  const auto protected_tail = ahead.first(at(protected_).order.peek(ahead.first(displaced)));
  for (const handle which : protected_tail) __builtin_prefetch(&entries_[which], 1);
  for (const handle which : protected_tail) {
    if (uses_of(entries_[which]) != 0) sketch_.prefetch(entries_[which].hash);
  }
}

// An entry's first use, which brought it here, is counted only now, with those since: the sketch line is at hand then.
// Answers the frequency including them.
std::uint32_t adaptive::leave_window(entry_header& entry) noexcept {
  if (!learns()) {
    entry.uses.store(0, std::memory_order_relaxed);
    return sketch_.estimate(entry.hash);
  }
  const std::uint32_t uses = 1U + uses_of(entry);
  entry.uses.store(0, std::memory_order_relaxed);
  return own_.add(entry.hash, uses) + uses;
}

void adaptive::drain_window(std::size_t most) {
  while (window_over() && most != 0) {
    std::size_t batch = std::min(lookahead, most);
    most -= batch;
    prefetch(batch, 0);
    for (; batch != 0 && window_over(); --batch) {
      const handle which = pop(window);
      entry_header& entry = entries_[which];
      leave_window(entry);
      push(probation, which, entry);
    }
  }
}

// The hand passes an entry that was used: one of its uses goes to the sketch.
void adaptive::pass(entry_header& entry, std::uint8_t uses_left) noexcept {
  if (learns()) own_.add(entry.hash, 1);
  entry.uses.store(uses_left, std::memory_order_relaxed);
}

void adaptive::shrink_protected(std::size_t& budget) {
  segment& home = at(protected_);
  for (; home.amount > home.limit && budget != 0; --budget) {
    const handle which = pop(protected_);
    entry_header& entry = entries_[which];
    const std::uint8_t uses = uses_of(entry);
    if (uses != 0) pass(entry, static_cast<std::uint8_t>(uses - 1));
    push(uses != 0 ? protected_ : probation, which, entry);
  }
}

// The entry that main would lose next; it stays where it is, at the end of its queue. no_handle: main is empty.
handle adaptive::next_victim(std::size_t& budget) {
  for (;;) {
    const queue_id from = at(probation).order.empty() ? protected_ : probation;
    const handle which = at(from).order.back();
    if (which == no_handle) return no_handle;
    entry_header& entry = entries_[which];
    const std::uint8_t uses = uses_of(entry);
    if (uses == 0 || budget == 0) return which;
    --budget;
    pop(from);
    pass(entry, from == probation ? 0 : static_cast<std::uint8_t>(uses - 1));
    push(protected_, which, entry);
    if (from == probation) shrink_protected(budget);
  }
}

void adaptive::take(queue_id from, victims& out) noexcept {
  const handle which = pop(from);
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

// Whether the candidate was asked for more often than what it would displace, which then are victims.
bool adaptive::displace(const entry_header& candidate, std::uint32_t frequency, victims& out, std::size_t& budget) {
  std::array<handle, 64> displaced;
  const std::size_t most = std::min(displaced.size(), out.room());
  std::size_t count = 0;
  std::size_t rivals = 0;
  std::size_t freed = 0;
  bool wins = lucky(frequency);
  do {
    const handle which = next_victim(budget);
    if (which == no_handle) break;
    entry_header& victim = entries_[which];
    rivals += sketch_.estimate(victim.hash);
    if (!wins && frequency <= rivals) {
      while (count != 0) {
        const handle back = displaced[--count];
        at(probation).order.push_back(back);
        at(probation).amount += cost(entries_[back]);
        entries_[back].queue = probation;
      }
      return false;
    }
    freed += cost(victim);
    displaced[count++] = pop(static_cast<queue_id>(victim.queue));
  } while (freed < cost(candidate) && count != most);
  for (std::size_t i = 0; i != count; ++i) out.add(displaced[i], entries_[displaced[i]]);
  return true;
}

void adaptive::contest(victims& out, std::size_t& budget) {
  const handle which = at(window).order.back();
  entry_header& candidate = entries_[which];
  const bool stays = displace(candidate, leave_window(candidate), out, budget);
  pop(window);
  if (stays)
    push(probation, which, candidate);
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
        if (at(window).order.empty()) return out.count();
        take(window, out);
      } else if (window_over()) {
        contest(out, budget);
      } else {
        take(static_cast<queue_id>(entries_[next_victim(budget)].queue), out);
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
  const bool recount = limits_weight() != (now.weight != 0);
  room_ = now;
  divide();
  if (learns()) own_.resize(now.entries, size());
  if (!recount) return;
  for (segment& each : segments_) {
    each.amount = 0;
    each.order.for_each(false, [&](handle which) {
      each.amount += cost(entries_[which]);
      return true;
    });
  }
}

void adaptive::clear() {
  for (segment& each : segments_) {
    each.order.clear();
    each.amount = 0;
  }
  if (learns()) own_.clear();
}

std::size_t adaptive::size() const noexcept {
  return segments_[0].order.size() + segments_[1].order.size() + segments_[2].order.size();
}

void adaptive::visit(bool hottest_first, const std::function<bool(handle)>& visit) const {
  std::array order{protected_, window, probation};
  if (!hottest_first) std::ranges::reverse(order);
  for (const queue_id id : order) {
    if (!at(id).order.for_each(hottest_first, visit)) return;
  }
}

auto adaptive::used_by(queue_id which) const noexcept -> usage {
  return {at(which).order.size(), at(which).amount, at(which).limit};
}

std::size_t adaptive::bytes() const noexcept { return pool_.bytes() + own_.bytes(); }

}  // namespace seawall::eviction

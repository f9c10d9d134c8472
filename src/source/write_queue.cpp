#include "write_queue.hpp"

#include "steady_now.hpp"

#include <algorithm>
#include <utility>

namespace seawall::source {

void write_queue::add(operation_ptr operation, time_point now) {
  last_ = operation->sequence;
  ++size_;
  bytes_ += operation->bytes();
  slot& at = slots_.try_emplace(operation->key).first->second;
  if (at.waiting) {
    // The key keeps its place, however often it is written.
    const bool ready = !at.running && at.delayed == time_point{};
    if (ready) ready_bytes_ -= at.waiting->bytes();
    ++coalesced_;
    window_.pass(last_);
    forget(*at.waiting);
    at.waiting = std::move(operation);
    if (ready) ready_bytes_ += at.waiting->bytes();
    if (at.delayed == time_point{}) return;
    at.attempts = 0;
    put_back(at, time_point{});  // the one that had failed is gone
    return;
  }
  window_.open(last_, now);
  at.waiting = std::move(operation);
  at.rank = at.turn = last_;
  at.since = now;
  if (!at.running) put_back(at, time_point{});
}

operation_ptr write_queue::pending(std::string_view key) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return nullptr;
  return found->second.waiting ? found->second.waiting : found->second.running;
}

bool write_queue::is_done(std::string_view key, std::uint64_t sequence) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return true;
  const slot& at = found->second;
  return (at.running ? at.running_rank : at.rank) > sequence;
}

std::vector<operation_ptr> write_queue::take(time_point now, bool hurry) {
  if (next_due(hurry) > now) return {};
  while (!delayed_.empty() && delayed_.begin()->first.first <= now) put_back(*delayed_.begin()->second, time_point{});
  std::size_t bytes = 0;
  while (!ready_.empty() && running_.size() < cap_) {
    slot& next = *ready_.begin()->second;
    const std::size_t more = next.waiting->bytes();
    if (!running_.empty() && bytes + more > batch_.most_bytes) break;
    bytes += more;
    ready_bytes_ -= more;
    ready_.erase(ready_.begin());
    next.running = std::exchange(next.waiting, nullptr);
    next.running_rank = next.rank;
    running_.push_back(next.running);
  }
  return running_;
}

time_point write_queue::next_due(bool hurry) const {
  if (!running_.empty()) return never;
  time_point due = delayed_.empty() ? never : delayed_.begin()->first.first;
  if (!ready_.empty()) {
    const bool full = hurry || ready_.size() >= cap_ || ready_bytes_ >= batch_.most_bytes;
    due = std::min(due, full ? time_point{} : after(ready_.begin()->second->since, batch_.linger));
  }
  return due == never ? never : std::max(due, closed_until_);
}

void write_queue::succeeded() {
  ++successes_;
  lone_failures_ = 0;
  closed_until_ = time_point{};
  cap_ = std::min(batch_.most, cap_ * 2);
  for (const operation_ptr& operation : std::exchange(running_, {})) finish(operation);
}

operation_ptr write_queue::failed(time_point now, bool refused) {
  auto batch = std::exchange(running_, {});
  const bool lone = batch.size() == 1;
  cap_ = std::max<std::size_t>(1, batch.size() / 2);
  if (lone) ++lone_failures_;
  closed_until_ = after(now, pause(lone ? lone_failures_ : 1));
  if (lone) {
    slot& at = slot_of(*batch.front());
    if (at.waiting) {  // nobody needs this one any more
      supersede(at);
      return nullptr;
    }
    if (at.attempts == 0 || at.successes != successes_) ++at.attempts;
    at.successes = successes_;
    if (refused || at.attempts >= retry_.attempts) return batch.front();
    keep(batch.front(), now);
    return nullptr;
  }
  for (const operation_ptr& operation : batch) {
    slot& at = slot_of(*operation);
    if (at.waiting) {
      supersede(at);
    } else {
      at.waiting = std::exchange(at.running, nullptr);
      put_back(at, time_point{});
    }
  }
  return nullptr;
}

void write_queue::keep(const operation_ptr& operation, time_point now) {
  slot& at = slot_of(*operation);
  if (at.waiting) return supersede(at);
  at.waiting = std::exchange(at.running, nullptr);
  at.turn = last_;  // behind the others, or it would be tried before them again and again
  put_back(at, after(std::max(now, closed_until_), pause(std::max(1U, at.attempts))));
}

void write_queue::forget(const stored_operation& operation) {
  --size_;
  bytes_ -= operation.bytes();
}

// The running operation of a key has ended; what came meanwhile may begin.
void write_queue::finish(const operation_ptr& operation) {
  forget(*operation);
  const auto found = slots_.find(operation->key);
  slot& at = found->second;
  window_.settle(at.running_rank);
  at.running = nullptr;
  at.attempts = 0;
  if (!at.waiting) slots_.erase(found);
  else put_back(at, time_point{});
}

// The running operation has failed, and the source has neither it nor the one that waits: that one stands for both.
void write_queue::supersede(slot& at) {
  ++coalesced_;
  forget(*at.running);
  window_.settle(at.rank);
  at.rank = at.running_rank;
  at.running = nullptr;
  at.attempts = 0;
  put_back(at, time_point{});
}

// Where the waiting operation of a key waits: until a moment, or among those that are ready.
void write_queue::put_back(slot& at, time_point until) {
  if (at.delayed != time_point{}) delayed_.erase({at.delayed, at.rank});
  at.delayed = until;
  if (until != time_point{}) {
    delayed_.emplace(std::pair{until, at.rank}, &at);
  } else {
    ready_.emplace(at.turn, &at);
    ready_bytes_ += at.waiting->bytes();
  }
}

// Doubled with each failure, and between a half and the whole of that, so that programs do not come all at once.
duration write_queue::pause(unsigned failures) {
  const auto whole = static_cast<double>(doubled(retry_.first, retry_.longest, failures - 1).count());
  return duration{static_cast<duration::rep>(whole * (0.5 + random_.uniform() / 2))};
}

}  // namespace seawall::source

#include "seawall/cache/fresh_schedule.hpp"

#include "seawall/base/hash.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace seawall {
namespace {

constexpr duration between_rounds = std::chrono::milliseconds{1};
constexpr duration shortest_pause = std::chrono::milliseconds{10};
constexpr duration longest_first_pause = std::chrono::seconds{1};

// In [0, 1), the same for each look at an entry: or else each look would find another moment.
double draw_of(const local::entry_times& times, std::size_t hash) noexcept {
  const std::uint64_t both[] = {hash, static_cast<std::uint64_t>(times.written.time_since_epoch().count())};
  return static_cast<double>(hash_bytes(both, sizeof both) >> 11) * 0x1p-53;
}

duration part_of(duration span, double share) noexcept {
  return duration{static_cast<duration::rep>(static_cast<double>(span.count()) * share)};
}

}  // namespace

duration fresh_schedule::lead_of(const local::entry_times& times) noexcept {
  if (times.fresh_until == never) return forever;
  return (times.fresh_until - times.written) / 5;
}

time_point fresh_schedule::due_of(const local::entry_times& times, std::size_t hash) const noexcept {
  const double draw = draw_of(times, hash);
  time_point due = never;
  if (times.fresh_until != never) {
    const duration lead = lead_of(times);
    due = times.fresh_until - lead - part_of(lead, draw / 2);
  }
  if (how_.every <= duration::zero()) return due;
  return std::min(due, after(times.written, how_.every - part_of(how_.every, draw / 10)));
}

duration fresh_schedule::pause_after(unsigned tries, duration lead) const noexcept {
  const duration first = std::clamp(lead / 4, shortest_pause, longest_first_pause);
  return std::min(first * (std::int64_t{1} << std::min(tries, 12U)), std::max(first, longest_pause_));
}

void fresh_schedule::start(std::function<void()> round) {
  const std::lock_guard lock{mutex_};
  round_ = std::move(round);
}

void fresh_schedule::stop() {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  if (timer_ != 0) clock_->cancel(std::exchange(timer_, 0));
}

std::size_t fresh_schedule::size() const {
  const std::lock_guard lock{mutex_};
  return keys_.size();
}

bool fresh_schedule::wants(std::size_t hash) const {
  const std::lock_guard lock{mutex_};
  return !stopped_ && keys_.size() < how_.most_keys && !keys_.contains(hash);
}

void fresh_schedule::add(kept_key key, time_point due) {
  const std::lock_guard lock{mutex_};
  if (stopped_ || due == never || keys_.size() >= how_.most_keys) return;
  const std::size_t hash = key.hash;
  const auto [at, is_new] = keys_.try_emplace(hash);
  if (!is_new) return;
  try {
    order_.emplace(due, hash);
  } catch (...) {
    keys_.erase(at);
    throw;
  }
  at->second = {std::move(key), due};
  arm_locked();
}

void fresh_schedule::update(kept_key key, time_point due) {
  const std::lock_guard lock{mutex_};
  const auto found = keys_.find(key.hash);
  if (found == keys_.end()) return;
  move_locked(found->second, due);
  found->second.what = std::move(key);
  arm_locked();
}

void fresh_schedule::remove(std::size_t hash) {
  const std::lock_guard lock{mutex_};
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return;
  order_.erase({found->second.due, hash});
  keys_.erase(found);
}

// Where loads fail, each process that gives its lease back tells the others to hurry: hence the pause.
void fresh_schedule::hurry(std::size_t hash, bool used) {
  const std::lock_guard lock{mutex_};
  const auto found = keys_.find(hash);
  if (found == keys_.end()) return;
  auto& [key, due] = found->second;
  if (!used && key.tries == 0) return;
  const time_point now = clock_->now();
  if (used) key.used_at = now;
  const duration pause = key.tries == 0 ? duration::zero() : pause_after(key.tries - 1, duration::zero());
  move_locked(found->second, std::min(due, after(now, pause)));
  arm_locked();
}

auto fresh_schedule::next_due(time_point now) -> std::optional<kept_key> {
  const std::lock_guard lock{mutex_};
  if (stopped_ || order_.empty() || order_.begin()->first > now) return std::nullopt;
  slot& first = keys_.at(order_.begin()->second);
  kept_key copy = first.what;
  move_locked(first, after(now, longest_first_pause));  // should its owner fail to come back to it
  return copy;
}

std::shared_ptr<void> fresh_schedule::try_begin() {
  {
    const std::lock_guard lock{mutex_};
    full_ = loading_ >= how_.concurrent;
    if (full_) return nullptr;
    ++loading_;
  }
  return std::shared_ptr<void>{this, [self = shared_from_this()](void*) { self->ended(); }};
}

void fresh_schedule::ended() {
  const std::lock_guard lock{mutex_};
  --loading_;
  full_ = false;
  arm_locked();
}

// A node is moved, so that this needs no memory.
void fresh_schedule::move_locked(slot& which, time_point due) {
  auto node = order_.extract({which.due, which.what.hash});
  node.value().first = which.due = due;
  order_.insert(std::move(node));
}

void fresh_schedule::fire() {
  {
    const std::lock_guard lock{mutex_};
    timer_ = 0;
    armed_for_ = never;
    if (stopped_ || !round_) return;
    ++rounds_;
  }
  round_();  // constant since `start`
  const std::lock_guard lock{mutex_};
  --rounds_;
  arm_locked();
}

void fresh_schedule::arm_locked() {
  if (stopped_ || full_ || rounds_ != 0 || order_.empty()) return;
  const time_point when = std::max(order_.begin()->first, after(clock_->now(), between_rounds));
  if (timer_ != 0 && armed_for_ <= when) return;
  if (timer_ != 0) clock_->cancel(std::exchange(timer_, 0));
  armed_for_ = when;
  timer_ = clock_->call_at(when, [self = weak_from_this()] {
    if (const auto alive = self.lock()) alive->fire();
  });
}

}  // namespace seawall

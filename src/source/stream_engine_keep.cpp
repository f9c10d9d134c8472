// The thread that keeps the leases, and asks what has become of writes that another process may have applied.
#include "steady_now.hpp"
#include "stream_engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t asked_at_once = 500;

}  // namespace

bool stream_engine::holds(unsigned partition, time_point now) const noexcept {
  return !leases_[partition].lease.text.empty() && now < leases_[partition].until;
}

void stream_engine::keep_loop() {
  locked lock{mutex_};
  while (!others_stop_) {
    const bool renews = next_hold_ <= steady_now();
    if (renews) hold_leases(lock);
    if (own_.size() != 0) ask_for_gone(lock, renews);
    const time_point now = steady_now();
    time_point until = next_hold_;
    for (unsigned i = 0; i != stream_.partitions(); ++i) {
      if (own_.size(i) != 0 && !holds(i, now)) until = std::min(until, after(now, how_.redis.poll));
    }
    // What wakes it is a write for a partition that others drain, which takes a while in any case.
    keeper_.wait_until(lock, until, [&] { return others_stop_ || keeper_wakes_ || next_hold_ < until; });
    keeper_wakes_ = false;
  }
  const auto leases = std::exchange(leases_, std::vector<held_lease>(leases_.size()));
  lock.unlock();
  for (unsigned i = 0; i != leases.size(); ++i) {
    if (!leases[i].lease.text.empty() && !stream_.release(i, leases[i].lease.text)) break;  // they expire, then
  }
}

void stream_engine::hold_leases(locked& lock) {
  std::vector<std::string> mine;
  mine.reserve(leases_.size());
  for (const held_lease& held : leases_) mine.push_back(held.lease.text);
  lock.unlock();
  const time_point asked = steady_now();
  auto answers = stream_.hold(mine);
  if (answers.front()) note_letters();
  lock.lock();
  std::vector<std::string> news;
  std::optional<error> failure;
  for (unsigned i = 0; i != answers.size(); ++i) {
    if (!answers[i]) {
      failure = std::move(answers[i]).error();
    } else if (auto text = take_lease(i, *std::move(answers[i]), asked); !text.empty()) {
      news.push_back(std::move(text));
    }
  }
  next_hold_ = after(asked, failure ? std::min<duration>(how_.redis.lease / 3, 250ms) : how_.redis.lease / 3);
  const bool changed = failure.has_value() != std::exchange(unreachable_, failure.has_value());
  wake_drainer();
  lock.unlock();
  if (changed && failure) calls_.say(log_level::warning, "leases cannot be renewed: " + failure->message());
  if (changed && !failure) calls_.say(log_level::info, "leases can be renewed again");
  for (const std::string& text : news) calls_.say(log_level::warning, text);
  lock.lock();
}

// What is to be said of it.
std::string stream_engine::take_lease(unsigned partition, stream_lease lease, time_point asked) {
  held_lease& held = leases_[partition];
  const bool made_again = lease.is_new_group && (held.had_group || own_.size(partition) != 0);
  if (lease.text != held.lease.text) {
    if (!held.lease.text.empty()) ++stats_.lost_leases;
    if (!lease.text.empty()) ++stats_.take_overs;
    lease.is_new_group = false;
    held.lease = std::move(lease);
  }
  held.had_group = true;
  held.until = after(asked, how_.redis.lease);
  if (!made_again) return {};
  return fmt::format("the stream '{}' was gone, and is made again; what it still had is lost, with {} writes of this "
                     "process", stream_.writes_key(partition), own_.size(partition));
}

// With a lease, the draining thread knows; but not what was dealt with before it had the lease.
void stream_engine::ask_for_gone(locked& lock, bool everywhere) {
  for (unsigned partition = 0; partition != stream_.partitions(); ++partition) {
    if (own_.size(partition) == 0 || (!everywhere && holds(partition, steady_now()))) continue;
    for (bool goes_on = true; goes_on && !others_stop_;) {
      const auto ids = own_.first(partition, asked_at_once);
      lock.unlock();
      const auto places = stream_.gone(partition, ids);
      lock.lock();
      if (!places) return;
      std::vector<operation_ptr> operations;
      for (const std::size_t place : *places) {
        if (auto operation = own_.find(partition, ids[place])) operations.push_back(std::move(operation));
      }
      goes_on = places->size() == asked_at_once;
      if (operations.empty()) continue;
      lock.unlock();
      calls_.tell(operations);  // another process has told its own caches only
      lock.lock();
      for (const std::size_t place : *places) own_.remove(partition, ids[place]);
      space_.notify_all();
      settled_.notify_all();
    }
  }
}

void stream_engine::note_letters() {
  const auto count = stream_.count_letters();
  if (!count) return;
  const locked lock{mutex_};
  stats_.dead_letters = *count;
}

}  // namespace seawall::source

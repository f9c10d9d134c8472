// The thread that owns the log.
#include "steady_now.hpp"
#include "write_engine_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace seawall::source {
namespace {

using namespace std::chrono_literals;

// How often the log is told what has been applied: after a crash, what came later is applied once more.
constexpr duration checkpoint_interval = 1s;
// Of the memory that a group leaves to the next.
constexpr std::size_t most_spare_bytes = std::size_t{1} << 20;

}  // namespace

void engine_core::commit_loop() {
  locked lock{mutex_};
  for (;;) {
    const time_point until = within_hour(next_upkeep());
    if (staged_.empty() && !others_stop_) committer_.wait_until(lock, until);
    if (!staged_.empty()) {
      commit_staged(lock);
    } else if (others_stop_) {
      break;
    }
    if (next_upkeep() <= steady_now()) upkeep(lock);
  }
  next_sync_ = next_checkpoint_ = time_point{};
  upkeep(lock);
  const std::uint64_t applied = told_;
  lock.unlock();
  const auto marked = log_->finish(applied);
  if (!marked) calls_.say(log_level::error, marked.error().message());
  lock.lock();
}

void engine_core::commit_staged(locked& lock) {
  auto operations = std::exchange(staged_, std::move(spare_));
  auto records = std::exchange(staged_records_, std::move(spare_records_));
  std::vector<std::shared_ptr<commit_group>> groups{std::exchange(staged_group_, nullptr)};
  // Writes that nobody syncs must not pile up: after a failure each is acknowledged by a sync, or not at all.
  const bool durable = how_.log.sync == sync::group || sync_failure_;
  lock.unlock();
  const time_point begin = steady_now();
  auto done = log_->commit(records, operations.front()->sequence, operations.back()->sequence, durable);
  const time_point end = steady_now();
  lock.lock();
  ++stats_.commits;
  std::size_t bytes = 0;
  for (const operation_ptr& operation : operations) bytes += operation->bytes();
  on_the_way_.count -= operations.size();
  on_the_way_.bytes -= bytes;
  std::optional<error> failure;
  if (done) {
    if (durable) sync_failure_.reset();
    for (const operation_ptr& operation : operations) enqueue(operation, end);
    if (how_.log.sync == sync::interval && next_sync_ == never) next_sync_ = after(end, how_.log.sync_every);
  } else {
    failure = std::move(done).error();
    stats_.refused += operations.size();
    drop_staged(operations.front()->sequence - 1, groups);
  }
  if (durable) note_sync(end - begin);
  note_log();
  lock.unlock();
  if (failure) {
    calls_.say(log_level::error, failure->message());
    space_.notify_all();
    settled_.notify_all();
  }
  for (const auto& group : groups) {
    group->finish(failure);
    if (!failure) calls_.tell(group->left());  // a load may have come between the end of the call and the acceptance
  }
  operations.clear();
  records.clear();
  if (records.capacity() > most_spare_bytes) std::string{}.swap(records);
  lock.lock();
  spare_ = std::move(operations);
  spare_records_ = std::move(records);
}

// What came after a group that failed has sequences that follow it, so it cannot go to the log either.
void engine_core::drop_staged(std::uint64_t last, std::vector<std::shared_ptr<commit_group>>& groups) {
  next_ = last;
  if (staged_.empty()) return;
  for (const operation_ptr& operation : staged_) on_the_way_.bytes -= operation->bytes();
  on_the_way_.count -= staged_.size();
  stats_.refused += staged_.size();
  staged_.clear();
  staged_records_.clear();
  groups.push_back(std::exchange(staged_group_, nullptr));
}

time_point engine_core::next_upkeep() const {
  return std::min(next_sync_, has_news() ? next_checkpoint_ : never);
}

void engine_core::upkeep(locked& lock) {
  const bool syncs = next_sync_ <= steady_now();
  const std::uint64_t applied = told_;
  const bool checkpoints = next_checkpoint_ <= steady_now() && applied > checkpointed_;
  lock.unlock();
  result<void> synced{};
  result<void> marked{};
  const time_point begin = steady_now();
  const bool had_unsynced = syncs && log_->has_unsynced();
  if (had_unsynced) synced = log_->sync();
  const time_point end = steady_now();
  if (checkpoints) marked = log_->checkpoint(applied);
  if (!synced) calls_.say(log_level::error, synced.error().message());
  if (!marked) calls_.say(log_level::error, marked.error().message());
  lock.lock();
  if (had_unsynced) note_sync(end - begin);
  if (syncs) {
    next_sync_ = synced ? never : after(end, how_.log.sync_every);
    sync_failure_.reset();
    if (!synced) sync_failure_ = synced.error();
  }
  if (checkpoints) {
    next_checkpoint_ = after(steady_now(), checkpoint_interval);
    if (marked) checkpointed_ = applied;
    else ++stats_.failed_checkpoints;
  }
  note_log();
}

void engine_core::note_sync(duration time) {
  ++stats_.syncs;
  stats_.sync_time += time;
  stats_.longest_sync = std::max(stats_.longest_sync, time);
}

void engine_core::note_log() {
  durable_ = log_->durable();
  stats_.log_bytes = log_->bytes();
  stats_.log_segments = log_->segments();
  stats_.failed_syncs = log_->failed_syncs();
}

}  // namespace seawall::source

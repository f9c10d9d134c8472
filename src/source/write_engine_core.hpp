// The engine behind write_engine.hpp. A put is encoded by its caller, gets its sequence and its place in the buffer
// under one short lock, and waits for its group. One thread writes groups to the log and hands what is there to the
// queue, in order; another takes batches from the queue and gives them to the source.
#pragma once

#include "dead_letters.hpp"
#include "engine_base.hpp"
#include "local_log.hpp"
#include "one_time_event.hpp"
#include "write_queue.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace seawall::source {

/// Writers whose records go to the log together.
class commit_group {
 public:
  void finish(std::optional<error> failure);
  /// False: not within the time, and the operation is one of `left`.
  bool wait_until(time_point until, const operation_ptr& operation);
  /// After it has finished.
  const std::optional<error>& failure() const noexcept { return failure_; }
  const std::vector<operation_ptr>& left() const noexcept { return left_; }

 private:
  one_time_event finished_;
  std::mutex leaving_;
  std::optional<error> failure_;
  std::vector<operation_ptr> left_;  // guarded by leaving_ until it has finished: whose callers do not wait any more
};

class engine_core final : public engine_base {
 public:
  engine_core(engine_options how, engine_hooks hooks);
  ~engine_core() override;

  result<void> open(std::shared_ptr<file_layer> files);

  result<write_receipt> submit(bool removed, std::string key, std::string value, duration limit) override;
  operation_ptr pending(std::string_view key) const override;
  write_behind_stats stats() const override;
  std::vector<stored_letter> letters() const override;
  result<void> replay(std::uint64_t sequence) override;
  result<void> discard(std::uint64_t sequence) override;

 private:
  bool is_logged() const noexcept { return how_.acknowledged == acknowledged::local_log; }
  load kept() const override { return {.count = queue_->size(), .bytes = queue_->bytes()}; }
  std::function<std::size_t()> accepted_by_now() const override;
  void stop_others() override;
  result<void> close_with(const error& unfinished) override;
  result<void> wait_applied(locked& lock, const stored_operation& operation, time_point until);
  void enqueue(operation_ptr operation, time_point now);
  bool has_news() const noexcept { return log_ && told_ > checkpointed_; }

  void commit_loop();
  void commit_staged(locked& lock);
  void drop_staged(std::uint64_t last, std::vector<std::shared_ptr<commit_group>>& groups);
  void note_sync(duration time);
  time_point next_upkeep() const;
  void upkeep(locked& lock);
  void note_log();

  void drain_loop();
  void drain(locked& lock, const std::vector<operation_ptr>& batch);
  void bury(locked& lock, const operation_ptr& operation, const error& reason);

  // Guarded by mutex_, up to the next empty line.
  std::condition_variable committer_;
  std::optional<write_queue> queue_;
  std::uint64_t next_ = 0;                      // the last sequence that was given
  std::string staged_records_;
  std::vector<operation_ptr> staged_;
  std::shared_ptr<commit_group> staged_group_;
  std::string spare_records_;                   // empty: memory for those of the next group
  std::vector<operation_ptr> spare_;
  std::uint64_t queued_ = 0;                    // the last sequence that came to the queue
  std::uint64_t durable_ = 0;
  time_point drainer_sleeps_until_ = time_point{};
  time_point next_sync_ = never;
  std::optional<error> sync_failure_;           // of sync::interval, and not made good
  time_point next_checkpoint_ = time_point{};
  std::uint64_t checkpointed_ = 0;
  std::uint64_t told_ = 0;                      // all up to it is settled, and `settled` has been told
  unsigned failures_ = 0;                       // batches, one after another

  std::optional<local_log> log_;                // of the committing thread

  mutable std::mutex letters_mutex_;
  std::optional<dead_letters> letters_;         // guarded by letters_mutex_
};

}  // namespace seawall::source

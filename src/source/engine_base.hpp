// engine_base: what the write engines have in common: the room for writes, those who wait for it, and the end.
#pragma once

#include "engine_calls.hpp"

#include "seawall/source/write_engine.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>

namespace seawall::source {

class engine_base : public write_engine {
 public:
  engine_base(const engine_base&) = delete;
  engine_base& operator=(const engine_base&) = delete;

  result<void> flush(duration limit, const flush_progress& progress) final;
  result<void> close(duration limit) final;
  counter_set counters() const final { return counters_of(how_.name, stats()); }

 protected:
  using locked = std::unique_lock<std::mutex>;
  struct load {
    std::size_t count = 0;
    std::size_t bytes = 0;
  };

  engine_base(engine_options how, engine_hooks hooks)
      : how_(std::move(how)), calls_(how_.name, how_.on_log, std::move(hooks)) {}

  /// What the log has and the source has not. Called under the mutex.
  virtual load kept() const = 0;
  /// Says, whenever it is asked, how many of the writes that are accepted by now are still to be dealt with. Called and
  /// asked under the mutex.
  virtual std::function<std::size_t()> accepted_by_now() const = 0;
  /// Ends the threads that are not the drainer, which has ended.
  virtual void stop_others() = 0;
  /// What closing answers when not everything was applied.
  virtual result<void> close_with(const error& unfinished) = 0;

  result<void> check_size(std::size_t bytes) const;
  /// Waits for room. Whether the caller is to wait for the source.
  result<bool> admit(locked& lock, std::size_t bytes, time_point until);
  /// The backlog: what is kept, and what is on its way to the log.
  load held() const;
  bool has_room(std::size_t bytes) const;
  bool is_hurried() const noexcept { return flushes_ + waiting_ != 0; }
  void wake_drainer();
  /// For a caller that is let through: until its write is dealt with, as `done` says under the mutex. Unlocks.
  result<void> wait_for_source(locked& lock, const std::function<bool()>& done, time_point until);
  /// Gives a dead letter to the source again, if nothing later of its key waits.
  result<void> write_again(const operation_ptr& operation);
  void stop();

  const engine_options how_;
  engine_calls calls_;

  mutable std::mutex mutex_;  // guards what follows, up to the next empty line
  std::condition_variable drainer_, space_, settled_;
  load on_the_way_;                             // to the log
  bool drainer_wakes_ = false;
  std::size_t waiting_ = 0;                     // callers that wait for room or for the source
  std::size_t flushes_ = 0;
  bool closed_ = false;
  bool drainer_stops_ = false;
  bool others_stop_ = false;
  write_behind_stats stats_;

  std::mutex closing_;
  std::thread commit_thread_, drain_thread_;    // guarded by closing_
};

}  // namespace seawall::source

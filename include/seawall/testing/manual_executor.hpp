// An executor that runs its tasks when it is told to, on the thread that tells it. For tests of background refreshes.
// Thread safety: all members may be called from any thread.
#pragma once

#include "seawall/base/executor.hpp"

#include <deque>
#include <mutex>
#include <utility>

namespace seawall {

class manual_executor final : public executor {
 public:
  void post(task work) override {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(work));
  }

  /// How many tasks wait.
  std::size_t pending() const {
    const std::lock_guard lock{mutex_};
    return tasks_.size();
  }

  /// Runs the oldest task; false when there was none.
  bool run_one() {
    task work;
    {
      const std::lock_guard lock{mutex_};
      if (tasks_.empty()) return false;
      work = std::move(tasks_.front());
      tasks_.pop_front();
    }
    work();
    return true;
  }

  /// Runs tasks, those that they post included, until none waits; the number of them.
  std::size_t run_all() {
    std::size_t count = 0;
    while (run_one()) ++count;
    return count;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<task> tasks_;  // guarded by mutex_
};

}  // namespace seawall

#include "seawall/base/executor.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace seawall {
namespace {

class thread_pool final : public executor {
 public:
  explicit thread_pool(thread_pool_options options) : options_(options) {}

  ~thread_pool() override {
    std::deque<task> dropped;
    std::unique_lock lock{mutex_};
    stopping_ = true;
    dropped.swap(tasks_);
    work_.notify_all();
    lock.unlock();
    dropped.clear();  // before the wait: a running task may be waiting for one of them
    lock.lock();
    finished_.wait(lock, [this] { return threads_ == 0; });
    lock.unlock();
    join_ended();
  }

  void post(task work) override {
    task refused;  // destroyed outside the lock: its owner may post again
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
      tasks_.push_back(std::move(work));
      if (tasks_.size() <= idle_) {
        work_.notify_one();
      } else if (threads_ < options_.max_threads && !start_thread_locked() && threads_ == 0) {
        refused = std::move(tasks_.back());
        tasks_.pop_back();
      }
    }
    join_ended();
  }

 private:
  using thread_list = std::list<std::thread>;

  // False when the system has no more threads to give; those that there are then do the work.
  bool start_thread_locked() {
    const auto self = running_.emplace(running_.end());
    try {
      *self = std::thread{[this, self] { run(self); }};
    } catch (const std::system_error&) {
      running_.erase(self);
      return false;
    }
    ++threads_;
    return true;
  }

  void run(thread_list::iterator self) {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
      if (tasks_.empty()) {
        ++idle_;
        const bool woken = work_.wait_for(lock, idle_time_, [this] { return stopping_ || !tasks_.empty(); });
        --idle_;
        if (!woken) break;
        continue;
      }
      task work = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
    ended_.splice(ended_.end(), running_, self);
    --threads_;
    finished_.notify_all();
  }

  // A thread cannot join itself: those that ended are joined by whoever comes next.
  void join_ended() {
    thread_list ended;
    {
      const std::lock_guard lock{mutex_};
      ended.swap(ended_);
    }
    for (auto& thread : ended) thread.join();
  }

  const thread_pool_options options_;
  // What the condition variable can add to its clock.
  const duration idle_time_ = std::min<duration>(options_.idle_time, std::chrono::hours{24 * 365});
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable finished_;
  std::deque<task> tasks_;    // guarded by mutex_
  thread_list running_;       // guarded by mutex_
  thread_list ended_;         // guarded by mutex_
  std::size_t threads_ = 0;   // guarded by mutex_: those in run()
  std::size_t idle_ = 0;      // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
};

}  // namespace

std::shared_ptr<executor> make_thread_pool(thread_pool_options options) {
  return std::make_shared<thread_pool>(options);
}

}  // namespace seawall

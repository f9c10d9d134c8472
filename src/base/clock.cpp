#include "seawall/base/clock.hpp"
#include "seawall/base/timer_queue.hpp"

#include <dlfcn.h>
#include <time.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace seawall {
namespace {

// The kernel's function behind clock_gettime(2), which each hit of a cache with a TTL calls: the C library's way there
// is a quarter of the instructions. The C library's own where there is none, or it is hidden, as under valgrind.
using clock_function = int (*)(clockid_t, timespec*);
clock_function find_kernel_clock() noexcept {
#if defined(__x86_64__)
  constexpr const char* name = "__vdso_clock_gettime";
#else
  constexpr const char* name = "__kernel_clock_gettime";
#endif
  void* const vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);  // in every process, so it stays
  void* const found = vdso != nullptr ? dlsym(vdso, name) : nullptr;
  return found != nullptr ? reinterpret_cast<clock_function>(found) : &clock_gettime;
}

time_point read(clockid_t id) noexcept {
  timespec value;
  clock_gettime(id, &value);
  return time_point{std::chrono::seconds{value.tv_sec} + std::chrono::nanoseconds{value.tv_nsec}};
}

duration resolution(clockid_t id) noexcept {
  timespec value{};
  clock_getres(id, &value);
  return std::chrono::seconds{value.tv_sec} + std::chrono::nanoseconds{value.tv_nsec};
}

// What the timer thread and the clock share. The thread holds it too, so that a clock may be destroyed by one of its
// own callbacks: the thread is then detached and ends by itself.
struct timer_thread_state {
  std::mutex mutex;
  std::condition_variable changed;
  timer_queue timers;     // guarded by mutex
  bool stopping = false;  // guarded by mutex
  // Guarded by mutex: when the thread will look by itself. The past while it is awake, so that a timer that most loads
  // set and cancel wakes nobody.
  time_point sleeps_until = time_point::min();
};

void run_timers(const std::shared_ptr<timer_thread_state>& state) {
  std::unique_lock lock{state->mutex};
  while (!state->stopping) {
    const time_point next = state->timers.next();
    if (next == never || read(CLOCK_MONOTONIC) < next) {
      state->sleeps_until = next;
      if (next == never) state->changed.wait(lock);
      else state->changed.wait_until(lock, next);
      state->sleeps_until = time_point::min();
    } else {
      auto fn = state->timers.take_first();
      lock.unlock();
      fn();
      fn = nullptr;  // what it captured dies outside the lock
      lock.lock();
    }
  }
}

class steady_clock_source final : public clock {
 public:
  steady_clock_source() : clock(find_kernel_clock()) {}
  ~steady_clock_source() override {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock{state_->mutex};
      state_->stopping = true;
    }
    state_->changed.notify_one();
    if (thread_.get_id() == std::this_thread::get_id()) thread_.detach();
    else thread_.join();
  }

  time_point now() const noexcept override { return read(CLOCK_MONOTONIC); }
  duration coarse_lag() const noexcept override { return coarse_lag_; }

  timer_id call_at(time_point when, callback fn) override {
    const std::lock_guard lock{state_->mutex};
    if (!thread_.joinable()) thread_ = std::thread{[state = state_] { run_timers(state); }};
    const timer_id id = state_->timers.add(when, std::move(fn));
    if (when < state_->sleeps_until) {
      state_->sleeps_until = when;
      state_->changed.notify_one();
    }
    return id;
  }

  bool cancel(timer_id id) override {
    callback removed;  // destroyed after the lock is released
    const std::lock_guard lock{state_->mutex};
    removed = state_->timers.remove(id);
    return removed != nullptr;
  }

 private:
  // The coarse clock is one tick behind, unless the processor that advances it is not run by the hypervisor: after five
  // ticks of its own without an advance another one takes over (MAX_STALLED_JIFFIES in the kernel's tick-sched.c).
  const duration coarse_lag_ = 8 * resolution(CLOCK_MONOTONIC_COARSE);
  const std::shared_ptr<timer_thread_state> state_ = std::make_shared<timer_thread_state>();
  std::thread thread_;  // guarded by state_->mutex until destruction
};

}  // namespace

std::shared_ptr<clock> make_steady_clock() { return std::make_shared<steady_clock_source>(); }

}  // namespace seawall

// Where work runs that no caller waits for on its own thread: loads by a bound loader and background refreshes.
#pragma once

#include "seawall/base/clock.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace seawall {

/// Runs tasks, at some later moment, on threads of its own. Thread safety: `post` may be called from any thread.
class executor {
 public:
  using task = std::move_only_function<void()>;

  virtual ~executor() = default;

  /// Queues `work`; returns without waiting for it. `work` does not throw. A task that can no longer be run is
  /// destroyed, which its owner notices.
  virtual void post(task work) = 0;
};

/// Threads that are started when there is work for them and end when there has been none for `idle_time`.
struct thread_pool_options {
  std::size_t max_threads = 128;                 ///< 1 to 4096. Work beyond it queues.
  duration idle_time = std::chrono::seconds{10};
};

/// A pool for loaders that block. Its destructor runs no more tasks, destroys those that wait, and waits for those
/// that run.
std::shared_ptr<executor> make_thread_pool(thread_pool_options options = {});

}  // namespace seawall

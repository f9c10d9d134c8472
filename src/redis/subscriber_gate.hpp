// subscriber_gate: where a subscription's handlers are called, and stopped from any thread.
#pragma once

#include "seawall/base/log.hpp"
#include "seawall/redis/subscriber.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace seawall::redis {

/// Thread safety: `shut` may be called from any thread; the rest on the client's executor.
class subscriber_gate {
 public:
  subscriber_gate(message_handler handler, std::function<void(const gap&)> on_gap, log_hook log)
      : handlers_{std::move(handler), std::move(on_gap)}, log_(std::move(log)) {}

  /// Calls the handler, and logs what it throws. Nothing after `shut`.
  void hand_out(const message& what);
  void tell(const gap& missed);

  /// No handler runs when this returns, unless it is called by one, and none is called afterwards. Handlers are
  /// destroyed here; one that runs, when it returns.
  void shut();

 private:
  struct handlers {
    message_handler on_message;
    std::function<void(const gap&)> on_gap;
  };

  template <class Call>
  void guarded(const Call& call);

  std::mutex mutex_;                        // held while a handler runs
  std::atomic<std::thread::id> inside_{};   // whose thread
  std::atomic<bool> shut_{false};
  handlers handlers_;                       // guarded by mutex_; destroyed without it
  const log_hook log_;
};

}  // namespace seawall::redis

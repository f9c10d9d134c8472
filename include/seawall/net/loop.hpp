// loop: an Asio context with a thread, which steps aside for a caller that waits alone.
#pragma once

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <memory>
#include <thread>

namespace seawall::net {

/// Runs one io_context on one thread at a time: its own, or that of a caller in `drive`. A lone blocking caller then
/// writes and reads on its own thread, which saves two switches between threads for each call; as soon as several wait,
/// the loop's thread serves all of them.
/// Thread safety: all members may be called from any thread.
class loop {
 public:
  loop();
  /// As `stop`; handlers that have not run are destroyed, not run.
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Stops the context and waits for the thread, unless this is called on it: no handler begins after it. Idempotent.
  void stop();

  boost::asio::io_context::executor_type executor() noexcept;

  /// Whether the calling thread runs the context now: it is inside a handler.
  bool running_in_this_thread() noexcept { return executor().running_in_this_thread(); }

  /// Blocks until `done` is true, running the context meanwhile if nobody else waits. Whoever sets `done` must do it in
  /// a handler of the context and call done.notify_all().
  /// Requires: not called from a handler of the context.
  void drive(const std::atomic<bool>& done);

  /// To be called after work was posted by a thread that will not `drive`: between two lone calls nobody may be running
  /// the context.
  void nudge();

  /// The same when it is enough that the work begins: runs what is ready on this thread, if between two lone calls
  /// nobody runs the context. What comes back is left to the next lone call or, after a moment, to the loop's thread.
  void run_ready();

 private:
  struct state;

  std::shared_ptr<state> state_;
  std::thread thread_;
};

}  // namespace seawall::net

#include "seawall/net/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace seawall::net {
namespace {

// So many calls in a row must have been alone before one takes the context from the loop's thread, which costs a
// switch between threads.
constexpr int alone_enough = 8;
// How long after a lone call the loop's thread leaves the context to the next one. Meanwhile nobody hears the server.
constexpr auto grace = std::chrono::milliseconds{1};

}  // namespace

// Held by the loop, by its thread and by callers in `drive`: a handler may destroy the loop.
struct loop::state {
  void run();
  void drive(const std::atomic<bool>& done);
  void drive_alone(const std::atomic<bool>& done);
  void nudge();
  void nudge_locked();
  void run_ready();
  void stop();

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};

  std::mutex mutex;
  std::condition_variable turn;     // with mutex: who runs the context may have changed
  bool running = false;             // guarded by mutex: some thread runs the context
  bool lone = false;                // guarded by mutex: a caller has taken the context, or is about to
  bool wanted = false;              // guarded by mutex: there may be work that nobody runs
  bool stopping = false;            // guarded by mutex
  std::uint64_t lone_calls = 0;     // guarded by mutex
  std::atomic<bool> yielded{false}; // written under mutex: the loop's thread leaves the context alone
  std::atomic<int> waiting{0};      // callers in drive()
  std::atomic<int> streak{0};       // calls in a row that were alone
};

void loop::state::run() {
  std::unique_lock lock{mutex};
  while (!stopping) {
    if (running || lone || yielded.load(std::memory_order_relaxed)) {
      // A lone caller has the context, or had it just now and may come back.
      const std::uint64_t before = lone_calls;
      turn.wait_for(lock, grace, [&] { return stopping || (wanted && !lone); });
      if (!lone && (wanted || lone_calls == before)) yielded.store(false, std::memory_order_relaxed);
      continue;
    }
    wanted = false;
    running = true;
    lock.unlock();
    while (!yielded.load(std::memory_order_acquire) && context.run_one() != 0) {
    }
    lock.lock();
    running = false;
    turn.notify_all();
  }
}

void loop::state::drive(const std::atomic<bool>& done) {
  if (waiting.fetch_add(1, std::memory_order_acq_rel) != 0) {
    streak.store(0, std::memory_order_relaxed);
    nudge();
  } else if (streak.fetch_add(1, std::memory_order_relaxed) >= alone_enough) {
    drive_alone(done);
  } else {
    nudge();
  }
  done.wait(false, std::memory_order_acquire);
  waiting.fetch_sub(1, std::memory_order_acq_rel);
}

void loop::state::drive_alone(const std::atomic<bool>& done) {
  std::unique_lock lock{mutex};
  if (lone) return;
  lone = true;
  if (!yielded.exchange(true, std::memory_order_acq_rel)) boost::asio::post(context, [] {});
  turn.wait(lock, [&] { return !running || stopping; });
  if (stopping) return;
  running = true;
  wanted = false;
  lock.unlock();
  while (!done.load(std::memory_order_acquire) && context.run_one() != 0) {
  }
  lock.lock();
  running = false;
  lone = false;
  ++lone_calls;
  // Somebody else waits for an answer: the loop's thread takes over at once.
  if (waiting.load(std::memory_order_acquire) > 1) wanted = true;
  if (wanted || stopping) turn.notify_all();
}

void loop::state::nudge() {
  if (!yielded.load(std::memory_order_acquire)) return;
  const std::lock_guard lock{mutex};
  nudge_locked();
}

void loop::state::nudge_locked() {
  wanted = true;
  turn.notify_all();
}

void loop::state::run_ready() {
  if (!yielded.load(std::memory_order_acquire)) return;
  std::unique_lock lock{mutex};
  if (running || lone || wanted || stopping) return nudge_locked();  // who runs it may be about to leave
  running = lone = true;
  lock.unlock();
  context.poll();
  lock.lock();
  running = lone = false;
  // A caller that has come meanwhile found the context taken.
  if (waiting.load(std::memory_order_acquire) > 0) wanted = true;
  if (wanted || stopping) turn.notify_all();
}

void loop::state::stop() {
  const std::lock_guard lock{mutex};
  stopping = true;
  context.stop();
  turn.notify_all();
}

loop::loop() : state_(std::make_shared<state>()), thread_([held = state_] { held->run(); }) {}

loop::~loop() { stop(); }

void loop::stop() {
  if (!thread_.joinable()) return;
  state_->stop();
  if (thread_.get_id() == std::this_thread::get_id()) thread_.detach();
  else thread_.join();
}

boost::asio::io_context::executor_type loop::executor() noexcept { return state_->context.get_executor(); }

void loop::drive(const std::atomic<bool>& done) {
  if (done.load(std::memory_order_acquire)) return;
  const auto held = state_;
  held->drive(done);
}

void loop::nudge() { state_->nudge(); }

void loop::run_ready() {
  const auto held = state_;
  held->run_ready();
}

}  // namespace seawall::net

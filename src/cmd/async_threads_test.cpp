// Commands that end on a target's thread while their owner cancels them on its own.
#include "seawall/cmd/async.hpp"
#include "seawall/cmd/scripting.hpp"
#include "seawall/cmd/strings.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace seawall::cmd {
namespace {

namespace asio = boost::asio;

/// Answers in order on a thread of its own; a script is unknown at first.
class threaded_target final : public target {
 public:
  threaded_target() : worker_([this] { work(); }) {}
  ~threaded_target() override {
    {
      const std::lock_guard lock{mutex_};
      closing_ = true;
    }
    changed_.notify_one();
    worker_.join();
  }

  void submit(request& one) override { submit_all(one); }
  void submit_all(request& first) override {
    const std::lock_guard lock{mutex_};
    for (request* one = &first; one != nullptr; one = one->next) waiting_.push_back(one);
    changed_.notify_one();
  }
  void cancel(request& one) override {
    {
      const std::lock_guard lock{mutex_};
      const auto found = std::find(waiting_.begin(), waiting_.end(), &one);
      if (found == waiting_.end()) return;
      waiting_.erase(found);
    }
    const error why{seawall::errc::cancelled};
    one.on_end(&why);
  }
  void wait(const std::atomic<bool>& done) override { done.wait(false); }
  duration default_timeout() const noexcept override { return std::chrono::seconds{1}; }

 private:
  void work() {
    std::unique_lock lock{mutex_};
    while (true) {
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      request* const one = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      const bool unknown = one->bytes.find("EVALSHA") != std::string_view::npos;
      for (std::uint32_t i = 0; i < one->replies; ++i) {
        one->on_reply(i, resp::view{std::string_view{unknown ? "-NOSCRIPT\r\n" : ":1\r\n"}});
      }
      one->on_end(nullptr);
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<request*> waiting_;  // guarded by mutex_
  bool closing_ = false;          // guarded by mutex_
  std::thread worker_;
};

/// Good or cancelled.
template <class T>
bool ended_well(const result<T>& given) {
  return given ? *given == 1 : given.error() == seawall::errc::cancelled;
}

TEST(AsyncThreads, EveryOperationEndsOnceHoweverItIsCancelled) {
  constexpr int rounds = 3000;
  const script one{"return 1"};
  asio::io_context io;  // outlives the thread that posts to it
  threaded_target redis;
  int ended = 0;
  int good = 0;
  for (int round = 0; round < rounds; ++round) {
    asio::cancellation_signal signal;
    const auto bound = [&](auto handler) {
      return asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(io, std::move(handler)));
    };
    const int before = ended;
    switch (round % 3) {
      case 0:
        async_run(redis, incr("a"), bound([&](const result<std::int64_t>& given) {
          ++ended;
          good += ended_well(given);
        }));
        break;
      case 1:
        async_run(redis, eval<std::int64_t>(one, "a"), bound([&](const result<std::int64_t>& given) {
          ++ended;
          good += ended_well(given);
        }));
        break;
      default:
        async_run(redis, incr("a"), eval<std::int64_t>(one, "b"), incr("c"), bound([&](const auto& given) {
          ++ended;
          good += ended_well(std::get<0>(given)) && ended_well(std::get<1>(given)) && ended_well(std::get<2>(given));
        }));
    }
    for (int spins = round % 64; spins > 0; --spins) std::this_thread::yield();
    if (round % 2 == 0) signal.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    ASSERT_EQ(ended, before + 1);
  }
  EXPECT_EQ(good, rounds);
}

TEST(AsyncThreads, ThreadsRunCommandsTogether) {
  threaded_target redis;
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const auto [a, b] = run(redis, incr("a"), incr("b"));
        good += ended_well(a) && ended_well(b) && ended_well(run(redis, incr("c")));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
}

}  // namespace
}  // namespace seawall::cmd

#include "seawall/base/executor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <deque>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <thread>

namespace seawall {
namespace {

using namespace std::chrono_literals;

// Opened when the thread that made it ends.
struct thread_end {
  std::latch* ended;
  ~thread_end() { ended->count_down(); }
};

// A number of each thread that asks, never given twice.
int thread_number() {
  static std::atomic<int> last{0};
  thread_local const int mine = ++last;
  return mine;
}

class ThreadPool : public ::testing::Test {
 protected:
  // Runs `work` in the pool and returns when it is done.
  template <class F>
  static auto run(executor& pool, F work) {
    std::packaged_task<decltype(work())()> task{std::move(work)};
    auto answer = task.get_future();
    pool.post(std::move(task));
    return answer.get();
  }
};

TEST_F(ThreadPool, RunsEveryTaskOnThreadsOfItsOwn) {
  constexpr int count = 1'000;
  const auto pool = make_thread_pool({.max_threads = 4});
  std::latch done{count};
  std::atomic<int> on_this_thread{0};
  const auto here = std::this_thread::get_id();
  for (int i = 0; i != count; ++i) {
    pool->post([&] {
      if (std::this_thread::get_id() == here) on_this_thread.fetch_add(1);
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(on_this_thread.load(), 0);
}

TEST_F(ThreadPool, UsesAllItsThreadsAndNoMore) {
  constexpr int threads = 3;
  constexpr int count = 60;
  const auto pool = make_thread_pool({.max_threads = threads});
  std::barrier together{threads};  // passed only while three tasks run at once
  std::latch done{count};
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  for (int i = 0; i != count; ++i) {
    pool->post([&] {
      const int now = running.fetch_add(1) + 1;
      for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      together.arrive_and_wait();
      running.fetch_sub(1);
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(most.load(), threads);
}

TEST_F(ThreadPool, OneThreadRunsTasksInTheirOrder) {
  const auto pool = make_thread_pool({.max_threads = 1});
  std::vector<int> order;
  for (int i = 0; i != 100; ++i) pool->post([&order, i] { order.push_back(i); });
  run(*pool, [] {});
  for (int i = 0; i != 100; ++i) ASSERT_EQ(order.at(i), i);
}

TEST_F(ThreadPool, TasksMayPostTasks) {
  const auto pool = make_thread_pool({.max_threads = 1});
  std::promise<int> answer;
  pool->post([&] { pool->post([&] { answer.set_value(42); }); });
  EXPECT_EQ(answer.get_future().get(), 42);
}

TEST_F(ThreadPool, ATaskDiesWhenItHasRun) {
  const auto pool = make_thread_pool({.max_threads = 1});
  auto token = std::make_shared<int>();
  const std::weak_ptr<int> watched = token;
  run(*pool, [held = std::move(token)] {});
  run(*pool, [] {});  // the thread is past the first task
  EXPECT_TRUE(watched.expired());
}

TEST_F(ThreadPool, ItsDestructorWaitsForTheRunningTask) {
  auto pool = make_thread_pool();
  std::latch entered{1};
  bool finished = false;  // plain: the destructor orders the two threads
  pool->post([&] {
    entered.count_down();
    finished = true;
  });
  entered.wait();
  pool.reset();
  EXPECT_TRUE(finished);
}

TEST_F(ThreadPool, ItsDestructorDestroysTheQueueBeforeItWaitsForTheRunningTask) {
  auto pool = make_thread_pool({.max_threads = 1});
  std::promise<void> queue_is_gone;
  auto gone = queue_is_gone.get_future();
  std::latch entered{1};
  std::atomic<int> late{0};
  bool in_order = false;
  // Set when the last queued task dies. The running task waits for that as a load does that joined a queued one.
  const auto signals = [&](int*) { queue_is_gone.set_value(); };
  pool->post([&] {
    entered.count_down();
    in_order = gone.wait_for(2s) == std::future_status::ready;
  });
  entered.wait();
  {
    const std::shared_ptr<int> token{new int, [&](int* held) { delete held, signals(held); }};
    for (int i = 0; i != 5; ++i) pool->post([&late, token] { late.fetch_add(1); });
  }
  pool.reset();
  EXPECT_EQ(late.load(), 0) << "what was queued does not run any more";
  EXPECT_EQ(gone.wait_for(0s), std::future_status::ready) << "it is destroyed";
  EXPECT_TRUE(in_order);
}

TEST_F(ThreadPool, AnIdleThreadEndsAndAnotherIsStartedForTheNextTask) {
  std::deque<std::latch> ends;
  const auto pool = make_thread_pool({.max_threads = 1, .idle_time = 1ns});
  std::set<int> numbers;
  for (int i = 0; i != 5; ++i) {
    std::latch& ended = ends.emplace_back(1);
    pool->post([&] {
      thread_local thread_end signal{&ended};
      (void)signal;
      numbers.insert(thread_number());
    });
    ended.wait();
  }
  EXPECT_EQ(numbers.size(), 5u);
}

TEST_F(ThreadPool, AnIdleThreadIsUsedAgain) {
  for (const duration idle : {duration{1h}, forever}) {
    const auto pool = make_thread_pool({.max_threads = 1, .idle_time = idle});
    std::set<int> numbers;
    for (int i = 0; i != 200; ++i) numbers.insert(run(*pool, [] { return thread_number(); }));
    EXPECT_EQ(numbers.size(), 1u) << "idle_time " << idle.count() << " ns";
  }
}

TEST_F(ThreadPool, ManyThreadsPostWhileThreadsComeAndGo) {
  constexpr int posters = 4;
  constexpr int each = 2'000;
  const auto pool = make_thread_pool({.max_threads = 3, .idle_time = 1us});
  std::latch done{posters * each};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t != posters; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i != each; ++i) pool->post([&] { done.count_down(); });
      });
    }
  }
  done.wait();
}

TEST_F(ThreadPool, WithoutTasksItDiesAtOnce) {
  make_thread_pool();
  SUCCEED();
}

}  // namespace
}  // namespace seawall

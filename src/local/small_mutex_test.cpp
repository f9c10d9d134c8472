#include "seawall/local/small_mutex.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace seawall::local {
namespace {

static_assert(sizeof(small_mutex) == 4);

TEST(SmallMutex, IsHeldUntilItIsUnlocked) {
  small_mutex mutex;
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  mutex.lock();
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST(SmallMutex, LetsOneInAtATime) {
  constexpr int rounds = 5'000;
  small_mutex mutex;
  int sum = 0;  // guarded by mutex
  std::vector<std::thread> threads;
  for (int i = 0; i != 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round != rounds; ++round) {
        if (i % 2 == 0 || !mutex.try_lock()) mutex.lock();
        const std::lock_guard lock{mutex, std::adopt_lock};
        const int before = sum;
        if (round % 64 == 0) std::this_thread::yield();  // somebody waits
        sum = before + 1;
      }
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(sum, 4 * rounds);
}

// Whoever sleeps is woken: one after another they all come through.
TEST(SmallMutex, WakesAllSleepersInTheEnd) {
  for (int round = 0; round != 50; ++round) {
    small_mutex mutex;
    std::atomic<int> through{0};
    std::vector<std::thread> threads;
    mutex.lock();
    for (int i = 0; i != 6; ++i) {
      threads.emplace_back([&] {
        const std::lock_guard lock{mutex};
        std::this_thread::yield();
        ++through;
      });
    }
    for (int i = 0; i != 20; ++i) std::this_thread::yield();
    EXPECT_EQ(through, 0);
    mutex.unlock();
    for (auto& one : threads) one.join();  // hangs when a wake-up is lost
    EXPECT_EQ(through, 6);
  }
}

}  // namespace
}  // namespace seawall::local

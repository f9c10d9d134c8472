// Who runs a loop's context.
#include "seawall/net/loop.hpp"

#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace seawall::net {
namespace {

// As a blocking call: something is posted, and waited for.
void call(loop& of) {
  std::atomic<bool> done{false};
  boost::asio::post(of.executor(), [&done] {
    done.store(true);
    done.notify_all();
  });
  of.drive(done);
}

// After so many in a row a caller runs the context itself.
void become_alone(loop& of) {
  for (int i = 0; i != 16; ++i) call(of);
}

// Posts something that nobody waits for, tells the loop by `tell`, and answers whether it ran on this thread.
template <class Tell>
bool runs_here(loop& of, const Tell& tell) {
  std::atomic<bool> ran{false};
  bool here = false;
  boost::asio::post(of.executor(), [&, self = std::this_thread::get_id()] {
    here = std::this_thread::get_id() == self;
    ran.store(true);
    ran.notify_all();
  });
  tell();
  ran.wait(false);
  return here;
}

// The loop's thread takes the context back after a moment, so a thread that is held up may come too late.
template <class Tell>
bool ever_runs_here(loop& of, const Tell& tell) {
  for (int i = 0; i != 1000; ++i) {
    become_alone(of);
    if (runs_here(of, tell)) return true;
  }
  return false;
}

TEST(Loop, WhoWasAloneJustNowRunsWhatIsReady) {
  loop one;
  EXPECT_TRUE(ever_runs_here(one, [&] { one.run_ready(); }));
}

TEST(Loop, ItsThreadRunsWhatItIsNudgedFor) {
  loop one;
  EXPECT_FALSE(runs_here(one, [&] { one.nudge(); }));
  for (int i = 0; i != 100; ++i) {  // on a busy machine nobody may be alone
    become_alone(one);
    ASSERT_FALSE(runs_here(one, [&] { one.nudge(); }));
  }
}

TEST(Loop, ItsThreadGoesOnAfterWhatWasReadyHasRun) {
  loop one;
  become_alone(one);
  one.run_ready();
  std::atomic<bool> ran{false};
  boost::asio::post(one.executor(), [&] {
    ran.store(true);
    ran.notify_all();
  });
  ran.wait(false);  // nobody says so
}

TEST(Loop, NothingIsLostBetweenThoseWhoRunIt) {
  loop one;
  std::atomic<int> ran{0};
  constexpr int rounds = 2000;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t != 2; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i != rounds; ++i) {
          call(one);
          if (i % 16 < 8) continue;
          boost::asio::post(one.executor(), [&] { ran.fetch_add(1); });
          one.run_ready();
        }
      });
    }
  }
  call(one);
  EXPECT_EQ(ran.load(), rounds);
}

}  // namespace
}  // namespace seawall::net

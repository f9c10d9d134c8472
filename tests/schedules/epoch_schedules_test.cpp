// Epochs alone: nothing is freed that a reader may hold, with threads that own a line and with those that share
// counters.
#include "scheduler.hpp"

#include "seawall/local/epoch.hpp"
#include "seawall/local/small_mutex.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

namespace seawall::schedules {
namespace {

using local::epoch_domain;
using local::schedule_point;

struct node {
  bool freed = false;
};

// A place for one node: writers put the next one there, and free the old ones as soon as the epochs allow.
class place {
 public:
  explicit place(std::uint32_t owners) : epochs_(owners) {
    current_ = &nodes_[0];
    const epoch_domain::guard first{epochs_};  // the test's own thread takes a line
  }

  void read(int looks) {
    const epoch_domain::quick_guard quick{epochs_};
    if (quick) return look(looks);
    const epoch_domain::guard guard{epochs_};
    look(looks);
  }
  void look(int looks) {
    const node* const seen = current_.load(std::memory_order_acquire);
    {
      const epoch_domain::guard nested{epochs_};
      schedule_point();
    }
    for (int i = 0; i != looks; ++i) {
      EXPECT_FALSE(seen->freed) << "freed while it was read";
      schedule_point();
    }
  }
  void write() {
    node* const old = current_.exchange(&nodes_[++used_], std::memory_order_acq_rel);
    schedule_point();
    const std::uint64_t epoch = epochs_.current();
    schedule_point();
    const std::lock_guard lock{mutex_};
    retired_.push_back({old, epoch});
  }
  void reclaim() {
    const std::uint64_t bound = epochs_.advance();
    schedule_point();
    const std::lock_guard lock{mutex_};
    std::erase_if(retired_, [&](const auto& one) {
      if (one.second >= bound) return false;
      one.first->freed = true;
      return true;
    });
  }
  std::size_t waiting() const { return retired_.size(); }

 private:
  epoch_domain epochs_;
  std::array<node, 64> nodes_{};
  int used_ = 0;
  std::atomic<node*> current_;
  local::small_mutex mutex_;
  std::vector<std::pair<node*, std::uint64_t>> retired_;
};

TEST(EpochSchedules, NothingIsFreedUnderAReader) {
  for (const std::uint32_t owners : {1, 2, 8, 64}) {  // 1: the test's own thread has the line; 64: quick guards
    for_seeds(800, [owners](scheduler& by, std::uint64_t) {
      place here(owners);
      by.run({
          [&] { for (int i = 0; i != 4; ++i) here.read(6); },
          [&] {
            for (int i = 0; i != 5; ++i) {
              here.write();
              if (i % 2 == 0) here.reclaim();
            }
          },
          [&] {
            here.read(3);
            for (int i = 0; i != 4; ++i) here.reclaim();
          },
      });
      for (int i = 0; i != 3; ++i) here.reclaim();
      EXPECT_EQ(here.waiting(), 0u) << "everything is freed in the end";
    });
  }
}

// One reader, who may be held up at any step of pinning while two epochs go by.
TEST(EpochSchedules, AReaderWhoPinsSlowlyIsNotOverlooked) {
  for_seeds(5'000, [](scheduler& by, std::uint64_t) {
    place here(1);
    by.run({[&] { here.read(25); }, [&] { here.write(); }, [&] { for (int i = 0; i != 3; ++i) here.reclaim(); }});
  });
}

}  // namespace
}  // namespace seawall::schedules

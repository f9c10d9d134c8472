// Thousands of short histories of a few keys, while the table grows: each must be linearizable. SEAWALL_SEED repeats
// the choices of a run.
#include "checker.hpp"

#include "seawall/base/random.hpp"
#include "seawall/local_cache.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

namespace seawall::linearizability {
namespace {

// Lets other threads run while it is compared, between the steps that must not come apart.
struct slow_key {
  int id;
  friend bool operator==(const slow_key& a, const slow_key& b) {
    thread_local random_source chance{7};
    if (chance.next() % 8 == 0) std::this_thread::yield();
    return a.id == b.id;
  }
  friend std::size_t hash_value(const slow_key& key) { return static_cast<std::size_t>(key.id); }
};

constexpr int hot_keys = 3;
constexpr int actors = 3;  // and one who puts other keys
constexpr int steps = 12;

class experiment {
 public:
  using cache_type = local_cache<slow_key, int>;

  experiment(std::size_t capacity, std::uint64_t seed, bool vanishes)
      : capacity_(capacity), seed_(seed), vanishes_(vanishes) {}

  void run(int rounds) {
    std::barrier together(actors + 1, [this, round = 0]() mutable noexcept {
      if (round++ % 2 == 0) prepare();
      else judge();
    });
    std::vector<std::thread> threads;
    for (int actor = 0; actor != actors + 1; ++actor) {
      threads.emplace_back([&, actor] {
        random_source random(seed_ * 16 + static_cast<std::uint64_t>(actor));
        for (int round = 0; round != rounds; ++round) {
          together.arrive_and_wait();
          if (actor == actors) disturb(random);
          else act(actor, random);
          together.arrive_and_wait();
        }
      });
    }
    for (auto& one : threads) one.join();
    EXPECT_GT(overlapping_, 0u) << "the threads never met";
  }

 private:
  using histories = std::array<std::vector<operation>, hot_keys>;

  void prepare() {
    cache_ = std::make_unique<cache_type>(
        cache_type::options{.capacity = capacity_, .policy = eviction_policy::fifo, .seed = seed_});
    for (auto& one : seen_) one = {};
  }
  void judge() {
    for (int key = 0; key != hot_keys; ++key) {
      std::vector<operation> history;
      for (const histories& of : seen_) history.insert(history.end(), of[key].begin(), of[key].end());
      for (const operation& a : history) {
        for (const operation& b : history) overlapping_ += a.begin < b.begin && b.begin < a.end ? 1 : 0;
      }
      if (!failed_ && !linearizable(history, vanishes_)) {
        failed_ = true;
        ADD_FAILURE() << "key " << key << ", SEAWALL_SEED=" << seed_ << "\n" << describe(history);
      }
    }
    try {
      cache_->machinery().check();
    } catch (const std::exception& wrong) {
      ADD_FAILURE() << wrong.what();
    }
  }

  void act(int actor, random_source& random) {
    cache_type& cache = *cache_;
    for (int step = 1; step != steps + 1; ++step) {
      const slow_key key{static_cast<int>(random.next() % hot_keys)};
      operation one{.what = static_cast<kind>(random.next() % 6), .value = (actor + 1) * 100 + step};
      if (random.next() % 3 == 0) one.what = kind::get;
      if (one.what == kind::replace_if_equal) one.expected = cache.get(key).value_or(1);
      one.begin = clock_.fetch_add(1);
      switch (one.what) {
        case kind::get: one.value = cache.get(key).value_or(0); break;
        case kind::put: one.done = cache.put(key, one.value) == put_result::replaced; break;
        case kind::put_if_absent: one.done = cache.put_if_absent(key, one.value); break;
        case kind::replace_if_equal: one.done = cache.replace_if_equal(key, one.expected, one.value); break;
        case kind::remove: one.done = cache.remove(key); break;
        case kind::compute: {
          const bool removes = random.next() % 3 == 0;
          cache.compute(key, [&](const int* now) {
            one.expected = now == nullptr ? 0 : *now;
            return removes ? std::nullopt : std::optional(one.value);
          });
          if (removes) one.value = 0;
        }
      }
      one.end = clock_.fetch_add(1);
      seen_[actor][key.id].push_back(one);
    }
  }
  void disturb(random_source& random) {
    for (int i = 0; i != 60; ++i) cache_->put(slow_key{1'000 + static_cast<int>(random.next() % 500)}, i);
  }

  const std::size_t capacity_;
  const std::uint64_t seed_;
  const bool vanishes_;
  std::unique_ptr<cache_type> cache_;
  std::array<histories, actors> seen_;
  std::atomic<std::uint64_t> clock_{1};  // sequentially consistent: it carries the real-time order
  std::uint64_t overlapping_ = 0;
  bool failed_ = false;
};

std::uint64_t seed() {
  const char* const given = std::getenv("SEAWALL_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 1;
}

TEST(Linearizability, WhileTheTableGrows) { experiment(100'000, seed(), false).run(1'500); }
TEST(Linearizability, WithLanesOfOneChange) { experiment(1'000, seed(), false).run(1'500); }
TEST(Linearizability, WhileEntriesAreEvicted) { experiment(5, seed(), true).run(1'500); }

}  // namespace
}  // namespace seawall::linearizability

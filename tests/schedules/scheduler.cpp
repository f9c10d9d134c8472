#include "scheduler.hpp"

#include "seawall/local/schedule_point.hpp"

#include <gtest/gtest.h>

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace seawall::schedules {
namespace {

// One thread runs at a time, so they are fastest on one processor.
class on_one_processor {
 public:
  on_one_processor() {
    pthread_getaffinity_np(pthread_self(), sizeof before_, &before_);
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    pthread_setaffinity_np(pthread_self(), sizeof here, &here);  // threads that start from here inherit it
  }
  ~on_one_processor() { pthread_setaffinity_np(pthread_self(), sizeof before_, &before_); }
  on_one_processor(const on_one_processor&) = delete;
  on_one_processor& operator=(const on_one_processor&) = delete;

 private:
  cpu_set_t before_;
};

constexpr std::size_t nobody = ~std::size_t{0};
constexpr std::uint64_t most_steps = 200'000;  // then it hangs
constexpr std::uint64_t patience = 200;        // points in a row: it may be spinning for a lock

thread_local scheduler* mine = nullptr;
thread_local std::size_t me = nobody;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  return std::getenv(name) ? std::strtoull(std::getenv(name), nullptr, 10) : otherwise;
}

}  // namespace

scheduler::scheduler(std::uint64_t seed)
    : seed_(seed), random_(seed), by_priority_(seed % 2 == 0), period_(std::uint64_t{1} << random_.next() % 6) {
  for (std::uint64_t i = random_.next() % 6; i != 0; --i) {
    const std::uint64_t within = 16U << random_.next() % 7;
    changes_.push_back(random_.next() % within);
  }
}

void scheduler::run(const std::vector<std::function<void()>>& bodies) {
  for (std::size_t i = 0; i != bodies.size(); ++i) {
    workers_.emplace_back(std::make_unique<worker>())->priority = 10'000 + random_.next() % 10'000;
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i != bodies.size(); ++i) {
    threads.emplace_back([&, i] {
      mine = this;
      me = i;
      workers_[i]->turn.acquire();
      bodies[i]();
      workers_[i]->running = false;
      const std::size_t next = choose(i);
      mine = nullptr;  // what a thread does at its end is not scheduled
      if (next != nobody) workers_[next]->turn.release();
    });
  }
  workers_[random_.next() % workers_.size()]->turn.release();
  for (auto& one : threads) one.join();
  workers_.clear();
}

void scheduler::lower(std::size_t which) noexcept {
  workers_[which]->priority = --lowest_;
  if (lowest_ == 1) lowest_ = 1'000;
}

std::size_t scheduler::choose(std::size_t from) {
  std::vector<std::size_t> alive;
  for (std::size_t i = 0; i != workers_.size(); ++i) {
    if (workers_[i]->running) alive.push_back(i);
  }
  if (alive.empty()) return nobody;
  if (!by_priority_) {
    if (workers_[from]->running && random_.next() % period_ != 0) return from;
    return alive[random_.next() % alive.size()];
  }
  if (workers_[from]->running && (streak_ > patience || std::ranges::find(changes_, steps_) != changes_.end())) {
    streak_ = 0;
    lower(from);
  }
  return *std::ranges::max_element(alive, {}, [&](std::size_t i) { return workers_[i]->priority; });
}

void scheduler::point(std::size_t from) noexcept {
  if (++steps_ > most_steps) {
    const auto seed = static_cast<unsigned long long>(seed_);
    std::fprintf(stderr, "SEAWALL_SEED=%llu: the threads wait for each other\n", seed);
    std::abort();
  }
  ++streak_;
  const std::size_t next = choose(from);
  if (next == from) return;
  streak_ = 0;
  workers_[next]->turn.release();
  workers_[from]->turn.acquire();
}

void for_seeds(std::uint64_t seeds, const std::function<void(scheduler&, std::uint64_t)>& scenario) {
  const on_one_processor here;
  const std::uint64_t only = from_environment("SEAWALL_SEED", 0);
  const std::uint64_t last = only != 0 ? only : from_environment("SEAWALL_SCHEDULES", seeds);
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= last && !::testing::Test::HasFailure(); ++seed) {
    scheduler one(seed);
    try {
      scenario(one, seed);
    } catch (const std::exception& wrong) {
      ADD_FAILURE() << wrong.what();
    }
    if (::testing::Test::HasFailure()) ADD_FAILURE() << "this was SEAWALL_SEED=" << seed;
  }
}

}  // namespace seawall::schedules

namespace seawall::local {

void schedule_point() noexcept {
  if (schedules::mine != nullptr) schedules::mine->point(schedules::me);
}

}  // namespace seawall::local

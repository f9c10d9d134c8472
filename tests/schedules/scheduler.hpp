// Runs threads one at a time and decides by a seed which of them goes on at each schedule_point of the engine, so that
// an interleaving can be repeated. Half of the seeds switch at random, the others by priorities that change at a few
// random points (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs", 2010).
#pragma once

#include "seawall/base/random.hpp"

#include <semaphore.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace seawall::schedules {

class scheduler {
 public:
  explicit scheduler(std::uint64_t seed);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  /// Runs the functions, each on a thread of its own, to their ends. They must block nowhere but in a small_mutex.
  void run(const std::vector<std::function<void()>>& bodies);
  /// By a thread of `run`: others may go on first.
  void point(std::size_t me) noexcept;

 private:
  // std::binary_semaphore spins before it sleeps, which costs several times as much here.
  class baton {
   public:
    baton() { sem_init(&handle_, 0, 0); }
    ~baton() { sem_destroy(&handle_); }
    void release() noexcept { sem_post(&handle_); }
    void acquire() noexcept {
      while (sem_wait(&handle_) != 0) {}
    }

   private:
    sem_t handle_;
  };
  struct worker {
    baton turn;
    std::uint64_t priority = 0;
    bool running = true;
  };

  std::size_t choose(std::size_t me);
  void lower(std::size_t which) noexcept;

  std::uint64_t seed_;
  random_source random_;
  bool by_priority_;
  std::uint64_t period_;            // a random switch at every so many points
  std::uint64_t steps_ = 0;
  std::uint64_t streak_ = 0;        // points that the running thread has passed since it went on
  std::uint64_t lowest_ = 1'000;    // the next priority to give to a thread that is put behind the others
  std::vector<std::uint64_t> changes_;  // steps after which the running thread is put behind the others
  std::vector<std::unique_ptr<worker>> workers_;
};

/// Plays `scenario(scheduler&, seed)` with SEAWALL_SCHEDULES seeds (or `seeds`), or with SEAWALL_SEED only; ends at the
/// first seed with which the test has failed, and names it.
void for_seeds(std::uint64_t seeds, const std::function<void(scheduler&, std::uint64_t)>& scenario);

}  // namespace seawall::schedules

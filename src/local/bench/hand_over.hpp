// How far apart two processors are: what a cache line takes from one to the other. On a virtual machine it changes
// while a benchmark runs, whenever the host moves a processor, and with it what two threads that write can do.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

namespace seawall::bench {

/// One way, in nanoseconds, by two threads that pass a number to each other. The best of some hundred stretches, since
/// on a busy machine one of them often waits for a processor.
inline double hand_over_ns() {
  using time = std::chrono::steady_clock;
  constexpr int stretch = 200;
  constexpr int passes = 300 * stretch;
  alignas(128) std::atomic<int> number{0};
  const auto take_turn = [&number](int turn) {
    while (number.load(std::memory_order_acquire) != turn) {
    }
    number.store(turn + 1, std::memory_order_release);
  };
  const std::jthread other([&] {
    for (int turn = 1; turn < passes; turn += 2) take_turn(turn);
  });
  double best = std::numeric_limits<double>::max();
  time::time_point begin = time::now();
  for (int turn = 0; turn < passes; turn += 2) {
    take_turn(turn);
    if (turn % stretch != 0) continue;
    const time::time_point now = time::now();
    if (turn != 0) best = std::min(best, std::chrono::duration<double, std::nano>(now - begin).count() / stretch);
    begin = now;
  }
  return best;
}

}  // namespace seawall::bench

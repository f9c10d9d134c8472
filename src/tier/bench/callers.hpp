// Callers of a subject, one thread or many coroutines, each of which asks for the next key when it has its answer.
#pragma once

#include "subjects.hpp"

#include <seawall_bench/harness.hpp>
#include <seawall_bench/latencies.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <chrono>
#include <cstdint>
#include <exception>

namespace seawall::bench {

/// Keys that are asked for once each, [next, last).
struct key_range {
  std::uint64_t next = 0;
  std::uint64_t last = 0;
};

struct measured {
  latencies times{};
  std::uint64_t ops = 0;
  std::uint64_t wrong = 0;
  double seconds = 0;
  double cpu = 0;  ///< Seconds of this process, those of the threads of its clients included.
};

inline double process_cpu() { return cpu_seconds(CLOCK_PROCESS_CPUTIME_ID); }

/// Of one thread that blocks, for `seconds` or until the keys are used up.
template <class Subject>
measured ask_one_by_one(Subject& subject, key_range keys, double seconds) {
  measured sum{.cpu = -process_cpu()};
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  auto now = begin;
  for (; keys.next != keys.last && now < end; ++keys.next, ++sum.ops) {
    if (!subject.ask(keys.next)) ++sum.wrong;
    const auto after = std::chrono::steady_clock::now();
    sum.times.add(after - now);
    now = after;
  }
  sum.cpu += process_cpu();
  sum.seconds = std::chrono::duration<double>(now - begin).count();
  return sum;
}

/// Of coroutines on `context`, which this thread runs; as above.
template <class Subject>
measured ask_at_once(Subject& subject, asio::io_context& context, int callers, key_range keys, double seconds) {
  measured sum{.cpu = -process_cpu()};
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  const auto call = [&]() -> asio::awaitable<void> {
    auto now = std::chrono::steady_clock::now();
    while (keys.next != keys.last && now < end) {
      const bool good = co_await subject.async_ask(keys.next++);
      if (!good) ++sum.wrong;
      ++sum.ops;
      const auto after = std::chrono::steady_clock::now();
      sum.times.add(after - now);
      now = after;
    }
  };
  int left = callers;
  std::exception_ptr failed;
  for (int i = 0; i != callers; ++i) {
    asio::co_spawn(context, call, [&](const std::exception_ptr& thrown) {
      if (thrown) failed = thrown;
      --left;
    });
  }
  context.restart();
  const auto work = asio::make_work_guard(context);  // of what another thread brings back
  while (left != 0) context.run_one();
  sum.cpu += process_cpu();
  sum.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (failed) std::rethrow_exception(failed);
  return sum;
}

}  // namespace seawall::bench

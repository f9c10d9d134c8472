// What ./dev bench redis measures of every client: the cases, the figures, the interface, and the callers of those
// that are called from threads of this process.
#pragma once

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>
#include <seawall_bench/latencies.hpp>

#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

namespace seawall::bench {

/// What one call does. get: one GET. pipeline: SETs of a whole batch at once. single: the same SETs, one by one.
enum class call_kind { get, pipeline, single };

struct redis_case {
  const char* name;
  call_kind kind;
  int callers;  ///< At the same time; each begins its next call when it has the reply of the one before.
};

inline constexpr std::array<redis_case, 4> redis_cases{{
    {"get64 callers64", call_kind::get, 64},
    {"get64 callers1", call_kind::get, 1},
    {"single100", call_kind::single, 1},
    {"pipeline100", call_kind::pipeline, 1},
}};

inline constexpr int key_count = 10'000;      // that the server holds before the first measurement
inline constexpr int batch = 100;             // SETs of a call
inline constexpr std::size_t value_size = 64;

inline std::string key_name(int index) { return fmt::format("key:{:06}", index); }
inline std::string value_text() { return std::string(value_size, 'v'); }

/// The key that a caller asks for in its call number `call`. redis_peer.mjs does the same.
inline std::size_t key_index(int caller, std::uint64_t call) {
  return static_cast<std::size_t>((static_cast<std::uint64_t>(caller) * 157 + call * 13) % key_count);
}

/// One measurement. Operations are commands whose replies came and were checked. Latencies are of calls: of one GET, or
/// of all SETs of a batch.
struct measured {
  double ops = 0;
  double ops_per_s = 0;
  double client_cpu_s = 0;  ///< User and system time of the client's process meanwhile.
  double p50_us = 0;
  double p99_us = 0;
};

/// A client, connected. Thread safety: none; the benchmark measures one subject at a time.
class subject {
 public:
  subject() = default;
  virtual ~subject() = default;
  subject(const subject&) = delete;
  subject& operator=(const subject&) = delete;

  virtual std::string name() const = 0;
  /// Throws std::exception, with the client's name and the cause, when a reply is wrong or does not come.
  virtual measured measure(const redis_case& which, double seconds) = 0;
};

/// Of so many GETs of a caller one is timed: by every client, so that the clock costs all of them the same.
inline constexpr std::uint64_t timed_get = 8;

/// Runs `call(caller, number)` in a loop in as many threads as the case has callers. The first exception of a call is
/// thrown when all threads have ended.
template <class Call>
measured measure_threads(const redis_case& which, double seconds, Call&& call) {
  const bool gets = which.kind == call_kind::get;
  const std::uint64_t timed = gets ? timed_get : 1;
  std::vector<latencies> times(static_cast<std::size_t>(which.callers));
  double cpu_begin = 0;
  std::mutex failing;
  std::exception_ptr failed;
  const auto threads = run_threads(which.callers, seconds, [&](int caller, const std::atomic<bool>& stop) {
    if (caller == 0) cpu_begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    std::uint64_t number = 0;
    try {
      for (; !stop.load(std::memory_order_relaxed); ++number) {
        if (number % timed != 0) {
          call(caller, number);
          continue;
        }
        const auto begin = std::chrono::steady_clock::now();
        call(caller, number);
        times[static_cast<std::size_t>(caller)].add(std::chrono::steady_clock::now() - begin);
      }
    } catch (...) {
      const std::scoped_lock held(failing);
      failed = std::current_exception();
    }
    return number * (gets ? 1 : batch);
  });
  measured sum{.client_cpu_s = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin};
  if (failed) std::rethrow_exception(failed);
  for (std::size_t i = 0; i != threads.size(); ++i) {
    sum.ops += static_cast<double>(threads[i].ops);
    sum.ops_per_s += static_cast<double>(threads[i].ops) / threads[i].wall;
    if (i != 0) times[0].add(times[i]);
  }
  sum.p50_us = times[0].microseconds(0.50);
  sum.p99_us = times[0].microseconds(0.99);
  return sum;
}

}  // namespace seawall::bench

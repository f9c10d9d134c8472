// Replays a trace through a seawall::local_cache: get, and put on a miss. The engine is the real one, with all its
// locks and buffers; nothing is simulated.
#pragma once

#include "seawall/local_cache.hpp"
#include "traces.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::bench {

/// Runs `work(0)` to `work(count - 1)` on up to `threads` threads; the first exception comes out when all have ended.
template <class F>
void in_parallel(std::size_t count, int threads, F&& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failed;  // guarded by mutex
  std::mutex mutex;
  const auto run = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;
      const std::lock_guard lock{mutex};
      if (!failed) failed = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(run);
    run();
  }
  if (failed) std::rethrow_exception(failed);
}

/// Requests `first`, `first + step`, ... of a trace, as one thread sends them; answers the share that hit.
template <class Request>
double replay_in_strides(std::size_t requests, int threads, std::uint64_t total, const Request& request) {
  std::vector<std::uint64_t> hits(static_cast<std::size_t>(threads), 0);
  in_parallel(hits.size(), threads, [&](std::size_t index) {
    std::uint64_t sum = 0;
    for (std::size_t i = index; i < requests; i += hits.size()) sum += request(i);
    hits[index] = sum;
  });
  const std::uint64_t hit = std::accumulate(hits.begin(), hits.end(), std::uint64_t{0});
  return 100.0 * static_cast<double>(hit) / static_cast<double>(std::max<std::uint64_t>(total, 1));
}

/// Percent of the requests that hit.
inline double hit_percent(const trace& played, std::size_t capacity, eviction_policy policy, int threads) {
  using counted_cache = local_cache<std::uint64_t, std::uint64_t>;
  counted_cache cache{{.name = "replay", .capacity = capacity, .policy = policy, .seed = 1}};
  return replay_in_strides(played.keys.size(), threads, played.keys.size(), [&](std::size_t i) -> std::uint64_t {
    const std::uint64_t key = played.keys[i];
    std::uint64_t value = 0;
    if (cache.get(key, value)) return 1;
    cache.put(key, key);
    return 0;
  });
}

/// Percent of the bytes asked for that hit; the capacity is in bytes, and an object weighs what it is long.
inline double byte_hit_percent(const trace& played, std::size_t bytes, eviction_policy policy, int threads) {
  using sized_cache = local_cache<std::uint64_t, std::uint32_t>;
  sized_cache cache{{.name = "replay",
                     .capacity = std::max<std::size_t>(played.distinct, 1),
                     .max_weight = bytes,
                     .policy = policy,
                     .weigher = [](const std::uint64_t&, const std::uint32_t& size) { return std::size_t{size}; },
                     .seed = 1}};
  const auto size_of = [&](std::size_t i) { return std::max(played.sizes[i], 1U); };  // 0 would pin it
  std::uint64_t total = 0;
  for (std::size_t i = 0; i != played.keys.size(); ++i) total += size_of(i);
  return replay_in_strides(played.keys.size(), threads, total, [&](std::size_t i) -> std::uint64_t {
    std::uint32_t value = 0;
    if (cache.get(played.keys[i], value)) return size_of(i);
    cache.put(played.keys[i], size_of(i));
    return 0;
  });
}

/// The bytes of all distinct objects, each at its largest.
inline std::uint64_t footprint(const trace& played) {
  std::vector<std::uint32_t> largest(played.distinct, 1);
  for (std::size_t i = 0; i != played.keys.size(); ++i) {
    largest[played.ids[i]] = std::max(largest[played.ids[i]], played.sizes[i]);
  }
  return std::accumulate(largest.begin(), largest.end(), std::uint64_t{0});
}

}  // namespace seawall::bench

// Chooses the window of adaptive policies: six shadow caches, each with a window of its own, see the accesses to a
// sample of the keys, and the window whose shadow lately had the most hits is the one to use. The shadows are small
// copies of the cache (Waldspurger et al., "Cache Modeling and Optimization using Miniature Simulations", USENIX ATC
// 2017): with 16 to 1024 entries, they see the share of the keys that their size is of the capacity. They hold headers
// only. One tuner serves all shards of a cache. Memory: less than 500 KiB, and of small caches less than 150 KiB.
// Thread safety: samples() may be called from any thread at any time; the rest needs a lock around it.
#pragma once

#include "seawall/eviction/adaptive.hpp"
#include "seawall/eviction/arena.hpp"
#include "seawall/eviction/frequency_sketch.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace seawall::eviction {

class window_tuner {
 public:
  static constexpr std::array<double, 6> windows{0.01, 0.05, 0.15, 0.35, 0.6, 0.9};

  /// For a cache of `capacity` entries. May throw std::bad_alloc, as record() and resize() may.
  window_tuner(std::size_t capacity, std::uint64_t seed);
  ~window_tuner();
  window_tuner(const window_tuner&) = delete;
  window_tuner& operator=(const window_tuner&) = delete;

  /// Whether accesses to the key with this header hash are to be recorded.
  bool samples(std::uint32_t hash) const noexcept { return place(hash) < sampled(); }
  /// Where a key stands among all, in [0, 2^32); those below `sampled()` are sampled, which changes with the capacity.
  static constexpr std::uint32_t place(std::uint32_t hash) noexcept { return hash * 0x9e3779b1U; }
  std::uint64_t sampled() const noexcept { return sampled_.load(std::memory_order_relaxed); }
  /// An access, hit or insertion, to a key that is sampled. True: window() changed.
  bool record(std::uint32_t hash);
  /// What to give to policy::set_window.
  double window() const noexcept { return windows[current_]; }

  /// The cache has another capacity: the shadows keep what they learned unless their size changes.
  void resize(std::size_t capacity);

  /// Bytes, about.
  std::size_t bytes() const noexcept;

 private:
  class shadow;

  void build(std::size_t entries);
  bool end_epoch() noexcept;

  std::uint64_t seed_;
  std::atomic<std::uint64_t> sampled_{0};
  std::size_t shadow_entries_ = 0;
  arena headers_;
  std::unique_ptr<frequency_sketch> sketch_;  // one for all shadows, which count nothing themselves
  std::vector<std::unique_ptr<shadow>> shadows_;
  std::size_t current_ = 0;
  std::uint64_t epoch_accesses_ = 0;
  double accesses_ = 0;  // decayed, as the scores of the shadows
};

}  // namespace seawall::eviction

// cache_recorder: what a cache counts into while it works.
//
// Key classes: counters are kept per class of keys ("user", "session") that the cache's options name. The recorder adds
// a last class "other", and every index beyond the named ones counts there; with it there are at most `max_classes`.
// Without names there is one class, "all".
//
// Thread safety: count(), sample_lookup() and the histograms may be used by any threads at the same time, without locks
// and without allocation; fill() too. Consistency is that of counter_block and histogram.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "seawall/metrics/cache_stats.hpp"
#include "seawall/metrics/counter.hpp"
#include "seawall/metrics/histogram.hpp"

namespace seawall {

namespace detail {

/// Of the sampling of lookups: how many calls are left until the next sample, and the state of a small generator.
struct lookup_sampler {
  std::uint32_t left = 0;
  std::uint32_t random = 0;
};

inline constinit thread_local lookup_sampler this_thread_sampler{};

/// Draws the distance to the thread's next sample; false on the thread's first call.
bool restart_sampler() noexcept;

}  // namespace detail

class cache_recorder {
 public:
  static constexpr std::size_t max_classes = 64;

  /// Throws std::invalid_argument for `max_classes` names or more, or when one is empty, "other" or repeated.
  explicit cache_recorder(std::vector<std::string> class_names = {},
                          std::size_t stripes = counter_block::default_stripes());

  /// The classes' names, the last one ("other" or "all") included.
  std::span<const std::string> class_names() const noexcept { return names_; }

  /// Adds `n` to a counter of a class; an index beyond the classes counts for the last one.
  [[gnu::always_inline]] void count(std::size_t class_index, cache_counter counter, std::uint64_t n = 1) noexcept {
    counters_.add(std::min(class_index, last_class_) * counter_count + static_cast<std::size_t>(counter), n);
  }

  /// True in one of 64 calls on average: time this lookup and record it in lookup_time(). The distance between samples
  /// is random within 1..127, so a thread that takes turns between caches samples all of them.
  static bool sample_lookup() noexcept {
    detail::lookup_sampler& sampler = detail::this_thread_sampler;
    if (sampler.left > 1) [[likely]] {
      --sampler.left;
      return false;
    }
    return detail::restart_sampler();
  }

  histogram& load_time() noexcept { return load_time_; }
  histogram& lookup_time() noexcept { return lookup_time_; }

  /// Of all classes together, at a small part of the cost of `fill`.
  std::uint64_t sum(cache_counter counter) const noexcept {
    std::uint64_t all = 0;
    for (std::size_t at = static_cast<std::size_t>(counter); at < counters_.size(); at += counter_count) {
      all += counters_.sum(at);
    }
    return all;
  }

  /// Sets `total`, `classes`, `load_time` and `lookup_time`; leaves the rest as it is.
  void fill(cache_stats& stats) const;

 private:
  std::vector<std::string> names_;  // constant after construction; never empty
  std::size_t last_class_;          // constant: the index of the last one
  counter_block counters_;          // counter_count of them for each class
  histogram load_time_;
  histogram lookup_time_;
};

}  // namespace seawall

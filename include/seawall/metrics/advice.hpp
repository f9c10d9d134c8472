// advise: what the numbers of a cache say to its owner, in sentences.
//
// Says nothing before `advice_min_lookups` lookups, and nothing about what is in order. The most serious comes first.
// Counters count since the cache was made, so advice is about its whole life; a change of load shows late.
// A pure function: the same numbers give the same advice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "seawall/metrics/cache_stats.hpp"

namespace seawall {

inline constexpr std::uint64_t advice_min_lookups = 1000;

/// How serious: `good` could be better, `fair` is worth a look, `poor` needs one.
enum class advice_level : std::uint8_t { good, fair, poor };

/// "good", "fair" or "poor".
std::string_view to_string(advice_level level) noexcept;

struct advice {
  advice_level level = advice_level::good;
  std::string subject = {};  ///< the number it is about: a name of counter_table or gauge_table, or "hit_rate"
  std::string text = {};     ///< one or more English sentences: what is the case, and what to look at

  friend bool operator==(const advice&, const advice&) = default;
};

std::vector<advice> advise(const cache_stats& stats);

}  // namespace seawall

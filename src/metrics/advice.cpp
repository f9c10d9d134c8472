#include "seawall/metrics/advice.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace seawall {
namespace {

constexpr double good_hit_rate = 0.9;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// 0.4567 -> "45.6 %": rounded down, so that a share below a limit never reads as the limit; a little is never "0.0 %".
std::string percent(double part) {
  if (part > 0 && part < 0.001) return "under 0.1 %";
  const auto tenths = static_cast<std::uint64_t>(part * 1000 + 1e-9);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

/// The level of a number of which less is better; nothing when it is below `fair`.
std::optional<advice_level> level_from(double value, double fair, double poor) {
  if (value >= poor) return advice_level::poor;
  if (value >= fair) return advice_level::fair;
  return std::nullopt;
}

/// Why there are misses: each cause of removal that could account for a fifth of them or more.
std::string reasons_for_misses(const cache_stats& stats) {
  constexpr double worth_saying = 0.2;
  const std::uint64_t misses = stats.total.misses;
  const std::uint64_t invalidated = stats.evicted(removal_cause::invalidated) + stats.evicted(removal_cause::cleared);
  std::string text;
  const auto reason = [&](std::uint64_t removed, std::string_view what, std::string_view hint) {
    if (share(removed, misses) < worth_saying) return;
    text += " " + std::to_string(removed) + " entries " + std::string(what) + ", against " + std::to_string(misses) +
            " misses: " + std::string(hint) + ".";
  };
  reason(stats.evicted(removal_cause::capacity), "were evicted for want of room", "look at capacity and max_bytes");
  reason(stats.evicted(removal_cause::expired), "expired", "look at ttl, stale_for and refresh_ahead");
  reason(invalidated, "were invalidated or cleared",
         "look at whether writes invalidate more than they change, or expire() would do");
  if (text.empty()) {
    text = " Few entries were removed, so most misses are first reads: look at whether keys hold a part that is"
           " different each time, or are read only once.";
  }
  return text;
}

/// Names the class with the lowest hit rate, if it has enough lookups and is clearly below the whole.
std::string worst_class(const cache_stats& stats) {
  const class_stats* worst = nullptr;
  for (const class_stats& one : stats.classes) {
    if (one.lookups() < advice_min_lookups) continue;
    if (worst == nullptr || one.hit_rate() < worst->hit_rate()) worst = &one;
  }
  if (stats.classes.size() < 2 || worst == nullptr || worst->hit_rate() > stats.total.hit_rate() - 0.05) return {};
  return " The lowest is class '" + worst->name + "' with " + percent(worst->hit_rate()) + " of " +
         std::to_string(worst->lookups()) + " lookups.";
}

void advise_hit_rate(const cache_stats& stats, std::vector<advice>& out) {
  const double rate = stats.total.hit_rate();
  if (rate >= good_hit_rate) return;
  const advice_level level = rate < 0.5 ? advice_level::poor : rate < 0.7 ? advice_level::fair : advice_level::good;
  out.push_back({level, "hit_rate",
                 "The hit rate is " + percent(rate) + "." + worst_class(stats) + reasons_for_misses(stats)});
}

/// Being full is what a cache is for: worth a word only once room is wanting, and no alarm while the hit rate is good.
void advise_fullness(const cache_stats& stats, std::string_view subject, std::uint64_t used, std::uint64_t limit,
                     std::string_view option, std::vector<advice>& out) {
  const std::uint64_t evicted = stats.evicted(removal_cause::capacity);
  const auto level = level_from(share(used, limit), 0.75, 0.9);
  if (evicted == 0 || !level) return;
  const bool enough = stats.total.hit_rate() >= good_hit_rate;
  out.push_back({enough ? advice_level::good : *level, std::string(subject),
                 std::to_string(used) + " " + std::string(subject) + " are " + percent(share(used, limit)) + " of " +
                     std::string(option) + ", and " + std::to_string(evicted) +
                     " entries were evicted for want of room: raise " + std::string(option) +
                     ", or leave it if the hit rate is good enough."});
}

void advise_loads(const cache_stats& stats, std::vector<advice>& out) {
  const class_stats& total = stats.total;
  const std::uint64_t failed = total.load_failures + total.load_timeouts;
  const double failing = share(failed, total.loads);
  if (const auto level = level_from(failing, 0.01, 0.1)) {
    out.push_back({*level, "load_failures",
                   percent(failing) + " of the loads failed (" + std::to_string(total.load_failures) +
                       " with an error, " + std::to_string(total.load_timeouts) +
                       " by timeout): look at the source. stale_if_error keeps old values in use meanwhile."});
  }
  if (total.overload_rejections > 0) {
    const double refused = share(total.overload_rejections, total.lookups());
    out.push_back({refused >= 0.01 ? advice_level::poor : advice_level::fair, "overload_rejections",
                   std::to_string(total.overload_rejections) + " lookups (" + percent(refused) +
                       ") were refused because the cap on concurrent loads was reached: look at the load time and at"
                       " max_concurrent_loads. stale_for lets the cache answer instead."});
  }
  if (total.caller_timeouts > 0) {
    const double late = share(total.caller_timeouts, total.lookups());
    out.push_back({late >= 0.01 ? advice_level::poor : advice_level::fair, "caller_timeouts",
                   std::to_string(total.caller_timeouts) + " callers (" + percent(late) +
                       " of the lookups) gave up before their answer was there: look at the load time and at deadline."
                       " stale_for and refresh_ahead keep loads out of their way."});
  }
}

}  // namespace

std::string_view to_string(advice_level level) noexcept {
  switch (level) {
    case advice_level::good: return "good";
    case advice_level::fair: return "fair";
    case advice_level::poor: return "poor";
  }
  return "unknown";
}

std::vector<advice> advise(const cache_stats& stats) {
  if (stats.total.lookups() < advice_min_lookups) return {};
  std::vector<advice> found;
  advise_hit_rate(stats, found);
  advise_fullness(stats, "entries", stats.entries, stats.capacity, "capacity", found);
  advise_fullness(stats, "bytes", stats.bytes, stats.max_bytes, "max_bytes", found);
  advise_loads(stats, found);
  std::vector<advice> ordered;
  for (const advice_level level : {advice_level::poor, advice_level::fair, advice_level::good})
    std::ranges::copy_if(found, std::back_inserter(ordered), [&](const advice& one) { return one.level == level; });
  return ordered;
}

}  // namespace seawall

// Sums over the phases, and what is told of processes that share.
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seawall::demo {
namespace {

std::uint64_t sum_of(const demo_results& r, std::uint64_t figures::*count) {
  std::uint64_t sum = 0;
  for (const auto* f : {&r.database, &r.first_pass, &r.seawall}) sum += *f ? (**f).*count : 0;
  return sum;
}

std::string whole(double number) { return grouped(static_cast<std::uint64_t>(number + 0.5)); }

}  // namespace

std::uint64_t demo_results::answers_checked() const { return sum_of(*this, &figures::checked); }

std::uint64_t demo_results::stale_answers() const { return sum_of(*this, &figures::stale); }

std::uint64_t demo_results::wrong_answers() const { return sum_of(*this, &figures::wrong); }

std::uint64_t demo_results::fresh_answers() const { return sum_of(*this, &figures::fresh); }

std::uint64_t demo_results::behind_answers() const { return sum_of(*this, &figures::behind); }

std::chrono::nanoseconds demo_results::oldest_answer() const {
  std::int64_t oldest = 0;
  for (const auto* f : {&database, &first_pass, &seawall}) oldest = std::max(oldest, *f ? (*f)->oldest_ns : 0);
  return std::chrono::nanoseconds(oldest);
}

std::string percent_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string shared_live_line(const figures& second, const figures& so_far, bool without_shared) {
  const histogram_snapshot reads = second.reads();
  const tier_shares& by = second.answered;
  return fmt::format("  {:>4.0f} s {:>9} requests/s  p50 {:>8}  p99 {:>8}  here {:>6}  redis {:>6}  behind {}"
                     "  stale {}{}",
                     so_far.seconds, whole(second.requests_per_second()), readable(reads.percentile(50)),
                     readable(reads.percentile(99)), percent_of(by.process, by.all()), percent_of(by.shared, by.all()),
                     so_far.behind, so_far.stale + so_far.wrong, without_shared ? "  without Redis" : "");
}

std::string shared_conclusions(const demo_results& r) {
  const auto bound = std::chrono::duration_cast<std::chrono::nanoseconds>(r.bound.value_or(duration::zero()));
  std::string text;
  if (r.seawall) {
    text += fmt::format("Queries of the database saved: {:.1f} %. Throughput, times the database's: {:.1f} x.\n",
                        r.queries_saved() * 100, r.speedup_throughput());
  }
  text += fmt::format("Answers checked, the first pass included: {}, in {}; stale: {}; wrong: {}.\n",
                      grouped(r.answers_checked()),
                      r.processes == 1 ? "one process" : fmt::format("{} processes", r.processes),
                      grouped(r.stale_answers()), grouped(r.wrong_answers()));
  text += fmt::format("  {} asked for what is right now: what any process had invalidated counts.\n",
                      grouped(r.fresh_answers()));
  text += fmt::format("  The others may be behind another process by {}: {} were, the oldest by {}.\n", readable(bound),
                      grouped(r.behind_answers()), readable(r.oldest_answer()));
  if (r.untold > 0) {
    text += fmt::format("  {} changes could not be told to other processes, without Redis: they count for their own.\n",
                        grouped(r.untold));
  }
  for (const std::string& one : r.lost) text += fmt::format("  {}\n", one);
  return text;
}

}  // namespace seawall::demo

// What the demo tells: progress, a line per second, the final table, and the same figures as JSON.
#pragma once

#include "figures.hpp"
#include "options.hpp"
#include "request.hpp"

#include <seawall/base/clock.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::demo {

/// Everything that was measured; a phase that did not run is empty.
struct demo_results {
  std::optional<figures> database;
  std::optional<figures> first_pass;
  std::optional<figures> seawall;

  // Where a cache is shared:
  std::size_t processes = 1;
  std::optional<duration> bound = {};  ///< D: how far behind others an answer may be; none: nothing is shared
  std::uint64_t untold = 0;            ///< changes that other processes could not be told of by the end
  std::vector<std::string> lost = {};  ///< processes that ended too early, a sentence each

  double speedup_throughput() const;
  double speedup_p50() const;
  /// Share of the queries per read that are not asked any more.
  double queries_saved() const;
  std::uint64_t answers_checked() const;
  std::uint64_t stale_answers() const;
  std::uint64_t wrong_answers() const;
  std::uint64_t fresh_answers() const;
  std::uint64_t behind_answers() const;
  /// How old the oldest answer was: the time since the invalidation that it lacked.
  std::chrono::nanoseconds oldest_answer() const;
};

/// What one kind of request costs the database, measured alone.
struct query_cost {
  request_kind kind{};
  double share = 0;  ///< of the requests
  double mean_us = 0;
  double queries = 0;
  double bytes = 0;
};

/// "1,234,567".
std::string grouped(std::uint64_t number);
/// "312 ns", "21.3 us", "4.2 ms", "1.2 s".
std::string readable(std::chrono::nanoseconds duration);

/// Shows progress as a bar that is redrawn on a terminal, and as a line per tenth elsewhere.
class progress_bar {
 public:
  explicit progress_bar(bool terminal) : terminal_(terminal) {}
  void show(std::string_view what, double share);
  void end();

 private:
  bool terminal_;
  int shown_ = -1;
};

std::string cost_table(const std::array<query_cost, request_kinds>& costs);
std::string live_line(const figures& second, const figures& so_far);
/// The same of processes that share; `without_shared`: they do without the tier just now.
std::string shared_live_line(const figures& second, const figures& so_far, bool without_shared);
/// The last column: how many times more requests and writes, how many times lower latencies.
std::string result_table(const demo_results& results);
/// The ratios as sentences, beside what is expected of them.
std::string conclusions(const demo_results& results);
/// What was proved over several processes.
std::string shared_conclusions(const demo_results& results);
/// A share as "97.9 %"; "-" if there is nothing to share.
std::string percent_of(std::uint64_t part, std::uint64_t whole);
std::string to_json(const demo_results& results, const demo_options& options);

}  // namespace seawall::demo

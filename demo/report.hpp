// What the demo tells: progress, a line per second, the final table, and the same figures as JSON.
#pragma once

#include "figures.hpp"
#include "options.hpp"
#include "request.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace seawall::demo {

/// Everything that was measured; a phase that did not run is empty.
struct demo_results {
  std::optional<figures> database;
  std::optional<figures> first_pass;
  std::optional<figures> seawall;

  double speedup_throughput() const;
  double speedup_p50() const;
  /// Share of the queries per read that are not asked any more.
  double queries_saved() const;
  std::uint64_t answers_checked() const;
  std::uint64_t stale_answers() const;
  std::uint64_t wrong_answers() const;
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
/// The last column: how many times more requests and writes, how many times lower latencies.
std::string result_table(const demo_results& results);
/// The ratios as sentences, beside what is expected of them.
std::string conclusions(const demo_results& results);
std::string to_json(const demo_results& results, const demo_options& options);

}  // namespace seawall::demo

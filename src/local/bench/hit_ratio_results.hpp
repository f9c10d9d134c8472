// What was measured of hit ratios, as a table, as a summary, as rows and as curves.
#pragma once

#include "curves_svg.hpp"
#include "reference_table.hpp"

#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace seawall::bench {

inline constexpr metric hit_pct{"hit_pct", better::higher};
inline constexpr metric byte_hit_pct{"byte_hit_pct", better::higher};

/// One trace at one size.
struct hit_cell {
  std::string trace;
  std::size_t size = 0;
  bool drawn = false;                              ///< The trace is synthetic.
  std::vector<std::pair<std::string, double>> of;  ///< By subject: policies of ours in the order asked for, "belady".

  std::string name() const { return fmt::format("{} {}", trace, size); }
  std::optional<double> operator[](std::string_view subject) const {
    for (const auto& [who, value] : of) {
      if (who == subject) return value;
    }
    return std::nullopt;
  }
};

inline std::string shown(std::optional<double> value, const char* mark = " ") {
  return value ? fmt::format("{:.2f}{}", *value, mark) : "- ";
}

/// `ours`: the subjects that were asked for.
inline void print_cells(const std::vector<hit_cell>& cells, const std::vector<std::string>& ours,
                        const reference_table& reference) {
  fmt::print("\n{:<24}", "trace size");
  for (const auto& subject : ours) fmt::print("  {:>9}", subject);
  fmt::print("  {:>8}  | {:>7} {:>8} {:>8} {:>8} {:>13}  | {:>9} {:>8}\n", "belady", "LRU", "S3-FIFO", "CafHEAD", "MIN",
             "best", "- CafHEAD", "- best");
  bool marked = false;
  for (const hit_cell& cell : cells) {
    const reference_row* row = reference.at(cell.trace, cell.size);
    fmt::print("{:<24}", cell.name());
    for (const auto& subject : ours) fmt::print("  {:>9}", shown(cell[subject], ""));
    fmt::print("  {:>8}  | ", shown(cell["belady"], ""));
    if (row == nullptr) {
      const auto beside = [&](const char* policy) { return shown(cell[policy], "*"); };
      fmt::print("{:>7} {:>8} {:>8} {:>8} {:>13}  | {:>9} {:>8}\n", beside("lru"), beside("s3-fifo"), "- ", "- ", "- ",
                 "", "");
      marked = true;
      continue;
    }
    const auto best = row->best();
    const auto gap = [&](std::optional<double> other) {
      return other ? fmt::format("{:+.2f}", *cell[ours.front()] - *other) : std::string{};
    };
    fmt::print("{:>7} {:>8} {:>8} {:>8} {:>13}  | {:>9} {:>8}\n", shown((*row)["LRU"]), shown((*row)["S3FIFO"]),
               shown((*row)["CafHEAD"]), shown((*row)["MIN"]),
               best ? fmt::format("{:.2f} {}", best->second, best->first) : "-", gap((*row)["CafHEAD"]),
               best ? gap(best->second) : "");
  }
  fmt::print("\npercent of the requests that hit; right of the bar the reference: {}\n",
             "MIN is Belady's optimum, best the best policy that cannot see the future");
  if (marked) fmt::print("* nobody else measured this cell: our own engine with that policy\n");
}

/// The means beside Caffeine's, and the cell in which the best of the others leads most.
inline void print_summary(const std::vector<hit_cell>& cells, const std::string& subject,
                          const reference_table& reference) {
  const auto means = [&](const char* which, auto&& counts) {
    double ours = 0;
    double theirs = 0;
    int count = 0;
    for (const hit_cell& cell : cells) {
      const reference_row* row = reference.at(cell.trace, cell.size);
      if (row == nullptr || !(*row)["CafHEAD"] || !counts(cell)) continue;
      ours += *cell[subject];
      theirs += *(*row)["CafHEAD"];
      ++count;
    }
    if (count == 0) return;
    fmt::print("{:<8}  mean of {:>3} cells {:<16}  {:.2f}, Caffeine HEAD {:.2f}: {:+.2f} points\n", subject, count,
               which, ours / count, theirs / count, (ours - theirs) / count);
  };
  means("in all", [](const hit_cell&) { return true; });
  means("recorded traces", [](const hit_cell& cell) { return !cell.drawn; });
  means("drawn traces", [](const hit_cell& cell) { return cell.drawn; });
  std::vector<std::pair<double, std::string>> gaps;
  for (const hit_cell& cell : cells) {
    const reference_row* row = reference.at(cell.trace, cell.size);
    const auto best = row == nullptr ? std::nullopt : row->best();
    if (!best) continue;
    const double gap = *cell[subject] - best->second;
    gaps.emplace_back(gap, fmt::format("{} ({:+.2f} against {})", cell.name(), gap, best->first));
  }
  std::sort(gaps.begin(), gaps.end());
  if (gaps.empty()) return;
  gaps.resize(std::min<std::size_t>(gaps.size(), 5));
  fmt::print("{:<8}  worst cells against the best of their row:", subject);
  for (const auto& [gap, text] : gaps) fmt::print("{} {}", &text == &gaps.front().second ? "" : ",", text);
  fmt::print("\n");
}

/// The rows for the file. What the reference says keeps apart from what our engine did with the same policy.
inline void add_rows(report& rows, const std::vector<hit_cell>& cells, int threads, const reference_table& reference) {
  constexpr std::pair<const char*, const char*> others[] = {{"CafHEAD", "caffeine-head"},
                                                            {"LRU", "reference-lru"},
                                                            {"S3FIFO", "reference-s3-fifo"},
                                                            {"MIN", "reference-min"}};
  for (const hit_cell& cell : cells) {
    for (const auto& [subject, value] : cell.of) rows.add(cell.name(), subject, threads, hit_pct, value);
    const reference_row* row = reference.at(cell.trace, cell.size);
    if (row == nullptr) continue;
    for (const auto& [column, subject] : others) {
      if (const auto value = (*row)[column]) rows.add(cell.name(), subject, threads, hit_pct, *value);
    }
    if (const auto best = row->best()) rows.add(cell.name(), "reference-best", threads, hit_pct, best->second);
  }
}

/// A chart per trace, in the order of the cells.
inline std::vector<chart> charts_of(const std::vector<hit_cell>& cells, const std::string& ours,
                                    const reference_table& reference) {
  std::vector<chart> charts;
  const auto point = [&](const char* name, std::size_t size, std::optional<double> percent) {
    if (!percent) return;
    auto& curves = charts.back().curves;
    auto found = std::find_if(curves.begin(), curves.end(), [&](const curve& c) { return c.name == name; });
    if (found == curves.end()) found = curves.insert(curves.end(), curve{name, {}});
    found->points.emplace_back(static_cast<double>(size), *percent);
  };
  for (const hit_cell& cell : cells) {
    if (charts.empty() || charts.back().title != cell.trace) charts.push_back({cell.trace, {}});
    const reference_row* row = reference.at(cell.trace, cell.size);
    point("seawall", cell.size, cell[ours]);
    point("belady", cell.size, cell["belady"]);
    point("lru", cell.size, row ? (*row)["LRU"] : cell["lru"]);
    point("s3-fifo", cell.size, row ? (*row)["S3FIFO"] : cell["s3-fifo"]);
    if (row == nullptr) continue;
    point("caffeine-head", cell.size, (*row)["CafHEAD"]);
    if (const auto best = row->best()) point("best", cell.size, best->second);
  }
  return charts;
}

}  // namespace seawall::bench

// Hit ratios that others have measured, to print beside ours; and which traces to replay at which sizes.
//
// A table is lines of cells between tabs or, as in Markdown, between bars. Its first line names the columns: the trace
// and the size, in one column or two, then the policies; "MIN" is Belady's optimum. "-" is a cell that nobody measured.
#pragma once

#include "traces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::bench {

/// What others have at one trace and size, by the name of the policy; percent.
struct reference_row {
  std::map<std::string, double, std::less<>> of;

  std::optional<double> operator[](std::string_view policy) const {
    const auto found = of.find(policy);
    if (found == of.end()) return std::nullopt;
    return found->second;
  }
  /// The best of those that cannot see the future, and its name.
  std::optional<std::pair<std::string, double>> best() const {
    std::optional<std::pair<std::string, double>> most;
    for (const auto& [policy, value] : of) {
      if (policy != "MIN" && (!most || value > most->second)) most.emplace(policy, value);
    }
    return most;
  }
};

class reference_table {
 public:
  reference_table() = default;

  /// Throws trace_error when the file cannot be read or holds no row.
  explicit reference_table(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<std::string> columns;
    for (std::string line; std::getline(in, line);) {
      std::vector<std::string> cells = cells_of(line);
      if (cells.size() < 3) continue;
      if (columns.empty()) {
        if (cells.front() == "trace") columns = std::move(cells);
      } else if (cells.size() == columns.size()) {
        add(columns, cells);
      }
    }
    if (rows_.empty()) throw trace_error(fmt::format("{} holds no table of hit ratios", file.string()));
  }

  /// Null when nobody measured it.
  const reference_row* at(const std::string& trace, std::size_t size) const {
    const auto found = rows_.find(fmt::format("{} {}", trace, size));
    return found == rows_.end() ? nullptr : &found->second;
  }

 private:
  static std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    if (line.starts_with('#')) return cells;
    const bool bars = line.starts_with('|');
    std::string cell;
    const auto finish = [&] {
      while (!cell.empty() && cell.front() == ' ') cell.erase(cell.begin());
      while (!cell.empty() && cell.back() == ' ') cell.pop_back();
      if (!cell.empty()) cells.push_back(std::move(cell));
      cell.clear();
    };
    for (const char c : line) {
      if (c == (bars ? '|' : '\t') || c == '\r') finish();
      else if (c != '*') cell += c;  // Markdown's stress
    }
    finish();
    if (bars && !cells.empty()) {  // "trace size" in one
      const std::size_t space = cells.front().rfind(' ');
      if (space != std::string::npos) {
        cells.insert(cells.begin() + 1, cells.front().substr(space + 1));
        cells.front().resize(space);
      }
    }
    return cells;
  }

  void add(const std::vector<std::string>& columns, const std::vector<std::string>& cells) {
    reference_row row;
    for (std::size_t i = 2; i != cells.size(); ++i) {
      double value = 0;
      const auto [end, wrong] = std::from_chars(cells[i].data(), cells[i].data() + cells[i].size(), value);
      if (wrong == std::errc{}) row.of.emplace(columns[i], value);
    }
    if (!row.of.empty()) rows_.insert_or_assign(cells[0] + ' ' + cells[1], std::move(row));
  }

  std::map<std::string, reference_row> rows_;
};

/// A trace, and the capacities to replay it with.
struct trace_sizes {
  std::string name;
  std::vector<std::size_t> sizes;
};

/// Lines `NAME SIZE,SIZE,...`. Throws trace_error, which names the line.
inline std::vector<trace_sizes> read_sizes(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw trace_error(fmt::format("{} cannot be read", file.string()));
  std::vector<trace_sizes> plan;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const auto bad = [&] {
      return trace_error(fmt::format("{}:{}: a line is NAME SIZE,SIZE,..., not \"{}\"", file.string(), number, line));
    };
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t end = line.find_first_of(" \t");
    const std::size_t begin = line.find_first_not_of(" \t", std::min(end, line.size()));
    if (begin == std::string::npos) throw bad();
    trace_sizes one{line.substr(0, end), {}};
    const char* const last = line.data() + line.size();
    for (const char* at = line.data() + begin; at < last;) {
      std::size_t size = 0;
      const auto [after, wrong] = std::from_chars(at, last, size);
      if (wrong != std::errc{} || size == 0 || (after != last && *after != ',')) throw bad();
      one.sizes.push_back(size);
      at = after + 1;
    }
    plan.push_back(std::move(one));
  }
  return plan;
}

/// What is replayed when nothing else is said. The recorded traces are in the project's data/traces.
inline std::vector<trace_sizes> built_in_sizes() {
  const std::vector<std::size_t> drawn{1000, 10'000, 50'000, 100'000};
  return {{"c2k-web07", {256, 512, 1024, 2048, 4096}},
          {"c2k-web12", {256, 512, 1024, 2048, 4096}},
          {"c2k-orm-busy", {625, 1250, 2500, 5000, 10'000}},
          {"zipf070", drawn},
          {"zipf090", drawn},
          {"zipf099", drawn},
          {"zipf110", drawn},
          {"scanmix", drawn},
          {"loopmix", drawn},
          {"shift", drawn},
          {"stress-made", {512, 1024, 2048}}};
}

/// For a trace that nobody gave sizes for: from half a percent of its keys up.
inline std::vector<std::size_t> sizes_for(std::size_t distinct) {
  std::vector<std::size_t> sizes;
  for (const double share : {0.005, 0.02, 0.05, 0.1, 0.25}) {
    const auto size = static_cast<std::size_t>(share * static_cast<double>(distinct));
    if (size >= 16 && (sizes.empty() || sizes.back() != size)) sizes.push_back(size);
  }
  if (sizes.empty()) sizes.push_back(std::max<std::size_t>(1, distinct / 4));
  return sizes;
}

}  // namespace seawall::bench

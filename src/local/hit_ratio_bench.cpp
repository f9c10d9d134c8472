// ./dev bench hit-ratio: replays traces through the real engine, at many sizes, beside what other caches were measured
// to hit and beside Belady's optimum.
//
// Exit status: 0; 1 when a file was damaged, nothing could be replayed, or a result could not be written; 2 for a
// mistake on the command line. A trace that is not there is named on stderr and left out.
#include "bench/belady.hpp"
#include "bench/hit_ratio_results.hpp"
#include "bench/reference_table.hpp"
#include "bench/replay.hpp"
#include "bench/synthetic_traces.hpp"
#include "bench/traces.hpp"
#include "seawall/eviction/policy_name.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <seawall_bench/harness.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::bench {
namespace {

namespace fs = std::filesystem;

struct settings {
  std::string traces;
  std::string sizes;
  std::string reference = SEAWALL_BENCH_DATA "/hit_ratio_reference.tsv";
  std::vector<std::string> policies;
  std::vector<std::string> only;
  std::string svg = "build/bench/hit-ratio.svg";
  std::string json = "build/bench/hit-ratio.json";
  int threads = 1;
  int jobs = 2;

  bool wants(const std::string& name) const {
    return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& part) {
             return name.find(part) != std::string::npos;
           });
  }
  fs::path folder() const { return traces.empty() ? fs::path{SEAWALL_BENCH_DATA "/traces"} : fs::path{traces}; }
};

std::optional<settings> parse_settings(int argc, const char* const* argv, int& exit_code) {
  settings how;
  CLI::App app("Replays traces through the engine: hit ratios beside other caches' and Belady's optimum",
               "seawall-bench-hit-ratio");
  app.add_option("--traces", how.traces, "folder with NAME.u64[.zst] files (default: the project's data/traces, and "
                                         "traces that are drawn)")->check(CLI::ExistingDirectory);
  app.add_option("--sizes", how.sizes, "file with lines NAME SIZE,SIZE,...")->check(CLI::ExistingFile);
  app.add_option("--reference", how.reference, "table of hit ratios of others")
      ->check(CLI::ExistingFile)->capture_default_str();
  app.add_option("--policy", how.policies, "eviction policy; may be repeated (default: adaptive)")
      ->check([](const std::string& name) {
        const auto known = parse_eviction_policy(name);
        return known ? std::string{} : known.error().message();
      })->type_name("NAME");
  app.add_option("--only", how.only, "replay the cases whose name \"TRACE SIZE\" contains this; may be repeated")
      ->type_name("CASE");
  app.add_option("--threads", how.threads, "threads that replay one trace, interleaved; 1 keeps its order")
      ->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--jobs", how.jobs, "cells at a time")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_option("--svg", how.svg, "where the curves go; '': nowhere")->capture_default_str();
  app.add_option("--json", how.json, "where the rows go")->envname("SEAWALL_BENCH_JSON")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    exit_code = app.exit(e) == 0 ? 0 : 2;
    return std::nullopt;
  }
  if (how.policies.empty()) how.policies.emplace_back("adaptive");
  return how;
}

/// A policy by the name that rows have: what users get without asking is "seawall".
struct contender {
  std::string subject;
  eviction_policy policy;
};

contender contender_of(const std::string& name) {
  const eviction_policy policy = *parse_eviction_policy(name);
  return {policy == eviction_policy::adaptive ? "seawall" : std::string(to_string(policy)), policy};
}

std::vector<trace_sizes> plan_of(const settings& how) {
  std::vector<trace_sizes> plan;
  if (!how.sizes.empty()) plan = read_sizes(how.sizes);
  else if (how.traces.empty()) plan = built_in_sizes();
  else {
    const std::vector<trace_sizes> known = built_in_sizes();
    for (const std::string& name : traces_in(how.folder())) {
      const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.name == name; });
      plan.push_back(found != known.end() ? *found : trace_sizes{name, {}});
    }
  }
  const bool stress = std::any_of(plan.begin(), plan.end(), [](const auto& one) { return one.name == "stress"; });
  if (!stress && trace_file(how.folder(), "corda-vault", "u64") && trace_file(how.folder(), "lirs-loop", "u64")) {
    plan.push_back({"stress", {512, 1024, 2048}});
  }
  return plan;
}

/// The trace of that name: read, or drawn. Nothing when there is none.
std::optional<trace> load(const std::string& name, const fs::path& folder, bool& drawn) {
  std::optional<trace> loaded = read_trace(folder, name);
  drawn = !loaded;
  if (!loaded && name == "stress") {
    const auto recency = read_trace(folder, "corda-vault");
    const auto loop = read_trace(folder, "lirs-loop");
    if (recency && loop) loaded = trace{.name = name, .keys = stress_trace(recency->keys, loop->keys)};
  } else if (!loaded) {
    if (auto keys = synthetic_trace(name, folder)) loaded = trace{.name = name, .keys = std::move(*keys)};
  }
  if (loaded) loaded->number_keys();
  return loaded;
}

class benchmark_run {
 public:
  explicit benchmark_run(settings how) : how_(std::move(how)), reference_(fs::path{how_.reference}) {
    for (const std::string& name : how_.policies) contenders_.push_back(contender_of(name));
  }

  int run() {
    const std::vector<trace_sizes> plan = plan_of(how_);
    for (std::size_t i = 0; i != plan.size(); ++i) {
      try {
        replay(plan[i], fmt::format("[{}/{}]", i + 1, plan.size()));
      } catch (const trace_error& e) {
        fmt::print(stderr, "error: {}\n", e.what());
        ++problems_;
      }
    }
    if (cells_.empty() && bytes_.empty()) {
      fmt::print(stderr, "error: nothing was replayed\n");
      return 1;
    }
    return finish();
  }

 private:
  void replay(const trace_sizes& what, const std::string& progress) {
    const auto case_name = [&](std::size_t size) { return fmt::format("{} {}", what.name, size); };
    const bool some = std::any_of(what.sizes.begin(), what.sizes.end(),
                                  [&](std::size_t size) { return how_.wants(case_name(size)); });
    if (!some && !how_.wants(what.name)) return;
    bool drawn = false;
    const std::optional<trace> played = load(what.name, how_.folder(), drawn);
    if (!played) {
      fmt::print(stderr, "{} {}: not in {}, and cannot be drawn: left out\n", progress, what.name,
                 how_.folder().string());
      return;
    }
    fmt::print(stderr, "{} {}: {} requests, {} keys{} ", progress, what.name, played->keys.size(), played->distinct,
               drawn ? ", drawn" : "");
    const std::size_t begin = cells_.size();
    for (const std::size_t size : what.sizes.empty() ? sizes_for(played->distinct) : what.sizes) {
      if (how_.wants(case_name(size))) cells_.push_back({what.name, size, drawn && what.name != "stress", {}});
    }
    replay_cells(*played, begin);
    if (!played->sizes.empty()) replay_bytes(*played);
    fmt::print(stderr, "\n");
  }

  // A task is a cell and a contender, or a cell and Belady.
  void replay_cells(const trace& played, std::size_t begin) {
    struct task {
      hit_cell* cell;
      std::size_t slot;
      std::optional<eviction_policy> policy;  // none: Belady
    };
    std::vector<task> tasks;
    for (std::size_t i = begin; i != cells_.size(); ++i) {
      hit_cell& cell = cells_[i];
      const auto add = [&](const std::string& subject, std::optional<eviction_policy> policy) {
        if (cell[subject]) return;
        tasks.push_back({&cell, cell.of.size(), policy});
        cell.of.emplace_back(subject, 0);
      };
      for (const contender& one : contenders_) add(one.subject, one.policy);
      add("belady", std::nullopt);
      if (reference_.at(cell.trace, cell.size) != nullptr) continue;
      add("lru", eviction_policy::lru);
      add("s3-fifo", eviction_policy::s3_fifo);
    }
    if (tasks.empty()) return;
    const belady optimum{played.ids, played.distinct};
    in_parallel(tasks.size(), how_.jobs, [&](std::size_t i) {
      const task& one = tasks[i];
      one.cell->of[one.slot].second =
          one.policy ? hit_percent(played, one.cell->size, *one.policy, how_.threads)
                     : 100.0 * static_cast<double>(optimum.hits(one.cell->size)) /
                           static_cast<double>(played.keys.size());
      fmt::print(stderr, ".");
    });
  }

  void replay_bytes(const trace& played) {
    std::vector<contender> beside = contenders_;
    for (const char* name : {"adaptive", "s3-fifo", "lru"}) {
      const contender one = contender_of(name);
      const auto same = [&](const contender& other) { return other.policy == one.policy; };
      if (std::none_of(beside.begin(), beside.end(), same)) beside.push_back(one);
    }
    const auto all = static_cast<double>(footprint(played));
    std::vector<hit_cell> added;
    for (const double share : {0.001, 0.01, 0.05, 0.2}) {
      hit_cell cell{played.name, static_cast<std::size_t>(std::llround(all * share)), false, {}};
      if (cell.size == 0 || !how_.wants(cell.name())) continue;
      for (const contender& one : beside) cell.of.emplace_back(one.subject, 0);
      added.push_back(std::move(cell));
    }
    in_parallel(added.size() * beside.size(), how_.jobs, [&](std::size_t i) {
      hit_cell& cell = added[i / beside.size()];
      const std::size_t which = i % beside.size();
      cell.of[which].second = byte_hit_percent(played, cell.size, beside[which].policy, how_.threads);
      fmt::print(stderr, ".");
    });
    bytes_.insert(bytes_.end(), added.begin(), added.end());
  }

  void print_bytes() const {
    fmt::print("\n{:<32}", "trace bytes");
    for (const auto& [subject, value] : bytes_.front().of) fmt::print("  {:>9}", subject);
    fmt::print("\n");
    for (const hit_cell& cell : bytes_) {
      fmt::print("{:<32}", cell.name());
      for (const auto& [subject, value] : cell.of) fmt::print("  {:>9.2f}", value);
      fmt::print("\n");
    }
    fmt::print("\npercent of the bytes that hit; the limit is in bytes: 0.1, 1, 5 and 20 percent of all objects'\n");
  }

  int finish() {
    std::vector<std::string> subjects;
    for (const contender& one : contenders_) subjects.push_back(one.subject);
    report rows;
    if (!cells_.empty()) {
      print_cells(cells_, subjects, reference_);
      add_rows(rows, cells_, how_.threads, reference_);
    }
    if (!bytes_.empty()) print_bytes();
    for (const hit_cell& cell : bytes_) {
      for (const auto& [subject, value] : cell.of) rows.add(cell.name(), subject, how_.threads, byte_hit_pct, value);
    }
    fmt::print("\n");
    for (const std::string& subject : subjects) print_summary(cells_, subject, reference_);
    if (!rows.write(how_.json)) return 1;
    fmt::print("rows: {}\n", how_.json);
    if (!how_.svg.empty() && !cells_.empty()) {
      if (!curves_svg::write(charts_of(cells_, subjects.front(), reference_), how_.svg)) {
        fmt::print(stderr, "error: {} cannot be written; choose another file with --svg\n", how_.svg);
        return 1;
      }
      fmt::print("curves: {}\n", how_.svg);
    }
    return problems_ == 0 ? 0 : 1;
  }

  settings how_;
  reference_table reference_;
  std::vector<contender> contenders_;
  std::vector<hit_cell> cells_;
  std::vector<hit_cell> bytes_;
  int problems_ = 0;
};

}  // namespace
}  // namespace seawall::bench

int main(int argc, char** argv) {
  int exit_code = 0;
  auto how = seawall::bench::parse_settings(argc, argv, exit_code);
  if (!how) return exit_code;
  try {
    return seawall::bench::benchmark_run(std::move(*how)).run();
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}

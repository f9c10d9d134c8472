// A small harness for benchmarks with a peer beside us: options, timed threads, medians over interleaved rounds, one
// table, JSON rows {"case", "subject", "threads", "metric", "value"}.
//
// Interleaving is the caller's loop: for each round, for each subject, measure and `add`. The machine's noise then
// falls on all subjects alike; a row shows the median of its rounds and half their range in percent.
// Thread safety: none; run_threads brings its own threads and joins them.
#pragma once

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall::bench {

struct options {
  int rounds = 5;
  double seconds = 0.3;           ///< Of one measurement.
  bool quick = false;             ///< One round of 0.05 s: does it run at all?
  std::vector<std::string> only;  ///< Parts of the names of the cases to run; none: all of them.
  std::string json;

  bool wants(std::string_view name) const {
    const auto named = [&](const std::string& part) { return name.find(part) != std::string_view::npos; };
    return only.empty() || std::any_of(only.begin(), only.end(), named);
  }
};

/// The options, or nothing and the exit code after a help page or a mistake. `more` may add options.
inline std::optional<options> parse(int argc, const char* const* argv, const std::string& what,
                                    const std::string& about, int& exit_code,
                                    const std::function<void(CLI::App&)>& more = {}) {
  options how;
  how.json = "build/bench/" + what + ".json";
  CLI::App app(about, "seawall-bench-" + what);
  auto* rounds = app.add_option("--rounds", how.rounds, "rounds; the table shows medians");
  rounds->check(CLI::Range(1, 1000))->capture_default_str();
  auto* seconds = app.add_option("--seconds", how.seconds, "seconds per measurement");
  seconds->check(CLI::Range(0.001, 3600.0))->capture_default_str();
  app.add_flag("--quick", how.quick, "one round of 0.05 s, for a look at whether it runs")
      ->excludes(rounds)->excludes(seconds);
  app.add_option("--only", how.only, "run the cases whose name contains this; may be repeated")->type_name("CASE");
  app.add_option("--json", how.json, "where the rows go")->envname("SEAWALL_BENCH_JSON")->capture_default_str();
  if (more) more(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    exit_code = app.exit(e) == 0 ? 0 : 2;
    return std::nullopt;
  }
  if (how.quick) {
    how.rounds = 1;
    how.seconds = 0.05;
  }
  return how;
}

enum class better { lower, higher, neither };

struct metric {
  const char* name;
  better direction;
};

inline constexpr metric ns_per_op{"ns_per_op", better::lower};          // wall time of one thread
inline constexpr metric cpu_ns_per_op{"cpu_ns_per_op", better::lower};  // processor time: steadier on a busy machine
inline constexpr metric mops{"mops", better::higher};                   // million operations a second, all threads

/// Collects samples and shows their medians. The first subject that is added is "us".
class report {
 public:
  void add(const std::string& name, const std::string& subject, int threads, const metric& what, double value) {
    if (std::find(subjects_.begin(), subjects_.end(), subject) == subjects_.end()) subjects_.push_back(subject);
    const auto same = [&](const line& l) { return l.name == name && l.threads == threads && l.what.name == what.name; };
    auto found = std::find_if(lines_.begin(), lines_.end(), same);
    if (found == lines_.end()) found = lines_.insert(lines_.end(), line{name, threads, what, {}});
    const auto here = std::find_if(found->cells.begin(), found->cells.end(),
                                   [&](const cell& c) { return c.subject == subject; });
    if (here == found->cells.end()) found->cells.push_back({subject, {value}});
    else here->samples.push_back(value);
  }

  /// All samples of another report, after ours.
  void append(const report& other) {
    for (const line& l : other.lines_) {
      for (const cell& c : l.cells) {
        for (const double sample : c.samples) add(l.name, c.subject, l.threads, l.what, sample);
      }
    }
  }

  bool empty() const noexcept { return lines_.empty(); }

  /// A ratio above 1 means that the first subject leads.
  void print() const {
    std::size_t width = 4;
    for (const line& l : lines_) width = std::max(width, l.name.size());
    fmt::print("\n{:<{}}  {:>7}  {:<19}", "case", width, "threads", "metric");
    for (const auto& subject : subjects_) {
      fmt::print("  {:>19}", subject);
      if (&subject != &subjects_.front()) fmt::print("  {:>8}", "ratio");
    }
    fmt::print("\n");
    const line* above = nullptr;
    for (const line& l : lines_) {
      const bool again = above != nullptr && above->name == l.name && above->threads == l.threads;
      fmt::print("{:<{}}  {:>7}  {:<19}", again ? "" : l.name, width, again ? "" : std::to_string(l.threads),
                 l.what.name);
      for (const auto& subject : subjects_) {
        const cell* shown = l.of(subject);
        fmt::print("  {:>19}", shown ? shown->text() : "-");
        if (&subject != &subjects_.front()) fmt::print("  {:>8}", ratio(l, l.of(subjects_.front()), shown));
      }
      fmt::print("\n");
      above = &l;
    }
    fmt::print("\nmedians of the rounds, \u00b1 half their range; ratio: how many times better '{}' is than the column "
               "to its left\n", subjects_.front());
  }

  /// False, with a sentence on stderr, when the file cannot be written.
  bool write(const std::string& path) const {
    const std::filesystem::path target{path};
    std::error_code failed;
    if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), failed);
    std::ofstream out{target};
    const char* separator = "[\n";
    for (const line& l : lines_) {
      for (const cell& c : l.cells) {
        out << separator
            << fmt::format(R"(  {{"case": "{}", "subject": "{}", "threads": {}, "metric": "{}", "value": {:.6g}}})",
                           l.name, c.subject, l.threads, l.what.name, c.median());
        separator = ",\n";
      }
    }
    out << (lines_.empty() ? "[]\n" : "\n]\n");
    out.close();
    if (out) return true;
    fmt::print(stderr, "error: {} cannot be written; choose another file with --json\n", path);
    return false;
  }

 private:
  struct cell {
    std::string subject;
    std::vector<double> samples;

    double median() const {
      std::vector<double> sorted = samples;
      std::sort(sorted.begin(), sorted.end());
      const std::size_t half = sorted.size() / 2;
      return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
    std::string text() const {
      const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
      const double middle = median();
      const int digits = middle < 10 ? 2 : middle < 1000 ? 1 : 0;
      if (*least == *most) return fmt::format("{:.{}f}      ", middle, middle == static_cast<int>(middle) ? 0 : digits);
      return fmt::format("{:.{}f} \u00b1{:3.0f}%", middle, digits, 50 * (*most - *least) / middle);
    }
  };

  struct line {
    std::string name;
    int threads;
    metric what;
    std::vector<cell> cells;

    const cell* of(std::string_view subject) const {
      for (const cell& c : cells) {
        if (c.subject == subject) return &c;
      }
      return nullptr;
    }
  };

  static std::string ratio(const line& l, const cell* ours, const cell* theirs) {
    if (!ours || !theirs || l.what.direction == better::neither) return "";
    const double a = ours->median();
    const double b = theirs->median();
    if (a <= 0 || b <= 0) return "";
    return fmt::format("{:.2f}x", l.what.direction == better::lower ? b / a : a / b);
  }

  std::vector<std::string> subjects_;
  std::vector<line> lines_;
};

/// Of this thread or this process, as `which` says.
inline double cpu_seconds(clockid_t which) {
  timespec time{};
  clock_gettime(which, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct thread_time {
  std::uint64_t ops = 0;
  double wall = 0;  ///< Seconds.
  double cpu = 0;   ///< Seconds.
};

/// Runs `body(index, stop)`, which answers how many operations it did before it saw `stop`, on `count` threads at once.
template <class Body>
std::vector<thread_time> run_threads(int count, double seconds, Body&& body) {
  std::vector<thread_time> times(static_cast<std::size_t>(count));
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i != count; ++i) {
    threads.emplace_back([&, i] {
      ready.fetch_add(1);
      go.wait(false);
      const auto begin = std::chrono::steady_clock::now();
      const double cpu_begin = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
      thread_time& mine = times[static_cast<std::size_t>(i)];
      mine.ops = body(i, std::as_const(stop));
      mine.cpu = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_begin;
      mine.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    });
  }
  while (ready.load() != count) std::this_thread::yield();
  go.store(true);
  go.notify_all();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop.store(true);
  threads.clear();
  return times;
}

/// The three metrics of a hot loop.
inline void add_times(report& to, const std::string& name, const std::string& subject,
                      const std::vector<thread_time>& times) {
  thread_time sum;
  double per_second = 0;
  double ns = 0;
  for (const thread_time& one : times) {
    const auto ops = static_cast<double>(one.ops);
    sum.ops += one.ops;
    sum.cpu += one.cpu;
    per_second += ops / one.wall;
    ns += 1e9 * one.wall / ops;
  }
  const int threads = static_cast<int>(times.size());
  to.add(name, subject, threads, ns_per_op, ns / threads);
  to.add(name, subject, threads, cpu_ns_per_op, 1e9 * sum.cpu / static_cast<double>(sum.ops));
  to.add(name, subject, threads, mops, per_second / 1e6);
}

/// What the cases of one benchmark share.
struct bench_run {
  options how;
  report figures{};
  int problems = 0;  ///< What was found wrong.

  void check(bool good, const std::string& sentence) {
    if (good) return;
    ++problems;
    fmt::print(stderr, "error: {}\n", sentence);
  }

  /// Calls `measure(round)` for a warm-up, which is round 0 and does not count, and for each round.
  template <class F>
  void rounds(const std::string& name, F&& measure) {
    fmt::print(stderr, "{} ", name);
    for (int round = how.quick ? 1 : 0; round <= how.rounds; ++round) {
      measure(round);
      fmt::print(stderr, ".");
    }
    fmt::print(stderr, "\n");
  }
};

}  // namespace seawall::bench

// seawall-simulate: runs many seeds of the simulation of several processes, on all cores. See ./dev simulate.
#include "report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace simulation {
namespace {

struct settings {
  std::uint64_t seeds = 2'000;
  std::uint64_t first = 1;
  std::size_t steps = 5'000;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  bool counts = false;
  bool keeps_going = false;
};

constexpr std::int64_t most = 1'000'000'000'000;  // of seeds, and of the number of one

// Ranges of signed numbers: with unsigned ones -1 would be a very large number.
std::optional<settings> parse(int count, char** words, int& status) {
  settings how;
  CLI::App app{"Several processes over a simulated Redis, in virtual time, with faults. One seed is one run."};
  app.add_option("--seeds", how.seeds, "how many runs")
      ->check(CLI::Range(std::int64_t{1}, most))
      ->capture_default_str();
  app.add_option("--first-seed", how.first, "the first of them")
      ->check(CLI::Range(std::int64_t{0}, most))
      ->capture_default_str();
  app.add_option("--steps", how.steps, "of each run")->check(CLI::Range(1, 1'000'000'000))->capture_default_str();
  app.add_option("--jobs", how.jobs, "threads; one for each core, unless given")->check(CLI::Range(1, 1024));
  app.add_flag("--counts", how.counts, "print how often everything happened");
  app.add_flag("--keep-going", how.keeps_going, "run the other seeds after one that fails, and list all that did");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& end) {
    status = app.exit(end) == 0 ? 0 : 2;
    return std::nullopt;
  }
  return how;
}

class run {
 public:
  explicit run(const settings& how) : how_(how) {}

  int all() {
    const auto begun = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i != how_.jobs; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& one : threads) one.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    fmt::print(stderr, "\r{} seeds of {} steps in {:.1f} s: {:.0f} seeds/s\n", done_.load(), how_.steps, seconds,
               static_cast<double>(done_.load()) / seconds);
    if (!failing_.empty()) return tell_failures();
    if (how_.counts) {
      for (const auto& [name, times] : seen_) fmt::print("{:12} {}\n", times, name);
    }
    if (how_.seeds < 1'000) return 0;
    const auto missing = never_seen(seen_);
    for (const std::string_view name : missing) fmt::print("never happened: {}\n", name);
    return missing.empty() ? 0 : 1;
  }

 private:
  void work() {
    coverage mine;
    for (std::uint64_t i = next_++; i < how_.seeds && !stop_; i = next_++) {
      world one{how_.first + i};
      const auto broken = one.run(how_.steps);
      one.add_coverage(mine);
      const std::uint64_t done = ++done_;
      if (done % 100 == 0) fmt::print(stderr, "\r{} of {} seeds", done, how_.seeds);
      if (broken) note_failure(how_.first + i, *broken);
    }
    const std::lock_guard lock{mutex_};
    for (const auto& [name, times] : mine) seen_[name] += times;
  }

  void note_failure(std::uint64_t seed, const std::string& what) {
    const std::lock_guard lock{mutex_};
    failing_.emplace(seed, what);
    if (!how_.keeps_going) stop_ = true;
    else fmt::print(stderr, "\rseed {}: {}\n", seed, what);
  }

  int tell_failures() const {
    if (how_.keeps_going) {
      for (const auto& [seed, what] : failing_) fmt::print("seed {}: {}\n", seed, what);
      fmt::print("{} of {} seeds failed; the first of them:\n", failing_.size(), done_.load());
    }
    fmt::print("{}", story_of(failing_.begin()->first, how_.steps));
    return 1;
  }

  const settings how_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::map<std::uint64_t, std::string> failing_;  // guarded by mutex_
  coverage seen_;                                 // guarded by mutex_
};

}  // namespace
}  // namespace simulation

int main(int count, char** words) {
  int status = 0;
  const auto how = simulation::parse(count, words, status);
  return how ? simulation::run{*how}.all() : status;
}

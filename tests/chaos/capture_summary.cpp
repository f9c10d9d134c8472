#include "capture_summary.hpp"

#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace chaos {
namespace {

struct histogram {
  std::array<std::uint64_t, delays::size> counts{};
  std::uint64_t all = 0;
  std::int64_t longest = 0;

  void add(const delays& of) {
    for (std::size_t i = 0; i != delays::size; ++i) {
      counts[i] += of.counts[i].load();
      all += of.counts[i].load();
    }
    longest = std::max(longest, of.longest.load());
  }
  /// Milliseconds; rounded up by an eighth at most.
  double quantile(double part) const {
    const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(all));
    std::uint64_t below = 0;
    for (std::size_t i = 0; i + 1 != delays::size; ++i) {
      below += counts[i];
      const auto end = static_cast<std::int64_t>(delays::begin_of(i + 1));
      if (below > wanted) return static_cast<double>(std::min(end, longest)) * 1e-6;
    }
    return static_cast<double>(longest) * 1e-6;
  }
  void print(const char* name) const {
    fmt::print("    {:<22}{:>12}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}\n", name, grouped(all), quantile(0.5),
               quantile(0.9), quantile(0.99), quantile(0.999), static_cast<double>(longest) * 1e-6);
  }
};

void print_staleness(const truth& shared) {
  histogram calm, disturbed, both;
  for (const process_state& one : shared.head().state) {
    calm.add(one.staleness[0]);
    disturbed.add(one.staleness[1]);
    for (const delays& each : one.staleness) both.add(each);
  }
  fmt::print("  staleness, in ms: from a commit until a process has read it\n");
  fmt::print("    {:<22}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", "commits read", "p50", "p90", "p99", "p99.9",
             "max");
  calm.print("no fault within 1 s");
  disturbed.print("a fault is near");
  both.print("all");
}

void print_disagreements(const truth& shared, const diary& log) {
  const auto text = [](std::uint64_t version) { return version == 0 ? std::string{"none"} : std::to_string(version); };
  const std::uint64_t all = shared.head().violations.load();
  fmt::print("  violations        {}\n", grouped(all));
  for (const violation& one : shared.head().list) {
    const auto what = static_cast<broken>(one.what.load());
    if (what == broken::none) continue;
    fmt::print("    process {}, key {}: {}: it has version {}, the database {} ({:.3f} s)\n", one.process.load(),
               one.key.load(), name_of(what), text(one.version.load()), text(one.committed.load()),
               log.seconds(one.begun.load()));
  }
  if (all == 0) return;
  fmt::print("    what was done before:\n");
  for (const auto& line : log.before(now(), 30)) fmt::print("      {}\n", line);
}

}  // namespace

void print_capture(const settings& how, const truth& shared, const diary& log,
                   const std::vector<capture_writer>& writers, const std::string& failure) {
  write_counts sum;
  for (const capture_writer& one : writers) {
    for (const auto part : {&write_counts::single, &write_counts::several, &write_counts::transactions,
                            &write_counts::moved, &write_counts::rolled_back, &write_counts::failed,
                            &write_counts::unknown, &write_counts::rows, &write_counts::removed}) {
      sum.*part += one.counts().*part;
    }
  }
  const auto tallied = [&](tally of) { return grouped(shared.sum(of)); };
  fmt::print("\ncapture, mode {}: {} processes with {} readers, {} keys, D = {} ms, seed {}, {:.1f} s\n", how.mode,
             how.processes, how.threads, how.keys, how.bound_ms, how.seed, log.seconds(now()));
  fmt::print("  writes            {} committed: {} of one row, {} of several, {} transactions of several statements,\n"
             "{:20}{} of a key; {} rows changed, {} of them removed; {} rolled back, {} failed\n"
             "{:20}({} with an outcome that had to be looked up)\n",
             grouped(sum.single + sum.several + sum.transactions + sum.moved), grouped(sum.single),
             grouped(sum.several), grouped(sum.transactions), "", grouped(sum.moved), grouped(sum.rows),
             grouped(sum.removed), grouped(sum.rolled_back), grouped(sum.failed), "", grouped(sum.unknown));
  fmt::print("  reads             {}, {} of them of rows that are not there, {} errors\n", tallied(tally::any_reads),
             tallied(tally::absences), tallied(tally::errors));
  fmt::print("  capture           {} changes in {} streams; {} slots made, all cleared {} times\n",
             tallied(tally::captured), tallied(tally::streams), tallied(tally::slots), tallied(tally::cleared));
  print_faults(log);
  print_staleness(shared);
  fmt::print("    not dated: {}, by a process that was stopped for long\n", tallied(tally::undated));
  fmt::print("  rounds            {}; at the end of each every key of every process was held against the database\n",
             shared.head().round.load());
  print_disagreements(shared, log);
  if (!failure.empty()) fmt::print("  FAILED: {}\n", failure);
  if (shared.head().violations.load() != 0 || !failure.empty()) {
    fmt::print("\n  again: ./dev chaos --scenario capture --mode {} --seed {} --writes {} --keys {} --processes {} "
               "--threads {}\n", how.mode, how.seed, how.writes, how.keys, how.processes, how.threads);
  }
  std::fflush(stdout);
}

}  // namespace chaos

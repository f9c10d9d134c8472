#include "summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace chaos {
namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-6; }

void print_violation(const violation& one, const truth& shared, const diary& log) {
  const auto what = static_cast<broken>(one.what.load());
  if (what == broken::none) return;
  const std::uint64_t key = one.key.load();
  fmt::print("\n  VIOLATION: {}\n    process {}, key {}: got version {}, after {} (the database had {})\n",
             name_of(what), one.process.load(), key, one.version.load(), one.floor.load(), one.committed.load());
  fmt::print("    the read began at {:.3f} s and was judged {:.3f} ms later\n", log.seconds(one.begun.load()),
             milliseconds(one.ended.load() - one.begun.load()));
  if (one.announced.load() != 0) {
    fmt::print("    a newer version was announced {:.3f} ms before it began\n",
               milliseconds(one.begun.load() - one.announced.load()));
  }
  for (std::size_t i = 0; i != shared.head().processes.load(); ++i) {
    const history& told = shared.at(key).by[i].told;
    const std::uint64_t n = told.count.load();
    for (std::uint64_t at = n > 3 ? n - 3 : 0; at != n; ++at) {
      const auto& item = told.last[at % history::size];
      fmt::print("    process {} announced version {} at {:.3f} s\n", i, item.version.load(),
                 log.seconds(item.when.load()));
    }
  }
  fmt::print("    what was done before:\n");
  for (const auto& line : log.before(one.ended.load(), 12)) fmt::print("      {}\n", line);
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

void print_faults(const diary& log) {
  const auto counts = log.counts();
  std::uint64_t all = 0;
  std::string text;
  for (const auto& [name, count] : counts) {
    all += count;
    const std::string item = fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
    const auto line = text.size() - (text.rfind('\n') + 1);  // without a line break: all of it
    if (line + item.size() > 92 && !text.empty()) text += fmt::format(",\n{:22}{}", "", item.substr(2));
    else text += item;
  }
  fmt::print("  faults            {}\n{:22}{}\n", all, "", text.empty() ? "none" : text);
}

std::uint64_t count_violations(truth& shared, const topology& servers) {
  auto& head = shared.head();
  std::uint64_t left = head.violations.load();
  for (violation& one : head.list) {
    if (one.what.load() == 0 || !servers.had_two_primaries(one.begun.load())) continue;
    one.what.store(0);
    ++head.state[one.process.load()].tallies[static_cast<std::size_t>(tally::excused_any)];
    --left;
  }
  return left;
}

void print_summary(const outcome& what, const settings& how, const truth& shared, const diary& log) {
  const auto sum = [&](tally of) { return shared.sum(of); };
  const std::uint64_t any = sum(tally::any_reads), fresh = sum(tally::fresh_reads);
  std::int64_t oldest = 0;
  for (const auto& one : shared.head().state) oldest = std::max(oldest, one.oldest.load());
  fmt::print("\n{}, {}: {} processes with {} readers, {} keys, D = {} ms, seed {}, {:.1f} s\n", what.topology,
             name_of(how.feed), how.processes, how.threads, how.keys, how.bound_ms, how.seed, what.seconds);
  fmt::print("  reads checked     {}: {} any, {} fresh; {} were absences\n", grouped(any + fresh), grouped(any),
             grouped(fresh), grouped(sum(tally::absences)));
  const std::uint64_t here = sum(tally::process_hits), there = sum(tally::tier_hits);
  const std::uint64_t loaded = sum(tally::source_reads);
  const std::uint64_t served = here + there + loaded;
  fmt::print("  served            {:.2f} % by the process, {:.2f} % by Redis, {:.2f} % by a load ({} joined one)\n",
             percent(here, served), percent(there, served), percent(loaded, served), grouped(sum(tally::coalesced)));
  fmt::print("  writes            {}; {} announced by another process than the one that died, {} told to Redis late\n",
             grouped(sum(tally::writes)), grouped(sum(tally::taken_over)), grouped(sum(tally::replayed)));
  fmt::print("  loads             {}; {} failed; before the faults {}, of which {} met another of the same key\n",
             grouped(sum(tally::loads)), grouped(sum(tally::failed_loads)), grouped(what.calm_loads),
             grouped(sum(tally::loads_twice)));
  fmt::print("  out of date       {} any reads, by {:.1f} ms at most; D is {} ms\n", grouped(sum(tally::lagging_reads)),
             milliseconds(oldest), how.bound_ms);
  fmt::print("  no way back       {} answers kept in mind; {} reads that the caches count as not linearizable\n",
             grouped(sum(tally::kept_in_mind)), grouped(sum(tally::unlinearized)));
  fmt::print("  tier              {} failed calls, {} refused fills, {} connections, {} flushes, {} reigns begun,\n"
             "{:20}{} old entries taken over, the breaker opened {} times\n",
             grouped(sum(tally::tier_failures)), grouped(sum(tally::rejected_fills)), grouped(sum(tally::connections)),
             grouped(sum(tally::flushes)), grouped(sum(tally::reign_changes)), "", grouped(sum(tally::takeovers)),
             grouped(sum(tally::breaker_opened)));
  print_faults(log);
  fmt::print("  not judged        {} errors of the source, {} reads that only looked and found nothing,\n"
             "{:20}{} too far behind to be dated; excused by two primaries: {} any, {} fresh\n",
             grouped(sum(tally::errors)), grouped(sum(tally::nothing_there)), "",
             grouped(sum(tally::older_than_known)), grouped(sum(tally::excused_any)),
             grouped(sum(tally::excused_fresh)));
  fmt::print("  violations        {}\n", grouped(what.violations));
  std::size_t shown = 0;
  for (const violation& one : shared.head().list) {
    if (one.what.load() != 0 && shown++ < 3) print_violation(one, shared, log);
  }
  if (!what.failure.empty()) fmt::print("  FAILED: {}\n", what.failure);
  if (what.violations != 0 || !what.failure.empty()) {
    fmt::print("\n  again: ./dev chaos --topology {} --feed {} --seed {} --keys {} --processes {} --threads {} "
               "--bound {}\n",
               what.topology, name_of(how.feed), how.seed, how.keys, how.processes, how.threads, how.bound_ms);
  }
}

}  // namespace chaos

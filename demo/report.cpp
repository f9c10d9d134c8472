#include "report.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>

namespace seawall::demo {
namespace {

using std::chrono::nanoseconds;

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

double ratio(nanoseconds a, nanoseconds b) {
  return ratio(static_cast<double>(a.count()), static_cast<double>(b.count()));
}

std::string whole(double number) { return grouped(static_cast<std::uint64_t>(number + 0.5)); }

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string times(double factor) {
  if (factor <= 0) return "";
  return fmt::format("{:.{}f} x", factor, factor < 1 ? 2 : factor < 10 ? 1 : 0);
}

/// The table's rows: a label, and what each column shows.
class table_writer {
 public:
  explicit table_writer(const demo_results& r) : r_(r) {}

  template <class Show>
  void row(std::string_view label, Show show, std::string factor = {}) {
    line(label, cell(r_.database, show), cell(r_.seawall, show), factor);
  }

  /// A percentile: the factor says how many times lower it is through Seawall.
  void latency(std::string_view label, double p, histogram_snapshot (*of)(const figures&)) {
    const auto value = [&](const figures& f) {
      const auto h = of(f);
      return h.count == 0 ? std::string("-") : readable(h.percentile(p));
    };
    std::string factor;
    if (r_.database && r_.seawall && of(*r_.database).count > 0) {
      factor = times(ratio(of(*r_.database).percentile(p), of(*r_.seawall).percentile(p)));
    }
    row(label, value, factor);
  }

  void line(std::string_view label, std::string_view a, std::string_view b, std::string_view c) {
    fmt::format_to(std::back_inserter(text_), "{:<32}{:>14}{:>14}{:>12}", label, a, b, c);
    text_.erase(text_.find_last_not_of(' ') + 1);
    text_ += '\n';
  }
  void rule() { text_ += std::string(72, '-') + '\n'; }
  std::string take() { return std::move(text_); }

 private:
  template <class Show>
  static std::string cell(const std::optional<figures>& column, Show& show) {
    return column ? show(*column) : std::string("not run");
  }
  const demo_results& r_;
  std::string text_;
};

template <class Of>
double factor_of(const demo_results& r, Of of) {
  return r.database && r.seawall ? ratio(of(*r.seawall), of(*r.database)) : 0;
}

histogram_snapshot all_reads(const figures& f) { return f.reads(); }
histogram_snapshot only_hits(const figures& f) { return f.hits; }
histogram_snapshot only_misses(const figures& f) { return f.misses; }
histogram_snapshot only_writes(const figures& f) { return f.writes; }

double queries_per_thousand(const figures& f) {
  return 1000 * ratio(static_cast<double>(f.queries), static_cast<double>(f.requests()));
}

void shared_rows(table_writer& t) {
  using share = std::uint64_t tier_shares::*;
  const auto row = [&t](std::string_view label, share of) {
    t.row(label, [of](const figures& f) { return percent_of(f.answered.*of, f.answered.all()); });
  };
  row("  answered by the process", &tier_shares::process);
  row("  answered by Redis", &tier_shares::shared);
  row("  answered by the database", &tier_shares::database);
}

}  // namespace

double demo_results::speedup_throughput() const {
  return factor_of(*this, [](const figures& f) { return f.requests_per_second(); });
}

double demo_results::speedup_p50() const {
  return database && seawall ? ratio(database->reads().percentile(50), seawall->reads().percentile(50)) : 0;
}

double demo_results::queries_saved() const {
  if (!database || !seawall || database->queries_per_read() <= 0) return 0;
  return 1 - seawall->queries_per_read() / database->queries_per_read();
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string readable(nanoseconds duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.{}f} us", ns / 1e3, ns < 1e4 ? 2 : 1);
  if (ns < 1e9) return fmt::format("{:.{}f} ms", ns / 1e6, ns < 1e7 ? 2 : 1);
  return fmt::format("{:.1f} s", ns / 1e9);
}

void progress_bar::show(std::string_view what, double share) {
  const int percent_done = static_cast<int>(share * 100);
  if (percent_done == shown_ || (!terminal_ && shown_ >= 0 && percent_done / 10 == shown_ / 10)) return;
  shown_ = percent_done;
  if (terminal_) {
    const auto full = static_cast<std::size_t>(percent_done) * 40 / 100;
    fmt::print("\r  [{}{}] {:>3} %  {:<24}", std::string(full, '#'), std::string(40 - full, '.'), percent_done, what);
  } else {
    fmt::print("  {:>3} %  {}\n", percent_done, what);
  }
  std::fflush(stdout);
}

void progress_bar::end() {
  if (terminal_ && shown_ >= 0) fmt::print("\n");
  shown_ = -1;
}

std::string cost_table(const std::array<query_cost, request_kinds>& costs) {
  std::string text = fmt::format("  {:<14}{:>12}{:>16}{:>10}{:>12}\n", "request", "of traffic", "database time",
                                 "queries", "answer");
  for (const query_cost& c : costs) {
    if (c.share == 0) continue;
    text += fmt::format("  {:<14}{:>12}{:>16}{:>10.0f}{:>12}\n", name_of(c.kind), percent(c.share),
                        readable(nanoseconds(static_cast<std::int64_t>(c.mean_us * 1e3))), c.queries,
                        fmt::format("{:.0f} B", c.bytes));
  }
  return text;
}

std::string live_line(const figures& second, const figures& so_far) {
  const histogram_snapshot reads = second.reads();
  return fmt::format("  {:>4.0f} s {:>9} requests/s  p50 {:>8}  p99 {:>8} {:>7} queries/s  hits {:>6}  stale {}",
                     so_far.seconds, whole(second.requests_per_second()), readable(reads.percentile(50)),
                     readable(reads.percentile(99)), whole(second.queries_per_second()), percent(second.hit_rate()),
                     so_far.stale + so_far.wrong);
}

std::string result_table(const demo_results& results) {
  table_writer t(results);
  t.line("", "database", "seawall", "ratio");
  t.rule();
  t.row("requests/s", [](const figures& f) { return whole(f.requests_per_second()); },
        times(results.speedup_throughput()));
  t.latency("reads, p50", 50, all_reads);
  t.latency("reads, p95", 95, all_reads);
  t.latency("reads, p99", 99, all_reads);
  t.latency("reads, p99.9", 99.9, all_reads);
  t.latency("  hits, p50", 50, only_hits);
  t.latency("  hits, p99", 99, only_hits);
  t.latency("  misses, p50", 50, only_misses);
  t.latency("  misses, p99", 99, only_misses);
  t.row("writes/s", [](const figures& f) { return whole(f.writes_per_second()); },
        times(factor_of(results, [](const figures& f) { return f.writes_per_second(); })));
  t.latency("  writes, p50", 50, only_writes);
  t.row("database queries", [](const figures& f) { return grouped(f.queries); });
  t.row("  per 1000 requests", [](const figures& f) { return fmt::format("{:.1f}", queries_per_thousand(f)); },
        results.database && results.seawall ? "-" + percent(results.queries_saved()) : "");
  t.row("hit rate", [](const figures& f) { return f.hits.count > 0 ? percent(f.hit_rate()) : std::string("-"); });
  if (results.bound) shared_rows(t);
  t.row("answers checked", [](const figures& f) { return grouped(f.checked); });
  if (results.bound) t.row("  asked for fresh", [](const figures& f) { return grouped(f.fresh); });
  if (results.bound) t.row("  behind, within the bound", [](const figures& f) { return grouped(f.behind); });
  t.row("stale answers found", [](const figures& f) { return grouped(f.stale); });
  if (results.wrong_answers() > 0) t.row("wrong answers found", [](const figures& f) { return grouped(f.wrong); });
  return t.take();
}

std::string conclusions(const demo_results& r) {
  const auto sentence = [](std::string_view what, double value, double expected, std::string_view unit) {
    return fmt::format("{} {:.{}f}{} (expected: {:.0f}{} or more){}\n", what, value, value < 100 ? 1 : 0, unit,
                       expected, unit, value < expected ? ": BELOW what was expected" : "");
  };
  std::string text;
  if (r.database && r.seawall) {
    text += sentence("Queries of the database saved:", r.queries_saved() * 100, 90, " %");
    text += sentence("Throughput, times the database's:", r.speedup_throughput(), 10, " x");
    text += sentence("Median of all reads, times lower:", r.speedup_p50(), 50, " x");
  }
  text += fmt::format("Answers checked, the first pass included: {}; stale: {}; wrong: {}.\n",
                      grouped(r.answers_checked()), grouped(r.stale_answers()), grouped(r.wrong_answers()));
  return text;
}

}  // namespace seawall::demo

#include "redis_place.hpp"
#include "report.hpp"

#include <fmt/format.h>

namespace seawall::demo {
namespace {

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string database_of(const demo_options& o) {
  return json_text(o.postgres ? "a private PostgreSQL" : without_password(o.database));
}

std::string latencies(const histogram_snapshot& h) {
  const auto ns = [&h](double p) { return h.percentile(p).count(); };
  return fmt::format(R"({{"count": {}, "mean_ns": {}, "p50_ns": {}, "p95_ns": {}, )", h.count, h.mean().count(), ns(50),
                     ns(95)) +
         fmt::format(R"("p99_ns": {}, "p999_ns": {}, "max_ns": {}}})", ns(99), ns(99.9), h.max.count());
}

std::string mode(const std::optional<figures>& measured) {
  if (!measured) return "null";
  const figures& f = *measured;
  return fmt::format(R"({{
    "seconds": {:.3f}, "requests": {}, "requests_per_second": {:.1f}, "writes_per_second": {:.1f},
    "queries": {}, "queries_per_second": {:.1f}, "queries_per_read": {:.6f}, "hit_rate": {:.6f},
    "answers_checked": {}, "stale_answers": {}, "wrong_answers": {},
    "fresh_answers": {}, "behind_answers": {}, "oldest_answer_ns": {},
    "answered_by": {{"process": {}, "redis": {}, "database": {}}},
    "reads": {},
    "hits": {},
    "misses": {},
    "writes": {}
  }})", f.seconds, f.requests(), f.requests_per_second(), f.writes_per_second(), f.queries, f.queries_per_second(),
                     f.queries_per_read(), f.hit_rate(), f.checked, f.stale, f.wrong, f.fresh, f.behind, f.oldest_ns,
                     f.answered.process, f.answered.shared, f.answered.database, latencies(f.reads()),
                     latencies(f.hits), latencies(f.misses), latencies(f.writes));
}

}  // namespace

std::string to_json(const demo_results& r, const demo_options& o) {
  using std::chrono::nanoseconds;
  const std::string bound =
      r.bound ? std::to_string(std::chrono::duration_cast<nanoseconds>(*r.bound).count()) : std::string("null");
  return fmt::format(R"({{
  "speedup_throughput": {:.3f},
  "speedup_p50": {:.3f},
  "queries_saved": {:.6f},
  "hit_rate": {:.6f},
  "stale_answers": {},
  "wrong_answers": {},
  "answers_checked": {},
  "fresh_answers": {},
  "behind_answers": {},
  "oldest_answer_ns": {},
  "processes": {},
  "processes_lost": {},
  "bound_ns": {},
  "options": {{"seconds": {}, "threads": {}, "trace": {}, "database": {}, "scale": {}, "redis": {}, "fresh": {}}},
  "database": {},
  "first_pass": {},
  "seawall": {}
}}
)", r.speedup_throughput(), r.speedup_p50(), r.queries_saved(), r.seawall ? r.seawall->hit_rate() : 0.0,
                     r.stale_answers(), r.wrong_answers(), r.answers_checked(), r.fresh_answers(),
                     r.behind_answers(), r.oldest_answer().count(), r.processes, r.lost.size(), bound, o.seconds,
                     o.threads, json_text(o.trace), database_of(o), o.scale,
                     json_text(without_password(o.redis)), o.fresh_percent, mode(r.database), mode(r.first_pass),
                     mode(r.seawall));
}

}  // namespace seawall::demo

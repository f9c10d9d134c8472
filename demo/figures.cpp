#include "figures.hpp"

#include <algorithm>

namespace seawall::demo {
namespace {

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

histogram_snapshot difference(const histogram_snapshot& later, const histogram_snapshot& earlier) {
  histogram_snapshot d;
  d.count = later.count - earlier.count;
  d.sum = later.sum - earlier.sum;
  d.max = later.max;  // of the whole time: the maximum of a span is not kept
  for (std::size_t i = 0; i < d.buckets.size(); ++i) d.buckets[i] = later.buckets[i] - earlier.buckets[i];
  return d;
}

}  // namespace

histogram_snapshot figures::reads() const {
  histogram_snapshot all = hits;
  all.merge(misses);
  return all;
}

double figures::requests_per_second() const { return ratio(static_cast<double>(requests()), seconds); }

double figures::writes_per_second() const { return ratio(static_cast<double>(writes.count), seconds); }

double figures::queries_per_second() const { return ratio(static_cast<double>(queries), seconds); }

double figures::queries_per_read() const {
  return ratio(static_cast<double>(queries), static_cast<double>(hits.count + misses.count));
}

double figures::hit_rate() const {
  return ratio(static_cast<double>(hits.count), static_cast<double>(hits.count + misses.count));
}

void figures::add(const client_counters& client) {
  hits.merge(client.hits.snapshot());
  misses.merge(client.misses.snapshot());
  writes.merge(client.writes.snapshot());
  queries += client.queries.load(std::memory_order_relaxed);
  checked += client.checked.load(std::memory_order_relaxed);
  stale += client.stale.load(std::memory_order_relaxed);
  wrong += client.wrong.load(std::memory_order_relaxed);
  fresh += client.fresh.load(std::memory_order_relaxed);
  behind += client.behind.load(std::memory_order_relaxed);
  oldest_ns = std::max(oldest_ns, client.oldest_ns.load(std::memory_order_relaxed));
}

figures figures::since(const figures& earlier) const {
  figures d;
  d.seconds = seconds - earlier.seconds;
  d.hits = difference(hits, earlier.hits);
  d.misses = difference(misses, earlier.misses);
  d.writes = difference(writes, earlier.writes);
  d.queries = queries - earlier.queries;
  d.checked = checked - earlier.checked;
  d.stale = stale - earlier.stale;
  d.wrong = wrong - earlier.wrong;
  d.fresh = fresh - earlier.fresh;
  d.behind = behind - earlier.behind;
  d.oldest_ns = oldest_ns;  // of the whole time, as the longest sample of a histogram
  d.answered = answered - earlier.answered;
  return d;
}

}  // namespace seawall::demo

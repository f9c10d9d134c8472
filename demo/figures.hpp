// What a phase of the replay measured: counters that client threads write, and plain copies to read.
#pragma once

#include <seawall/metrics/histogram.hpp>

#include <atomic>
#include <cstdint>

namespace seawall::demo {

/// The counters of one client thread; only that thread writes them, anyone may read.
struct alignas(128) client_counters {
  histogram hits;    ///< reads whose answer existed before they began
  histogram misses;  ///< reads that waited for the database
  histogram writes;  ///< from asking for the write lock to the acknowledgement
  std::atomic<std::uint64_t> queries{0};  ///< SELECT statements for reads
  std::atomic<std::uint64_t> checked{0};
  std::atomic<std::uint64_t> stale{0};
  std::atomic<std::uint64_t> wrong{0};  ///< wrong, impossible or missing answers
};

/// All clients together, at one moment or over a span.
struct figures {
  double seconds = 0;
  histogram_snapshot hits;
  histogram_snapshot misses;
  histogram_snapshot writes;
  std::uint64_t queries = 0;
  std::uint64_t checked = 0;
  std::uint64_t stale = 0;
  std::uint64_t wrong = 0;

  histogram_snapshot reads() const;
  std::uint64_t requests() const { return hits.count + misses.count + writes.count; }
  double requests_per_second() const;
  double writes_per_second() const;
  double queries_per_second() const;
  /// Queries per read.
  double queries_per_read() const;
  double hit_rate() const;

  void add(const client_counters& client);
  /// What came after `earlier`, a snapshot of the same counters.
  figures since(const figures& earlier) const;
};

}  // namespace seawall::demo

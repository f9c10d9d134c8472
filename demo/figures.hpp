// What a phase of the replay measured: counters that client threads write, and plain copies to read.
#pragma once

#include <seawall/metrics/histogram.hpp>

#include <array>
#include <atomic>
#include <cstddef>
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
  std::atomic<std::uint64_t> wrong{0};      ///< wrong, impossible or missing answers
  std::atomic<std::uint64_t> fresh{0};      ///< of those checked: asked for what is right now
  std::atomic<std::uint64_t> behind{0};     ///< older than another process's invalidation, within the bound
  std::atomic<std::int64_t> oldest_ns{0};   ///< how long ago that invalidation had been, at most, stale ones included
};

/// Who answered the lookups of a cache.
struct tier_shares {
  static constexpr std::size_t count = 3;
  std::uint64_t process = 0;   ///< the memory of the process that was asked
  std::uint64_t shared = 0;    ///< the shared tier
  std::uint64_t database = 0;  ///< a load, by this process or another

  std::uint64_t& at(std::size_t i) noexcept { return i == 0 ? process : i == 1 ? shared : database; }
  std::uint64_t all() const noexcept { return process + shared + database; }
  friend tier_shares operator-(const tier_shares& a, const tier_shares& b) noexcept {
    return {a.process - b.process, a.shared - b.shared, a.database - b.database};
  }
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
  std::uint64_t fresh = 0;
  std::uint64_t behind = 0;
  std::int64_t oldest_ns = 0;
  tier_shares answered;  ///< none straight at the database

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

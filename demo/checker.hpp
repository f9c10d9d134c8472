// Proves that no answer is stale: every answer is held against the versions that it must and may have.
//
// What an answer must not be older than is taken down *before* the read starts.
//   One process alone, two floors:
//     acknowledged  of the row: raised by a writer after its transaction is committed and its invalidations returned;
//     seen          of the request: the highest version that any earlier answer to the same request had.
//     (What was seen is kept per request, not per row: between a commit and its invalidation one cached answer about a
//     row may rightly be older than another.)
//   One of several processes, what docs/guide/consistency.md promises:
//     fresh         what any process had committed and invalidated for all before the read;
//     any           what this process had committed and invalidated before the read; and what any process had, as long
//                   as the bound D before it. An answer that is older than another process's invalidation, and not by
//                   more than D, is *behind*: counted, and right.
// From above: no answer is newer than the newest write that ever started.
//
// Thread safety: all calls from any threads. Memory: 4 bytes per possible request, or per row.
#pragma once

#include "commit_record.hpp"
#include "request.hpp"
#include "shop_queries.hpp"
#include "shop_schema.hpp"

#include <seawall/base/clock.hpp>
#include <seawall/cache/policy.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::demo {

enum class verdict : std::uint8_t {
  good,
  behind,      ///< older than an invalidation by another process, within the bound: good, too
  stale,       ///< older than what it must have
  impossible,  ///< newer than anything ever written
  wrong,       ///< no answer, or the answer to another request
};

/// What an answer must have, taken down before its read.
struct expectation {
  std::uint32_t least = 0;       ///< the oldest version that is right
  commit_record::mark newest{};  ///< what is right now, for reads that may be behind it
  std::int64_t asked_at = 0;     ///< steady clock, ns
  std::string_view why = {};     ///< whose writes `least` is of, for complaints
};

struct judgement {
  verdict is{};
  std::int64_t age_ns = 0;  ///< how long before the read the first write that it lacks was invalidated; 0: none
  friend bool operator==(const judgement&, const judgement&) = default;
};

class checker {
 public:
  /// One process alone with this record, or, with a bound, one of several.
  explicit checker(commit_record& commits, std::optional<duration> bound = {});

  /// To be asked before the read begins.
  expectation expect(const request_key& key, consistency read_as, std::int64_t now_ns) const noexcept;
  /// Judges an answer (null: there was none), and remembers its version. The first complaints are kept as text.
  judgement check(const request_key& key, const expectation& expected, const answer* given);

  /// A writer is about to commit this version.
  void starting(const row_version& r) noexcept { commits_.starting(r); }
  /// A writer of this process has committed this version and invalidated everything derived from it.
  void acknowledged_here(const row_version& r) noexcept;
  /// The same is known to all processes now.
  void acknowledged(const row_version& r, std::int64_t now_ns) noexcept { commits_.acknowledged(r, now_ns); }

  static constexpr std::size_t max_complaints = 5;
  std::vector<std::string> complaints() const;

 private:
  using floors = std::vector<std::atomic<std::uint32_t>>;
  std::atomic<std::uint32_t>& seen(const request_key& key) const noexcept;
  judgement judge(const request_key& key, const expectation& expected, const answer* given) const noexcept;
  void complain(const request_key& key, const expectation& expected, const answer* given, const judgement& j);

  commit_record& commits_;
  const std::optional<std::int64_t> bound_ns_;
  mutable std::array<floors, request_kinds> seen_;  // one process alone
  floors own_;                                      // one of several: what was acknowledged here, of each row
  mutable std::mutex mutex_;
  std::vector<std::string> complaints_;
};

}  // namespace seawall::demo

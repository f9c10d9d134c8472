// Proves that no answer is stale: every answer is held against the versions that it must and may have.
//
// Two floors bound an answer's version from below, both taken *before* the read starts:
//   acknowledged  of the row: raised by a writer after its transaction is committed and its invalidations returned;
//   seen          of the request: the highest version that any earlier answer to the same request had.
// (What was seen is kept per request, not per row: between a commit and its invalidation one cached answer about a
// row may rightly be older than another.) From above: no answer is newer than the newest write that ever started.
//
// Thread safety: all calls from any threads; `seed` before them. Memory: 8 bytes per row, 4 per possible request.
#pragma once

#include "request.hpp"
#include "shop_queries.hpp"
#include "shop_schema.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace seawall::demo {

enum class verdict : std::uint8_t {
  good,
  stale,       ///< older than a version that was acknowledged, or seen in an answer, before the read began
  impossible,  ///< newer than anything ever written
  wrong,       ///< no answer, or the answer to another request
};

class checker {
 public:
  explicit checker(const shop_size& size);

  /// The version that a row has before anything starts. Ids beyond the size are ignored.
  void seed(const row_version& r);

  /// The least version that an answer may have; to be asked before the read begins.
  std::uint32_t floor(const request_key& key) const noexcept;
  /// Judges an answer (null: there was none), and remembers its version. The first complaints are kept as text.
  verdict check(const request_key& key, std::uint32_t floor, const answer* given);

  /// A writer is about to commit this version.
  void starting(const row_version& r) noexcept;
  /// A writer has committed this version and invalidated everything derived from it.
  void acknowledged(const row_version& r) noexcept;

  static constexpr std::size_t max_complaints = 5;
  std::vector<std::string> complaints() const;

 private:
  struct row_state {
    std::atomic<std::uint32_t> acknowledged{0};
    std::atomic<std::uint32_t> started{0};
  };
  const row_state& state(const row& r) const noexcept;
  row_state& state(const row& r) noexcept;
  std::atomic<std::uint32_t>& seen(const request_key& key) const noexcept;
  verdict judge(const request_key& key, std::uint32_t floor, const answer* given) const noexcept;
  void complain(const request_key& key, std::uint32_t floor, const answer* given, verdict v);

  std::array<std::vector<row_state>, 3> rows_;
  mutable std::array<std::vector<std::atomic<std::uint32_t>>, request_kinds> seen_;
  mutable std::mutex mutex_;
  std::vector<std::string> complaints_;
};

}  // namespace seawall::demo

// Which transactions others see. The server writes a commit to its log before other transactions see it, and the log
// may arrive here in between; whoever loads then still reads the old row.
#pragma once

#include "seawall/base/result.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace seawall::postgres {

/// What pg_current_snapshot() answers: "xmin:xmax:xip,xip". Source: PostgreSQL's manual, "Transaction ID and Snapshot
/// Information Functions".
class snapshot {
 public:
  static result<snapshot> parse(std::string_view text);

  /// Whether a transaction that has ended, with this number modulo 2^32, is seen.
  bool sees(std::uint32_t xid) const noexcept;

 private:
  std::uint64_t least_ = 0;
  std::uint64_t next_ = 0;
  std::vector<std::uint64_t> running_;
};

}  // namespace seawall::postgres

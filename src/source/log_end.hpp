// Where the log of a PostgreSQL primary ends.
#pragma once

#include "seawall/source/sql_database.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

namespace seawall::postgres {

/// A place in the history of a database cluster: each promotion begins a timeline. Places of one timeline compare.
struct log_position {
  std::int64_t timeline = 0;
  std::uint64_t at = 0;  ///< Bytes since the beginning of all logs: what PostgreSQL prints as "16/B374D848".
};

/// A row of two integers, the place and its timeline, beginning at `column` of the only row.
result<log_position> position_in(const sql::rows& found, std::size_t column);

/// Thread safety: any threads.
class log_end {
 public:
  /// `flushed`: of the part that is on the disk.
  log_end(std::shared_ptr<sql::database> primary, bool flushed);

  /// As it was at some moment after the call began. A statement serves all calls that were there when it began.
  result<log_position> now();
  std::uint64_t statements() const noexcept { return statements_.load(std::memory_order_relaxed); }

 private:
  result<log_position> ask() noexcept;

  const std::shared_ptr<sql::database> primary_;
  const std::string_view statement_;
  std::atomic<std::uint64_t> statements_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t begun_ = 0;  // guarded by mutex_: statements that were begun,
  std::uint64_t ended_ = 0;  // and that have ended; one runs at a time
  result<log_position> last_{};  // guarded by mutex_: what the last one answered
};

}  // namespace seawall::postgres

#include "log_end.hpp"

#include "seawall/source/sql_error.hpp"

#include <utility>

namespace seawall::postgres {
namespace {

// The place is that of the last record that was begun; a commit has its record before it returns.
constexpr std::string_view inserted =
    "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8, "
    "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int8";
constexpr std::string_view on_disk =
    "SELECT (pg_current_wal_flush_lsn() - '0/0')::int8, "
    "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int8";

}  // namespace

result<log_position> position_in(const sql::rows& found, std::size_t column) {
  if (found.size() == 1 && found.columns.size() >= column + 2) {
    const auto at = found[0].get<std::uint64_t>(column);
    const auto timeline = found[0].get<std::int64_t>(column + 1);
    if (at && timeline) return log_position{.timeline = *timeline, .at = *at};
  }
  return sql::fail(sql::errc::mapping, "no place in a log: \"" + found.statement + "\"");
}

log_end::log_end(std::shared_ptr<sql::database> primary, bool flushed)
    : primary_(std::move(primary)), statement_(flushed ? on_disk : inserted) {}

// One that runs already may have looked before this was called: the next one counts.
result<log_position> log_end::now() {
  std::unique_lock lock{mutex_};
  const std::uint64_t mine = begun_ + 1;
  while (ended_ < mine) {
    if (begun_ != ended_) {
      changed_.wait(lock);
      continue;
    }
    ++begun_;
    lock.unlock();
    auto answer = ask();
    lock.lock();
    last_ = std::move(answer);
    ended_ = begun_;
    changed_.notify_all();
  }
  return last_;
}

result<log_position> log_end::ask() noexcept {
  try {
    statements_.fetch_add(1, std::memory_order_relaxed);
    auto found = primary_->run(statement_, {}, sql::access::read);
    if (!found) return std::unexpected(std::move(found).error());
    return position_in(*found, 0);
  } catch (...) {  // no memory; others wait for an answer
    return std::unexpected(seawall::detail::failure_in_flight());
  }
}

}  // namespace seawall::postgres

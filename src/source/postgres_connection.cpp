#include "postgres_connection.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace seawall::postgres {
namespace {

// Rounded up, so that a deadline is over when its wait is.
int milliseconds_until(time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

result<void> without_rows(result<sql::rows> from) {
  if (!from) return std::unexpected(std::move(from).error());
  return {};
}

}  // namespace

result<sql::rows> postgres_connection::drive(const request& what) {
  talk_.start(what);
  for (wants next = talk_.step(); next != wants::nothing; next = talk_.step()) {
    pollfd one{.fd = talk_.socket(), .events = POLLIN, .revents = 0};
    if (next == wants::write) one.events = POLLIN | POLLOUT;
    const int left = milliseconds_until(talk_.deadline());
    if (left == 0 || ::poll(&one, 1, left) == 0) talk_.give_up();
  }
  return talk_.outcome();
}

result<sql::rows> postgres_connection::run_alone(std::string_view statement, std::span<const sql::value> given,
                                                 sql::access how) {
  return drive({.statement = statement, .given = given, .writes = how == sql::access::write});
}

result<void> postgres_connection::try_out() {
  return without_rows(drive({.statement = "SELECT 1", .plain = true, .harmless = true}));
}

result<sql::rows> postgres_connection::run(std::string_view statement, std::span<const sql::value> given) {
  if (!in_transaction_) return run_alone(statement, given, sql::access::write);
  if (strayed()) {
    return sql::fail(sql::errc::failed, fmt::format("{}: the transaction was ended by a statement (\"{}\")",
                                                    how_->where, sql::shortened(statement)));
  }
  return drive({.statement = statement, .given = given, .in_transaction = true});
}

result<void> postgres_connection::begin() {
  auto begun = drive({.statement = "BEGIN", .plain = true, .harmless = true});
  in_transaction_ = begun.has_value();
  return without_rows(std::move(begun));
}

result<void> postgres_connection::commit() {
  if (strayed()) {
    return sql::fail(sql::errc::outcome_unknown, fmt::format("{}: the transaction was ended by a statement: leave "
                                                             "COMMIT and ROLLBACK to transact", how_->where));
  }
  auto done = drive({.statement = "COMMIT", .plain = true, .in_transaction = true, .writes = true});
  if (done) in_transaction_ = false;
  return without_rows(std::move(done));
}

void postgres_connection::rollback() noexcept {
  in_transaction_ = false;
  if (!talk_.connected() || !talk_.in_transaction()) return;
  try {
    if (drive({.statement = "ROLLBACK", .plain = true, .in_transaction = true})) return;
  } catch (...) {  // no memory: the server rolls back what ends with its connection
  }
  talk_.close();
}

}  // namespace seawall::postgres

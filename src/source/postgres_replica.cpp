#include "seawall/source/postgres_replica.hpp"

#include "log_end.hpp"
#include "postgres_pool.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

namespace seawall::postgres {
namespace {

// A commit is seen by snapshots of the standby before the place behind it counts as replayed. So the place is asked for
// by a statement of its own: the row's has a later snapshot. The timeline is that of the last checkpoint or of the last
// page that was written, whichever is later: it may lag after a promotion, and never leads.
constexpr std::string_view look_statement =
    "SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::int8, "
    "greatest(c.timeline_id, r.min_recovery_end_timeline)::int8 "
    "FROM pg_control_checkpoint() c, pg_control_recovery() r";

constexpr duration first_look_pause = std::chrono::milliseconds{1};
constexpr duration longest_look_pause = std::chrono::milliseconds{8};
constexpr duration hurry_for = std::chrono::seconds{1};

std::unexpected<error> wrong_option(std::string_view what) {
  return seawall::fail(seawall::errc::invalid_argument, fmt::format("postgres::open_replica: {}", what));
}

// What says nothing about the statement, so that the primary may answer it: the standby is gone, or has ended the query
// to go on with its replay.
bool is_of_the_server(const error& what) {
  return sql::is(what, sql::errc::unreachable) || sql::is(what, sql::errc::conflict);
}

class replica_database final : public replica {
 public:
  replica_database(std::shared_ptr<settings> where, const replica_options& how, std::shared_ptr<database> primary)
      : where_(std::move(where)),
        patience_(how.patience),
        pool_(where_),
        primary_(std::move(primary)),
        end_(primary_, how.commits_are_flushed) {}

  result<sql::rows> run(std::string_view statement, std::span<const sql::value> given, sql::access how) override;
  replica_stats stats() const override;
  result<std::uint64_t> position() override;
  result<void> try_out();

 protected:
  result<sql::connection*> take(sql::access how) override;
  void give_back(sql::connection& which, sql::access how) noexcept override;

 private:
  enum class standing { there, late, no_standby };
  struct sight {
    standing is = standing::no_standby;
    std::uint64_t at = 0;
  };

  std::optional<result<sql::rows>> read(postgres_connection& on, std::string_view statement,
                                        std::span<const sql::value> given, const log_position& wanted);
  result<sight> look(postgres_connection& on, const log_position& wanted);
  result<sight> reach(postgres_connection& on, const log_position& wanted);
  error read_only(std::string_view statement) const;
  static void count(std::atomic<std::uint64_t>& what) noexcept { what.fetch_add(1, std::memory_order_relaxed); }

  const std::shared_ptr<settings> where_;
  const duration patience_;
  pool pool_;
  const std::shared_ptr<database> primary_;
  log_end end_;
  std::atomic<time_point> hurries_until_{time_point::min()};
  std::atomic<std::uint64_t> read_{0};
  std::atomic<std::uint64_t> late_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> looks_{0};
};

result<sql::rows> replica_database::run(std::string_view statement, std::span<const sql::value> given,
                                        sql::access how) {
  if (how == sql::access::write || !only_reads(statement)) return std::unexpected(read_only(statement));
  const auto wanted = end_.now();
  if (!wanted) return std::unexpected(wanted.error());
  auto taken = pool_.take(sql::access::read);
  if (!taken) return std::unexpected(std::move(taken).error());
  if (auto answer = read(**taken, statement, given, *wanted)) return *std::move(answer);
  return primary_->run(statement, given, sql::access::read);
}

// Nothing: the primary is to be asked. The connection is given back before that.
std::optional<result<sql::rows>> replica_database::read(postgres_connection& on, std::string_view statement,
                                                        std::span<const sql::value> given,
                                                        const log_position& wanted) {
  const lease held{*this, on, sql::access::read};
  auto seen = reach(on, wanted);
  if (seen && seen->is == standing::there) {
    auto found = on.run_behind(statement, given);
    if (found) {
      count(read_);
      found->log_position = seen->at;
      return found;
    }
    seen = std::unexpected(std::move(found).error());
  }
  if (!seen && !is_of_the_server(seen.error())) return std::unexpected(std::move(seen).error());
  count(seen && seen->is == standing::late ? late_ : failed_);
  if (seen && seen->is == standing::no_standby) on.close();  // it was promoted: there may be another one
  return std::nullopt;
}

// Waits as long as it is worth while.
result<replica_database::sight> replica_database::reach(postgres_connection& on, const log_position& wanted) {
  const time_point begin = source::steady_now();
  const time_point end = begin < hurries_until_.load(std::memory_order_relaxed) ? begin : after(begin, patience_);
  for (duration pause = first_look_pause;; pause = std::min(2 * pause, longest_look_pause)) {
    auto seen = look(on, wanted);
    if (!seen || seen->is != standing::late) return seen;
    const time_point now = source::steady_now();
    if (now >= end) {
      if (end != begin) hurries_until_.store(after(now, hurry_for), std::memory_order_relaxed);
      return seen;
    }
    std::this_thread::sleep_for(std::min(pause, end - now));
  }
}

result<replica_database::sight> replica_database::look(postgres_connection& on, const log_position& wanted) {
  count(looks_);
  auto found = on.run_alone(look_statement, {}, sql::access::read);
  if (!found && found.error() == seawall::errc::timed_out) {  // it hangs: no look takes long
    return sql::fail(sql::errc::unreachable, found.error().message());
  }
  if (!found) return std::unexpected(std::move(found).error());
  const auto here = position_in(*found, 1);
  if (!here) return std::unexpected(here.error());
  if (!(*found)[0].get<bool>(0).value_or(false)) return sight{standing::no_standby, 0};
  const bool there = here->timeline == wanted.timeline && here->at >= wanted.at;
  return sight{there ? standing::there : standing::late, here->at};
}

replica_stats replica_database::stats() const {
  const auto total = [](const std::atomic<std::uint64_t>& of) { return of.load(std::memory_order_relaxed); };
  return {.read = total(read_),
          .late = total(late_),
          .failed = total(failed_),
          .looks = total(looks_),
          .positions = end_.statements()};
}

result<std::uint64_t> replica_database::position() {
  const auto end = end_.now();
  if (!end) return std::unexpected(end.error());
  return end->at;
}

// Both servers, and the rights that are needed there.
result<void> replica_database::try_out() {
  const auto wanted = end_.now();
  if (!wanted) return std::unexpected(wanted.error());
  auto taken = pool_.take(sql::access::read);
  if (!taken) return std::unexpected(std::move(taken).error());
  const lease held{*this, **taken, sql::access::read};
  auto seen = look(**taken, *wanted);
  if (!seen) return std::unexpected(std::move(seen).error());
  return {};
}

error replica_database::read_only(std::string_view statement) const {
  return {sql::make_error_code(sql::errc::read_only),
          fmt::format("{} is for reading: write to the primary (\"{}\")", where_->where, sql::shortened(statement))};
}

result<sql::connection*> replica_database::take(sql::access how) {
  if (how == sql::access::write) return std::unexpected(read_only("BEGIN"));
  return pool_.take(how);
}

void replica_database::give_back(sql::connection& which, sql::access how) noexcept {
  pool_.give_back(static_cast<postgres_connection&>(which), how);
}

}  // namespace

result<std::shared_ptr<replica>> open_replica(const replica_options& how, std::shared_ptr<database> primary) {
  if (!primary) return wrong_option("a primary is needed");
  if (how.patience < duration::zero() || how.patience > std::chrono::hours{1}) {
    return wrong_option("patience must be 0 to 1 h");
  }
  auto ready = settings_of(how.standby, "standby");
  if (!ready) return std::unexpected(std::move(ready).error());
  auto made = std::make_shared<replica_database>(*std::move(ready), how, std::move(primary));
  if (!how.standby.lazy) {
    if (auto tried = made->try_out(); !tried) return std::unexpected(std::move(tried).error());
  }
  return made;
}

}  // namespace seawall::postgres

// Loads from a standby that is dead, hangs, is promoted, or follows another history, and without a primary.
#include "postgres_standby_support.hpp"

#include <future>
#include <optional>

namespace seawall::postgres_test {
namespace {

using namespace std::chrono_literals;
using servers::wait_until;
using sql::errc;

/// For what harms them.
struct OnOwnStandby : OnStandby {
  const pair_of_servers& both_servers() override { return own.emplace(); }
  std::optional<pair_of_servers> own;
};

TEST_F(OnOwnStandby, ADeadStandbyIsThePrimarysWorkUntilItIsBack) {
  const auto reads = reader();
  const auto read_one = [&] { return reads->query<std::int64_t>(by_id, 1); };
  EXPECT_TRUE(read_one());
  there.reset();
  standby->kill();
  run("UPDATE t SET n = 2 WHERE id = 1");
  EXPECT_EQ(read_one().value().front(), 2);
  EXPECT_EQ(reads->stats().failed, 1U);
  standby->restart();
  const auto before = reads->stats().read;
  wait_until("the standby is read again", [&] {
    EXPECT_EQ(read_one().value().front(), 2);
    return reads->stats().read > before;
  });
}

TEST_F(OnOwnStandby, WithoutThePrimaryNobodyKnowsWhatIsMissing) {
  const auto reads = reader();
  EXPECT_TRUE(reads->query<std::int64_t>(by_id, 1));
  primary->kill();
  EXPECT_TRUE(failed_with(reads->query<std::int64_t>(by_id, 1), errc::unreachable));
}

TEST_F(OnOwnStandby, OneThatIsPromotedIsNoStandby) {
  const auto reads = reader();
  EXPECT_TRUE(reads->query<std::int64_t>(by_id, 1));
  ASSERT_TRUE(there->query<bool>("SELECT pg_promote()"));
  run("UPDATE t SET n = 2 WHERE id = 1");
  EXPECT_EQ(reads->query<std::int64_t>(by_id, 1).value().front(), 2);
  EXPECT_EQ(reads->stats().failed, 1U);
  constexpr std::string_view readers = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reader'";
  wait_until("it is left, in case there is another one",
             [&] { return there->query_one<int>(readers).value() == 0; });
}

// Of two standbys the one is promoted that lacks the end of the log. The other has it, and not what comes then.
TEST_F(OnOwnStandby, OneOfAnotherHistoryIsNotReadHoweverFarItIs) {
  const auto other = standby_of(*primary);
  const auto ahead = unguarded(*other);
  there.reset();
  standby->kill();
  for (int i = 0; i != 200; ++i) run("UPDATE t SET n = 7");
  catches_up(*ahead);
  primary->kill();
  standby->restart();
  there = unguarded(*standby);
  ASSERT_TRUE(there->query<bool>("SELECT pg_promote()"));
  db = opened(at(*standby));
  run("UPDATE t SET n = 8");
  const auto end = db->query_one<std::string>("SELECT pg_current_wal_insert_lsn()::text").value().value();
  ASSERT_TRUE(ahead->query_one<bool>("SELECT pg_last_wal_replay_lsn() > $1::pg_lsn", end).value().value());
  EXPECT_EQ(ahead->query<std::int64_t>(by_id, 1).value().front(), 7);
  auto made = postgres::open_replica({.standby = {.url = other->url()}, .patience = 20ms}, db);
  ASSERT_TRUE(made) << text_of(made);
  EXPECT_EQ((*made)->query<std::int64_t>(by_id, 1).value().front(), 8);
  EXPECT_EQ((*made)->stats().late, 1U);
}

TEST_F(OnOwnStandby, OneThatHangsIsThePrimarysWorkAfterItsTimeout) {
  postgres::replica_options how{.standby = at(*standby)};
  how.standby.statement_timeout = 300ms;
  const auto made = postgres::open_replica(how, db);
  ASSERT_TRUE(made) << text_of(made);
  standby->pause();
  const auto answer = (*made)->query<std::int64_t>(by_id, 1);
  standby->resume();
  ASSERT_TRUE(answer) << text_of(answer);
  EXPECT_EQ((*made)->stats().failed, 1U);
}

TEST_F(OnStandby, AQueryThatTheStandbyEndsIsAskedOfThePrimaryUnlessItTakesTooLong) {
  constexpr std::string_view slow_there =
      "SELECT 7 FROM (SELECT CASE WHEN pg_is_in_recovery() THEN pg_sleep(60) END) there";
  const auto reads = reader();
  auto asked = std::async(std::launch::async, [&] { return reads->query<int>(slow_there); });
  wait_for_statement(*there, "pg_sleep(60)");
  ASSERT_TRUE(there->query<bool>(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT 7%'"));
  const auto answer = asked.get();
  ASSERT_TRUE(answer) << text_of(answer);
  EXPECT_EQ(answer->front(), 7);
  EXPECT_EQ(reads->stats().failed, 1U);

  postgres::replica_options how{.standby = at(*standby), .patience = 10s};
  how.standby.statement_timeout = 300ms;
  const auto hasty = postgres::open_replica(how, db);
  ASSERT_TRUE(hasty) << text_of(hasty);
  EXPECT_TRUE(failed_with((*hasty)->query<int>(slow_there), seawall::errc::timed_out));
  EXPECT_EQ((*hasty)->stats().failed, 0U);
}

}  // namespace
}  // namespace seawall::postgres_test

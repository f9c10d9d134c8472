// Servers that are killed, that hang, and connections that others have.
#include "postgres_support.hpp"
#include "seawall/testing.hpp"

#include <fmt/format.h>

#include <future>

namespace seawall::postgres_test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using sql::errc;

/// A server of its own, to be harmed.
struct WithFaults : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_POSTGRES();
    server = postgres_server::start();
    db = opened(at(*server));
    ASSERT_TRUE(db->execute("CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL)"));
    ASSERT_TRUE(db->execute("INSERT INTO t VALUES (1, 10)"));
  }
  std::int64_t stored() { return **db->query_one<std::int64_t>("SELECT n FROM t WHERE id = 1"); }

  std::unique_ptr<postgres_server> server;
  std::shared_ptr<postgres::database> db;
};

TEST_F(WithFaults, ADeadIdleConnectionIsReplacedBeforeUse) {
  EXPECT_EQ(stored(), 10);
  const auto before = db->stats().made;
  server->restart();
  EXPECT_EQ(stored(), 10);
  EXPECT_EQ(db->execute("UPDATE t SET n = 11")->rows, 1);
  EXPECT_TRUE(db->transact([](sql::transaction& t) { return t.execute("UPDATE t SET n = n + 1"); }));
  EXPECT_EQ(stored(), 12);
  EXPECT_EQ(db->stats().made, before + 2);  // a reader and a writer

  server->kill();
  EXPECT_TRUE(failed_with(db->query<int>("SELECT 1"), errc::unreachable));
  EXPECT_TRUE(failed_with(db->transact([](sql::transaction& t) { return t.execute("SELECT 1"); }), errc::unreachable));
  server->restart();
  servers::wait_until("the back-off is over", [&] { return db->execute("UPDATE t SET n = 13").has_value(); });
  EXPECT_EQ(stored(), 13);
}

TEST_F(WithFaults, AServerThatDiesDuringAStatement) {
  struct row {
    std::string_view statement;
    errc code;
  };
  for (const row& one : {row{"SELECT pg_sleep(60)", errc::unreachable},
                         row{"UPDATE t SET n = 5 WHERE pg_sleep(60) IS NOT NULL", errc::outcome_unknown}}) {
    auto running = std::async(std::launch::async, [&] { return db->query<sql::value>(one.statement); });
    wait_for_statement(*opened(at(*server)), "pg_sleep");
    server->kill();
    const auto answer = running.get();
    EXPECT_TRUE(failed_with(answer, one.code));
    EXPECT_THAT(text_of(answer), HasSubstr("pg_sleep"));
    server->restart();
  }
  EXPECT_EQ(stored(), 10);
}

TEST_F(WithFaults, AServerThatDiesDuringATransactionHasKeptNothingOfIt) {
  cache<int, int> cached{{.name = "t", .executor = std::make_shared<manual_executor>()}};
  cached.put(1, 10);
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("UPDATE t SET n = 5"));
    t.invalidates(cached, 1);
    server->restart();
    auto next = t.execute("UPDATE t SET n = 6");
    EXPECT_THAT(text_of(next), HasSubstr("and with it the transaction"));
    return std::unexpected(next.error());
  });
  EXPECT_TRUE(failed_with(done, errc::unreachable));
  EXPECT_TRUE(cached.contains(1));
  EXPECT_EQ(stored(), 10);
}

TEST_F(WithFaults, NobodyKnowsWhatBecameOfACommitWhoseAnswerIsLost) {
  ASSERT_TRUE(db->execute("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                          "'BEGIN PERFORM pg_sleep(60); RETURN NULL; END'"));
  ASSERT_TRUE(db->execute("CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED "
                          "FOR EACH ROW EXECUTE FUNCTION slow()"));
  cache<int, int> cached{{.name = "t", .executor = std::make_shared<manual_executor>()}};
  cached.put(1, 10);
  auto running = std::async(std::launch::async, [&] {
    return db->transact([&](sql::transaction& t) -> result<void> {
      EXPECT_TRUE(t.execute("UPDATE t SET n = 5"));
      t.invalidates(cached, 1);
      return {};
    });
  });
  wait_for_statement(*opened(at(*server)), "COMMIT");
  server->kill();
  EXPECT_TRUE(failed_with(running.get(), errc::outcome_unknown));
  EXPECT_FALSE(cached.contains(1));  // one too many costs a load
}

TEST_F(WithFaults, AConnectionThatIsEndedByTheServer) {
  const auto id = **db->query_one<int>("SELECT pg_backend_pid()");
  const auto other = opened(at(*server));
  ASSERT_TRUE(other->query<bool>("SELECT pg_terminate_backend($1)", id));
  servers::wait_until("it is gone", [&] {
    return **other->query_one<int>("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", id) == 0;
  });
  EXPECT_EQ(stored(), 10);
}

TEST_F(WithFaults, AHungServerCostsItsDeadline) {
  auto how = at(*server);
  how.statement_timeout = 100ms;
  how.connect_timeout = 100ms;
  const auto hasty = opened(how);
  EXPECT_TRUE(hasty->query<int>("SELECT 1"));
  EXPECT_TRUE(hasty->execute("UPDATE t SET n = 10"));
  server->pause();
  EXPECT_TRUE(failed_with(hasty->query<int>("SELECT 1"), seawall::errc::timed_out));
  EXPECT_TRUE(failed_with(hasty->execute("UPDATE t SET n = 10"), errc::outcome_unknown));
  const auto connecting = hasty->query<int>("SELECT 1");
  EXPECT_TRUE(failed_with(connecting, errc::unreachable));
  EXPECT_THAT(text_of(connecting), HasSubstr("connect_timeout"));
  server->resume();
  servers::wait_until("the back-off is over", [&] { return hasty->query<int>("SELECT 1").has_value(); });
}

TEST_F(WithFaults, ASlowStatementIsEndedByTheServerAndTheConnectionKept) {
  auto how = at(*server);
  how.statement_timeout = 50ms;
  const auto hasty = opened(how);
  EXPECT_TRUE(hasty->query<int>("SELECT 1"));
  const auto before = hasty->stats().made;
  const auto slow = hasty->query<sql::value>("SELECT pg_sleep(60)");
  EXPECT_TRUE(failed_with(slow, seawall::errc::timed_out));
  EXPECT_THAT(text_of(slow), HasSubstr("[57014]"));
  EXPECT_TRUE(hasty->query<int>("SELECT 1"));
  EXPECT_EQ(hasty->stats().made, before);
}

TEST_F(OnPostgres, AStandbyIsNotReadUnlessItIsAskedFor) {
  const auto standby = postgres_server::start({.standby = true});
  const auto in_recovery = [](const std::shared_ptr<postgres::database>& one) {
    return one->query_one<bool>("SELECT pg_is_in_recovery()").value().value();
  };
  const std::string both = fmt::format("postgres://{}:{}@127.0.0.1:{},127.0.0.1:{}/postgres", postgres_server::user,
                                       postgres_server::password, standby->port(), shared_server().port());
  EXPECT_FALSE(in_recovery(opened({.url = both})));
  EXPECT_TRUE(in_recovery(opened({.url = both + "?target_session_attrs=any"})));
  const auto alone = postgres::open(at(*standby));
  ASSERT_TRUE(failed_with(alone, sql::errc::unreachable));
  EXPECT_THAT(alone.error().message(), HasSubstr("target_session_attrs=any"));
}

TEST_F(OnPostgres, WhoWaitsForAConnectionGetsOneOrAnErrorInTime) {
  auto how = at(shared_server(), 1, 1);
  how.pool_timeout = 20ms;
  const auto small = opened(how);
  const auto write = [&] { return small->execute("UPDATE t SET n = 1"); };
  ASSERT_TRUE(small->transact([&](sql::transaction&) -> result<void> {
    const auto late = std::async(std::launch::async, write).get();
    EXPECT_TRUE(failed_with(late, errc::locked));
    EXPECT_THAT(text_of(late), HasSubstr("all 1 connections that write were in use for longer than pool_timeout"));
    EXPECT_TRUE(small->query<int>("SELECT 1"));
    return {};
  }));
  EXPECT_TRUE(write());

  how.pool_timeout = 1h;
  how.max_waiting = 1;
  const auto patient = opened(how);
  std::future<result<sql::changes>> waiting;
  ASSERT_TRUE(patient->transact([&](sql::transaction&) -> result<void> {
    waiting = std::async(std::launch::async, [&] { return patient->execute("UPDATE t SET n = 2"); });
    servers::wait_until("it waits", [&] { return patient->stats().waiting == 1; });
    const auto one_more = std::async(std::launch::async, [&] { return patient->execute("UPDATE t SET n = 3"); }).get();
    EXPECT_TRUE(failed_with(one_more, errc::locked));
    EXPECT_THAT(text_of(one_more), HasSubstr("max_waiting"));
    return {};
  }));
  EXPECT_TRUE(waiting.get());
  EXPECT_THAT(stored(), ElementsAre(2, 2, 2));
  EXPECT_EQ(patient->stats().in_use, 0U);
}

}  // namespace
}  // namespace seawall::postgres_test

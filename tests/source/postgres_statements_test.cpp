// Types on their way there and back, errors, prepared statements, transactions, the outbox: on a sound server.
#include "postgres_support.hpp"
#include "seawall/testing.hpp"

#include <boost/describe.hpp>
#include <fmt/format.h>

#include <limits>

namespace seawall::postgres_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using sql::errc;

struct note {
  int id = 0;
  std::int64_t n = 0;
  std::optional<std::string> text;
};
BOOST_DESCRIBE_STRUCT(note, (), (id, n, text))

sql::bytes raw(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

sql::value v(auto what) {
  sql::arguments one;
  one.add(what);
  return one.values()[0];
}

const std::string with_zero{"a\\b\0c'", 6};

TEST_F(OnPostgres, EveryTypeComesBackAsItWent) {
  using limits = std::numeric_limits<std::int64_t>;
  struct row {
    std::string_view type;
    sql::value given;
    sql::value expected;
  };
  const std::vector<row> table{
      {"int2", v(-32768), v(-32768)},
      {"int4", v(2147483647), v(2147483647)},
      {"int8", v(limits::min()), v(limits::min())},
      {"int8", v(limits::max()), v(limits::max())},
      {"int8", v("12"), v(12)},
      {"oid", v(4294967295), v(4294967295)},
      {"bool", v(true), v(1)},
      {"bool", v(false), v(0)},
      {"float4", v(0.1F), v(0.1F)},
      {"float8", v(0.1), v(0.1)},
      {"float8", v(5e-324), v(5e-324)},
      {"float8", v(-std::numeric_limits<double>::infinity()), v(-std::numeric_limits<double>::infinity())},
      {"numeric", v("12345678901234567890.0987654321"), v("12345678901234567890.0987654321")},
      {"numeric", v(7), v("7")},
      {"text", v("gr\xC3\xBC\xC3\x9F' \"\\ \n"), v("gr\xC3\xBC\xC3\x9F' \"\\ \n")},
      {"text", v(""), v("")},
      {"text", v(7), v("7")},
      {"varchar(3)", v("abc"), v("abc")},
      {"bytea", v(raw(with_zero)), v(raw(with_zero))},
      {"bytea", v(with_zero), v(raw(with_zero))},
      {"bytea", v(sql::bytes{}), v(sql::bytes{})},
      {"timestamptz", v("2024-02-29 12:00:00.25+02"), v("2024-02-29 10:00:00.25+00")},
      {"uuid", v("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), v("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
      {"json", v("{\"a\": [1]}"), v("{\"a\": [1]}")},
      {"jsonb", v("{\"a\":[1]}"), v("{\"a\": [1]}")},
      {"int4", v(std::nullopt), v(std::nullopt)},
      {"bytea", v(std::nullopt), v(std::nullopt)},
      {"int4[]", v(std::vector{1, 2}), v("{1,2}")},
      {"int4[]", v(std::vector<int>{}), v("{}")},
      {"float8[]", v(std::vector{0.5, 1e300}), v("{0.5,1e+300}")},
      {"text[]", v(std::vector<std::optional<std::string>>{"a,\"\\", "", std::nullopt}),
       v("{\"a,\\\"\\\\\",\"\",NULL}")},
      {"bytea[]", v(std::vector<sql::bytes>{raw(with_zero)}), v("{\"\\\\x615c62006327\"}")},
      {"bytea[]", v(std::vector{with_zero}), v("{\"\\\\x615c62006327\"}")},
  };
  for (const row& one : table) {
    const auto got = db->query_one<sql::value>(fmt::format("SELECT $1::{}", one.type), one.given);
    ASSERT_TRUE(got) << one.type << ": " << text_of(got);
    EXPECT_EQ(**got, one.expected) << one.type << ": " << (*got)->describe();
  }
}

TEST_F(OnPostgres, RowsAndChanges) {
  const auto all = db->query<note>("SELECT note AS text, n, id FROM t WHERE id <> $1 ORDER BY id", 3);
  ASSERT_TRUE(all) << text_of(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->front().text, "one");
  EXPECT_EQ(all->back().text, std::nullopt);
  EXPECT_EQ(db->execute("UPDATE t SET n = n + $1 WHERE id > $2", 1, 1)->rows, 2);
  EXPECT_EQ(db->execute("SELECT * FROM t")->rows, 0);
  EXPECT_THAT(db->query<int>("DELETE FROM t WHERE id = $1 RETURNING id", 2).value(), ElementsAre(2));
  EXPECT_THAT(stored(), ElementsAre(10, 31));
}

TEST_F(OnPostgres, ManyKeysTakeOneStatement) {
  cache<int, note> notes{{.name = "notes", .executor = std::make_shared<manual_executor>()}};
  const auto before = db->stats().prepared;
  const auto load = sql::rows_by<note>(db, "SELECT id, n, note AS text FROM t WHERE id = ANY($1)", &note::id);
  const auto got = notes.get_many(std::vector{3, 9, 1}, load);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ((**got[0]).n, 30);
  EXPECT_TRUE(got[1] && !*got[1]);
  EXPECT_EQ((**got[2]).n, 10);
  EXPECT_EQ(db->stats().prepared, before + 1);
}

TEST_F(OnPostgres, ErrorsNameTheStatementAndAWayOut) {
  struct row {
    std::string_view statement;
    boost::system::error_code code;
    std::string_view said;
  };
  const std::vector<row> table{
      {"SELECT * FROM nowhere", errc::failed,
       "relation \"nowhere\" does not exist [42P01] at \"nowhere\"; is the table"},
      {"SELECT \xC3\xBC FORM t", errc::failed, "[42601] at \"t\""},
      {"SELEKT 1", errc::failed, "syntax error at or near \"SELEKT\" [42601] at \"SELEKT\""},
      {"SELECT 1; SELECT 2", errc::failed, "multiple commands"},
      {"", errc::argument, "there is no statement in \"\""},
      {"SELECT $1::int", errc::argument, "has 1 parameters, and 0 arguments"},
      {"INSERT INTO t VALUES (1, 1)", errc::constraint, "Key (id)=(1) already exists."},
      {"SELECT 'x'::int", errc::argument, "invalid input syntax"},
      {"SELECT 1/(SELECT 0)", errc::failed, "division by zero"},
      {"COPY t TO STDOUT", errc::failed, "COPY"},
  };
  for (const row& one : table) {
    const auto done = db->execute(one.statement);
    EXPECT_TRUE(failed_with(done, one.code)) << one.statement;
    EXPECT_THAT(text_of(done), HasSubstr(one.said));
    if (one.code == errc::failed) {
      EXPECT_THAT(text_of(done), HasSubstr("database postgres at 127.0.0.1:"));
    }
  }
  EXPECT_TRUE(failed_with(db->query<int>("SELECT $1::text", with_zero), errc::argument));
  EXPECT_TRUE(db->execute("UPDATE t SET n = 1"));
}

TEST_F(OnPostgres, MoreRowsThanAllowedAreAnError) {
  auto how = at(shared_server());
  how.max_rows = 2;
  const auto few = opened(how);
  EXPECT_TRUE(failed_with(few->query<int>("SELECT id FROM t"), errc::mapping));
  EXPECT_TRUE(few->query<int>("SELECT id FROM t LIMIT 2"));
}

TEST_F(OnPostgres, WhatKeepsItFromConnectingIsSaidWithoutThePassword) {
  struct row {
    std::string url;
    boost::system::error_code code;
    std::string_view said;
  };
  const auto& server = shared_server();
  const auto with = [&](std::string_view who) {
    return fmt::format("postgres://{}@127.0.0.1:{}/postgres", who, server.port());
  };
  const std::vector<row> table{
      {with("keeper:s3cret"), errc::unreachable, "password authentication failed for user \"keeper\"; check user"},
      {with("nobody:s3cret"), errc::unreachable, "check user and password"},
      {server.url("missing"), errc::unreachable, "database \"missing\" does not exist; create it"},
      {"postgres://keeper:s3cret@127.0.0.1:1/postgres", errc::unreachable, "port 1 failed: Connection refused"},
      {server.url() + "?sslmode=verify-full", errc::unreachable, "server does not support SSL"},
      {with("keeper:s3cret%zz"), seawall::errc::invalid_argument, "url cannot be read: invalid percent-encoded token"},
      {with("keeper:s3cret@home"), seawall::errc::invalid_argument, "second '@'"},
      {"postgres://h/d?s3cret=1", seawall::errc::invalid_argument, "not shown"},
  };
  for (const row& one : table) {
    const auto made = postgres::open({.url = one.url});
    EXPECT_TRUE(failed_with(made, one.code)) << one.url;
    EXPECT_THAT(text_of(made), AllOf(HasSubstr(one.said), Not(HasSubstr("s3cret")), Not(HasSubstr("hush-7"))));
  }
  EXPECT_TRUE(failed_with(postgres::open({.url = server.url(), .writers = 0}), seawall::errc::invalid_argument));
  EXPECT_TRUE(failed_with(postgres::open({.url = server.url(), .statement_timeout = duration{1}}),
                          seawall::errc::invalid_argument));
  EXPECT_TRUE(postgres::open({.url = "postgres://127.0.0.1:1/x", .lazy = true}));
}

// ---- prepared statements ----

TEST_F(OnPostgres, ThePreparedOnesAreKeptWithinTheirLimit) {
  auto how = at(shared_server(), 1, 1);
  how.cached_statements = 2;
  const auto few = opened(how);
  constexpr std::string_view names = "SELECT count(*) FROM pg_prepared_statements";
  const auto count = [&](std::string_view statement) { return **few->query_one<std::int64_t>(statement); };
  for (int round = 0; round != 3; ++round) {
    for (const int n : {1, 2, 3, 4}) EXPECT_EQ(count(fmt::format("SELECT {}", n)), n);
  }
  EXPECT_EQ(few->stats().prepared, 12U);
  EXPECT_EQ(count("SELECT 4"), 4);
  EXPECT_EQ(few->stats().prepared, 12U);
  EXPECT_LE(count(names), 3);
}

TEST_F(OnPostgres, AStatementWhoseColumnsHaveChangedIsPreparedAgain) {
  using three = std::tuple<int, std::int64_t, std::optional<std::string>>;
  using four = std::tuple<int, std::int64_t, std::optional<std::string>, int>;
  constexpr std::string_view all = "SELECT * FROM t WHERE id = $1";
  const auto one = opened(at(shared_server(), 1, 1));
  EXPECT_TRUE(one->query_one<three>(all, 1));
  run("ALTER TABLE t ADD COLUMN more int NOT NULL DEFAULT 5");
  const auto again = one->query_one<four>(all, 1);
  ASSERT_TRUE(again) << text_of(again);
  EXPECT_EQ(std::get<3>(**again), 5);

  const auto read = [&](sql::transaction& t) { return t.query_one<four>(all, 1); };
  EXPECT_TRUE(one->transact(read));
  run("ALTER TABLE t ALTER COLUMN n TYPE int");
  EXPECT_TRUE(failed_with(one->transact(read), errc::failed));  // it has ended the transaction
  EXPECT_TRUE(one->transact(read));

  ASSERT_TRUE(one->execute("DEALLOCATE ALL"));
  EXPECT_TRUE(one->execute("UPDATE t SET n = 1"));
  ASSERT_TRUE(one->execute("DEALLOCATE ALL"));
  EXPECT_TRUE(one->execute("UPDATE t SET n = 1"));
}

// ---- transactions ----

TEST_F(OnPostgres, TransactionsAndSavepoints) {
  cache<int, std::int64_t> cached{{.name = "t", .executor = std::make_shared<manual_executor>()}};
  const auto set = [&](sql::transaction& t, int id, int n) -> result<void> {
    if (auto done = t.execute("UPDATE t SET n = $2 WHERE id = $1", id, n); !done) return std::unexpected(done.error());
    t.invalidates(cached, id);
    return {};
  };
  cached.put(1, 10);
  cached.put(2, 20);
  EXPECT_TRUE(db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 1, 11));
    EXPECT_FALSE(t.savepoint([&](sql::transaction& part) -> result<void> {
      EXPECT_TRUE(set(part, 2, 22));
      auto bad = part.execute("INSERT INTO t VALUES (1)");
      return std::unexpected(bad.error());
    }));
    EXPECT_EQ(**t.query_one<int>("SELECT n FROM t WHERE id = 2"), 20);
    EXPECT_EQ(**db->query_one<int>("SELECT n FROM t WHERE id = 1"), 10);
    EXPECT_TRUE(failed_with(db->execute("UPDATE t SET n = 0"), errc::misuse));
    return {};
  }));
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
  EXPECT_FALSE(cached.contains(1));
  EXPECT_TRUE(cached.contains(2));

  EXPECT_FALSE(db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 2, 0));
    return sql::fail(errc::failed, "refused");
  }));
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
  EXPECT_TRUE(cached.contains(2));
}

TEST_F(OnPostgres, ATransactionThatAFailureHasEndedIsNotCommitted) {
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("UPDATE t SET n = 0"));
    EXPECT_FALSE(t.execute("INSERT INTO t VALUES (1)"));
    EXPECT_THAT(text_of(t.execute("UPDATE t SET n = 1")), HasSubstr("[25P02]"));
    return {};
  });
  EXPECT_TRUE(failed_with(done, errc::failed));
  EXPECT_THAT(text_of(done), HasSubstr("nothing was committed"));
  EXPECT_THAT(stored(), ElementsAre(10, 20, 30));
}

TEST_F(OnPostgres, OneThatIsEndedByAStatementSaysSo) {
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("COMMIT"));
    EXPECT_FALSE(t.execute("UPDATE t SET n = 0"));
    return {};
  });
  EXPECT_TRUE(failed_with(done, errc::outcome_unknown));
  EXPECT_TRUE(db->execute("BEGIN"));  // and this one is not left open
  EXPECT_TRUE(db->execute("UPDATE t SET n = 7"));
  EXPECT_THAT(stored(), ElementsAre(7, 7, 7));
}

TEST_F(OnPostgres, AConflictIsTriedAgain) {
  const auto other = opened(at(shared_server()));
  int runs = 0;
  const auto add = [&](sql::transaction& t) -> result<void> {
    (void)t.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    const auto n = t.query_one<int>("SELECT n FROM t WHERE id = 1");
    if (++runs == 1) {
      EXPECT_TRUE(other->execute("UPDATE t SET n = n + 1 WHERE id = 1"));
    }
    auto done = t.execute("UPDATE t SET n = $1 WHERE id = 1", **n + 1);
    if (!done) return std::unexpected(done.error());
    return {};
  };
  EXPECT_TRUE(failed_with(db->transact(add), errc::conflict));
  runs = 0;
  EXPECT_TRUE(db->transact(add, {.retries = 1}));
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(stored(), ElementsAre(13, 20, 30));
}

TEST_F(OnPostgres, TwoRelaysShareTheOutbox) {
  cache<std::string, int> users{{.name = "users", .executor = std::make_shared<manual_executor>()}};
  run("DROP TABLE IF EXISTS seawall_outbox");
  ASSERT_TRUE(sql::create_outbox(*db) && sql::create_outbox(*db));
  ASSERT_TRUE(db->transact([&](sql::transaction& t) -> result<void> {
    t.invalidates(users, "ada");
    t.invalidates_tag(users, "team");
    return {};
  }, {.outbox = true}));
  sql::outbox_relay one{db};
  sql::outbox_relay two{db};
  one.add(users);
  two.add(users);
  EXPECT_EQ(one.lag()->rows, 2U);
  const auto other = opened(at(shared_server()));
  ASSERT_TRUE(other->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.query<int>("SELECT id FROM seawall_outbox WHERE kind = 'key' FOR UPDATE"));
    EXPECT_EQ(one.run_once().value(), 1U);  // the other row is somebody else's
    return {};
  }));
  EXPECT_EQ(two.run_once().value(), 1U);
  EXPECT_EQ(one.lag()->rows, 0U);
}

}  // namespace
}  // namespace seawall::postgres_test

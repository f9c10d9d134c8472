// Cached queries: results under their arguments and tables, and which tables SQLite says a statement reads.
#include "seawall/sql.hpp"
#include "test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace seawall::sql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using table_names = std::vector<std::string>;
using number_lists = cache<std::string, std::vector<int>>;

std::vector<int> loaded_numbers(const number_lists::answer& answer) {
  if (!answer) throw std::runtime_error(answer.error().message());
  return **answer;
}

struct CachedQueries : ::testing::Test {
  std::shared_ptr<sql::database> db = open(":memory:");
  number_lists lists{{.name = "lists"}};

  void run(std::string_view statement) {
    const auto done = db->execute(statement);
    ASSERT_TRUE(done) << text_of(done);
  }
  void invalidate(std::string_view table) {
    const auto done = db->transact([&](sql::transaction& t) -> result<void> {
      t.invalidates_tag(lists, sql::table_tag(table));
      return {};
    });
    ASSERT_TRUE(done) << text_of(done);
  }
};

TEST_F(CachedQueries, AreKeptForTheirArgumentsAndTheTablesThatAreNamed) {
  run("CREATE TABLE t (n INT)");
  run("INSERT INTO t VALUES (1), (2)");
  const sql::cached_query<int> below{lists, db, "SELECT n FROM t WHERE n < ?1 ORDER BY n", {"t"}};
  EXPECT_THAT(loaded_numbers(below(3)), ElementsAre(1, 2));
  EXPECT_THAT(loaded_numbers(below(2)), ElementsAre(1));
  EXPECT_NE(below.key(2), below.key(3));
  run("INSERT INTO t VALUES (0)");
  EXPECT_THAT(loaded_numbers(below(3)), ElementsAre(1, 2));
  invalidate("t");
  EXPECT_THAT(loaded_numbers(below(3)), ElementsAre(0, 1, 2));
  EXPECT_THAT(loaded_numbers(below(2)), ElementsAre(0, 1));
}

TEST_F(CachedQueries, AskForTheTablesThatNobodyNames) {
  run("CREATE TABLE items (id INTEGER PRIMARY KEY, n INT)");
  run("CREATE TABLE prices (id INTEGER PRIMARY KEY, cents INT)");
  run("CREATE TABLE others (id INTEGER PRIMARY KEY)");
  run("CREATE VIEW offers AS SELECT n, cents FROM items JOIN prices USING (id)");
  run("INSERT INTO items VALUES (1, 10), (2, 20)");
  run("INSERT INTO prices VALUES (1, 100), (2, 200)");
  const sql::cached_query<int> below{lists, db, "SELECT n FROM offers WHERE cents < ?1 ORDER BY n"};
  EXPECT_THAT(loaded_numbers(below(150)), ElementsAre(10));      // before its tables were known,
  EXPECT_THAT(loaded_numbers(below(250)), ElementsAre(10, 20));  // and after
  run("UPDATE items SET n = n + 1");
  invalidate("others");
  EXPECT_THAT(loaded_numbers(below(150)), ElementsAre(10));
  EXPECT_THAT(loaded_numbers(below(250)), ElementsAre(10, 20));
  invalidate("main.items");
  EXPECT_THAT(loaded_numbers(below(150)), ElementsAre(11));
  EXPECT_THAT(loaded_numbers(below(250)), ElementsAre(11, 21));
  run("DELETE FROM prices WHERE id = 1");
  invalidate("prices");
  EXPECT_THAT(loaded_numbers(below(150)), ElementsAre());
  EXPECT_THAT(loaded_numbers(below(250)), ElementsAre(21));
}

TEST_F(CachedQueries, HaveOneTableToEight) {
  const table_names nine{"a", "b", "c", "d", "e", "f", "g", "h", "i"};
  std::string all = "SELECT 1 FROM ";
  for (const auto& one : nine) {
    run("CREATE TABLE " + one + " (n INT)");
    all += one + (one == nine.back() ? "" : ", ");
  }
  const std::vector<std::string_view> named(nine.begin(), nine.end());
  const struct {
    sql::cached_query<int> query;
    std::string_view part;
  } table[] = {
      {{lists, db, "SELECT 1", named}, "8 tags, and \"SELECT 1\" has the tables a, b, c, d, e, f, g, h, i:"},
      {{lists, db, all}, "has the tables a, b, c, d, e, f, g, h, i: name those that matter"},
      {{lists, db, "SELECT 2"}, "no table is found in \"SELECT 2\""},
  };
  for (const auto& [query, part] : table) {
    const auto refused = query();
    ASSERT_FALSE(refused) << part;
    EXPECT_EQ(refused.error().code(), sql::make_error_code(sql::errc::argument));
    EXPECT_THAT(refused.error().message(), HasSubstr(part));
  }
}

// ---- a database that is asked ----

/// Answers 7 to every query, and what the test says when it is asked for tables.
class asked_database final : public sql::database {
 public:
  sql::dialect dialect() const noexcept override { return sql::dialect::sqlite; }

  std::function<result<table_names>()> tables = [] { return table_names{"t"}; };
  std::atomic<unsigned> asked = 0;

 protected:
  result<sql::connection*> take(sql::access) override { return &only_; }
  void give_back(sql::connection&, sql::access) noexcept override {}

 private:
  struct talk final : sql::connection {
    explicit talk(asked_database& of) : db(of) {}

    result<sql::rows> run(std::string_view, std::span<const sql::value>) override {
      sql::rows seven;
      seven.columns = {"n"};
      seven.values = {{std::int64_t{7}}};
      return seven;
    }
    result<void> begin() override { return {}; }
    result<void> commit() override { return {}; }
    void rollback() noexcept override {}
    result<table_names> tables_of(std::string_view) override { return ++db.asked, db.tables(); }

    asked_database& db;
  };

  talk only_{*this};
};

TEST_F(CachedQueries, AskOnceAndAgainAfterAFailure) {
  const auto played = std::make_shared<asked_database>();
  const sql::cached_query<int> seven{lists, played, "SELECT 7"};
  played->tables = []() -> result<table_names> { return sql::fail(sql::errc::unreachable, "away"); };
  const auto failed = seven(1);
  ASSERT_FALSE(failed);
  EXPECT_TRUE(sql::is(failed.error(), sql::errc::unreachable)) << failed.error().message();
  played->tables = [] { return table_names{"public.t"}; };
  const auto copy = seven;
  for (int i = 2; i != 5; ++i) EXPECT_THAT(loaded_numbers(copy(i)), ElementsAre(7));
  EXPECT_THAT(loaded_numbers(seven(5)), ElementsAre(7));
  EXPECT_EQ(played->asked.load(), 2U);
  for (int i = 2; i != 6; ++i) EXPECT_TRUE(lists.contains(seven.key(i))) << i;
  invalidate("t");
  for (int i = 2; i != 6; ++i) EXPECT_FALSE(lists.contains(seven.key(i))) << i;
}

TEST_F(CachedQueries, MayBeFirstOnSeveralThreads) {
  const auto played = std::make_shared<asked_database>();
  const sql::cached_query<int> seven{lists, played, "SELECT 7"};
  {
    std::barrier together{4};
    std::vector<std::jthread> threads;
    for (int i = 0; i != 4; ++i) {
      threads.emplace_back([&, i] {
        together.arrive_and_wait();
        for (int j = 0; j != 4; ++j) EXPECT_THAT(loaded_numbers(seven(4 * j + i)), ElementsAre(7));
      });
    }
  }
  EXPECT_LE(played->asked.load(), 4U);
  invalidate("t");
  for (int i = 0; i != 16; ++i) EXPECT_FALSE(lists.contains(seven.key(i))) << i;
}

TEST_F(CachedQueries, AnswerWhatIsCachedWithoutTheDatabase) {
  const auto played = std::make_shared<asked_database>();
  EXPECT_THAT(loaded_numbers(sql::cached_query<int>(lists, played, "SELECT 7")(1)), ElementsAre(7));
  played->tables = []() -> result<table_names> { return sql::fail(sql::errc::unreachable, "away"); };
  const sql::cached_query<int> anew{lists, played, "SELECT 7"};
  EXPECT_THAT(loaded_numbers(anew(1)), ElementsAre(7));
  EXPECT_FALSE(anew(2));
}

TEST_F(CachedQueries, OfADatabaseThatDoesNotSayItNeedTheirTablesNamed) {
  const auto mute = std::make_shared<played_database>();
  EXPECT_THAT(text_of(mute->tables_of("get")), HasSubstr("which tables a statement reads: name them (\"get\")"));
}

// ---- what SQLite says ----

TEST(SqliteTables, AreThoseThatTheStatementCanRead) {
  const folder in;
  const auto db = open(in.file("shop.db"), {.readers = 1});
  for (const std::string_view statement :
       {"CREATE TABLE items (id INTEGER PRIMARY KEY, n INT)", "CREATE TABLE Prices (id INTEGER PRIMARY KEY, cents INT)",
        "CREATE TABLE notes (text)", "CREATE VIEW v AS SELECT id FROM items",
        "CREATE VIEW vv AS SELECT v.id, p.cents FROM v LEFT JOIN Prices p ON p.id = v.id",
        "CREATE VIEW bare AS SELECT 1 AS one FROM notes", "CREATE VIRTUAL TABLE docs USING fts5(body)"}) {
    ASSERT_TRUE(db->execute(statement)) << statement;
  }
  const struct {
    std::string_view statement;
    table_names tables;
  } table[] = {
      {"SELECT * FROM items WHERE id = ?1", {"items"}},
      {"SELECT count(*) FROM ITEMS", {"items"}},
      {"SELECT cents FROM prices", {"Prices"}},
      {"SELECT count(*) FROM main.items", {"items"}},
      {"SELECT items.id FROM items LEFT JOIN prices ON prices.id = items.id", {"Prices", "items"}},
      {"SELECT count(*) FROM v", {"items"}},
      {"SELECT id FROM vv", {"Prices", "items"}},
      {"SELECT one FROM bare", {"notes"}},
      {"SELECT 1 WHERE EXISTS (SELECT 1 FROM notes) AND ?1 IN (SELECT id FROM items)", {"items", "notes"}},
      {"WITH c AS (SELECT id FROM items) SELECT count(*) FROM c", {"items"}},
      {"SELECT id FROM items UNION ALL SELECT cents FROM prices", {"Prices", "items"}},
      {"SELECT id FROM items WHERE id IN (SELECT value FROM json_each(?1))", {"items"}},
      {"SELECT count(*) FROM docs WHERE docs MATCH ?1", {"docs"}},
      {"UPDATE items SET n = 1 RETURNING id", {"items"}},
      {"SELECT name FROM sqlite_schema", {}},
      {"SELECT ?1", {}},
  };
  for (const auto& [statement, tables] : table) {
    (void)db->query<int>(statement, 1);  // a statement that the connection has prepared is asked for all the same
    const auto found = db->tables_of(statement);
    ASSERT_TRUE(found) << text_of(found);
    EXPECT_EQ(*found, tables) << statement;
    EXPECT_EQ(db->tables_of(statement).value(), tables) << statement;
  }
  EXPECT_EQ(db->query_one<int>("SELECT count(*) + 1 FROM items").value(), 1);  // nobody listens any more
  const auto error_of = [&](std::string_view statement) { return text_of(db->tables_of(statement)); };
  EXPECT_THAT(error_of("SELECT id FROM orders"), HasSubstr("no such table: orders"));
  EXPECT_THAT(error_of("SELEC 1"), HasSubstr("\"SELEC 1\""));
  EXPECT_THAT(error_of("SELECT 1; DELETE FROM items"), HasSubstr("one statement at a time"));
}

}  // namespace
}  // namespace seawall::sql_test

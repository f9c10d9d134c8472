// Rows and arguments as C++ types, and what SQLite refuses: every message names the thing.
#include "seawall/json.hpp"
#include "seawall/sql.hpp"
#include "test_database.hpp"

#include <boost/describe/class.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>

namespace seawall::sql_test {

enum class grade : std::uint8_t { low = 1, high = 2 };

struct product {
  int id = 0;
  std::string name;
  std::int64_t price = 0;
  std::optional<std::string> note;
  friend bool operator==(const product&, const product&) = default;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, price, note))

struct place {
  std::int8_t shelf = 0;
  bool full = false;
  double weight = 0;
  grade is = grade::low;
};
BOOST_DESCRIBE_STRUCT(place, (), (shelf, full, weight, is))

using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

struct Mapping : ::testing::Test {
  std::shared_ptr<sql::database> db = open(":memory:");

  template <class T, class... Args>
  T one(std::string_view statement, const Args&... args) {
    auto found = db->query_one<T>(statement, args...);
    if (!found || !*found) throw std::runtime_error(found ? "no row" : found.error().message());
    return **found;
  }
};

TEST_F(Mapping, AStructTakesItsColumnsByTheirNamesAndIgnoresOthers) {
  EXPECT_EQ(one<product>("SELECT 'x' AS note, 9 AS more, 5 AS price, 'anvil' AS name, 7 AS id"),
            (product{7, "anvil", 5, "x"}));
  EXPECT_EQ(one<product>("SELECT 7 AS id, 'anvil' AS name, 5 AS price, NULL AS note"),
            (product{7, "anvil", 5, std::nullopt}));
}

TEST_F(Mapping, ScalarsTuplesAndMappersOfOnesOwn) {
  EXPECT_EQ(one<std::string>("SELECT 'a'"), "a");
  EXPECT_EQ(one<double>("SELECT 3"), 3.0);
  EXPECT_EQ(one<std::optional<int>>("SELECT NULL"), std::nullopt);
  EXPECT_EQ(one<grade>("SELECT 2"), grade::high);
  EXPECT_EQ((one<std::tuple<int, std::string>>("SELECT 1, 'b'")), (std::tuple{1, std::string{"b"}}));
  EXPECT_EQ((one<std::pair<bool, double>>("SELECT 1, 0.5")), (std::pair{true, 0.5}));
  const auto sum = [](const sql::row_view& row) { return *row.get<int>("a") + *row.get<int>(1); };
  EXPECT_THAT(db->query_with("SELECT 1 AS a, 2 AS b UNION ALL SELECT 3, 4", sum).value(), ElementsAre(3, 7));
  const auto picky = [](const sql::row_view& row) -> result<int> { return row.get<int>("c"); };
  EXPECT_THAT(text_of(db->query_with("SELECT 1 AS a", picky)), HasSubstr("there is no column 'c', only a"));
  const auto thrower = [](const sql::row_view&) -> int { throw std::runtime_error("thrown"); };
  EXPECT_THAT(text_of(db->query_with("SELECT 1 AS a", thrower)), HasSubstr("thrown"));
}

TEST_F(Mapping, ArgumentsComeBackAsTheyWere) {
  const sql::bytes raw{std::byte{0}, std::byte{255}};
  EXPECT_EQ(one<std::string>("SELECT ?1", std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(one<sql::bytes>("SELECT ?1", raw), raw);
  EXPECT_EQ(one<sql::bytes>("SELECT ?1", sql::bytes{}), sql::bytes{});
  EXPECT_EQ(one<std::int64_t>("SELECT ?1", std::numeric_limits<std::int64_t>::min()),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(one<double>("SELECT ?1", 0.1), 0.1);
  EXPECT_EQ(one<bool>("SELECT ?1", true), true);
  EXPECT_EQ(one<grade>("SELECT ?1", grade::high), grade::high);
  EXPECT_EQ(one<std::optional<int>>("SELECT ?1", std::optional<int>{}), std::nullopt);
  EXPECT_EQ(one<std::optional<int>>("SELECT ?1", nullptr), std::nullopt);
  EXPECT_EQ(one<int>("SELECT ?1", std::optional{4}), 4);
  EXPECT_EQ(one<std::string>("SELECT ?1", std::string_view{"view"}), "view");
}

TEST_F(Mapping, AListIsOneArgument) {
  constexpr std::string_view listed = "SELECT value FROM json_each(?1) ORDER BY value";
  EXPECT_THAT(db->query<int>(listed, std::vector{3, 1}).value(), ElementsAre(1, 3));
  EXPECT_THAT(db->query<std::string>(listed, std::set<std::string>{"a\"b", "c,d"}).value(), ElementsAre("a\"b", "c,d"));
  EXPECT_THAT(db->query<int>(listed, std::vector<int>{}).value(), ElementsAre());
  const std::vector<sql::bytes> raw(1);
  EXPECT_THAT(text_of(db->query<int>(listed, raw)), HasSubstr("a list of bytes has no form"));
}

TEST_F(Mapping, WhatDoesNotFitIsNamed) {
  const auto as_product = [this](std::string_view statement) { return text_of(db->query<product>(statement)); };
  const auto as_place = [this](std::string_view statement) { return text_of(db->query<place>(statement)); };
  const auto as_int = [this](std::string_view statement) { return text_of(db->query<int>(statement)); };
  const struct {
    std::string said;
    std::vector<std::string> parts;
  } table[] = {
      {as_product("SELECT 7 AS id, 5 AS price"), {"there is no column 'name', only id, price", "SELECT 7 AS id"}},
      {as_product("SELECT 7 AS id, NULL AS name"), {"'name' cannot be read as text: found NULL", "row 1"}},
      {as_product("SELECT 7 AS id, 'a' AS id"), {"several columns are called 'id'"}},
      {as_product("SELECT 3000000000 AS id"), {"'id' cannot be read as int32_t: found 3000000000, which is out"}},
      {as_product("SELECT 1.5 AS id"), {"'id' cannot be read as int32_t: found 1.5"}},
      {as_product("SELECT 'seven' AS id"), {"'id' cannot be read as int32_t: found \"seven\""}},
      {as_place("SELECT 128 AS shelf"), {"'shelf' cannot be read as int8_t: found 128, which is out of its range"}},
      {as_place("SELECT 1 AS shelf, 2 AS full"), {"'full' cannot be read as bool: found 2"}},
      {as_place("SELECT 1 AS shelf, 0 AS full, 'x' AS weight"), {"'weight' cannot be read as double: found \"x\""}},
      {as_place("SELECT 1 AS shelf, 0 AS full, 0 AS weight, 256 AS \"is\""),
       {"'is' cannot be read as grade: found 256"}},
      {as_int("SELECT 1, 2"), {"int32_t needs 1 column, and there are 2"}},
      {as_int("SELECT x'0102' AS a"), {"found 2 bytes"}},
      {text_of(db->query<std::tuple<int, int>>("SELECT 1")), {"a tuple needs 2 columns, and there is 1"}},
      {text_of(db->query<std::tuple<int, int>>("SELECT 1, NULL AS b")), {"'b' cannot be read as part 2: found NULL"}},
      {text_of(db->query_one<int>("SELECT 1 UNION SELECT 2")), {"has 2 rows where one was asked for", "UNION"}},
      {text_of(db->query<int>("SELECT ?1", 1, 2)), {"has 1 parameters, and 2 arguments were given"}},
      {text_of(db->query<int>("SELECT ?1", ~std::uint64_t{0})), {"argument 1: 18446744073709551615", "SELECT ?1"}},
  };
  for (const auto& [said, parts] : table) {
    for (const auto& part : parts) EXPECT_THAT(said, HasSubstr(part));
  }
}

TEST(SqlMessage, AStatementIsCutBetweenCharacters) {
  const std::string many(158, 'a');
  EXPECT_EQ(sql::shortened(many + "\u00e9"), many + "\u00e9");
  EXPECT_EQ(sql::shortened(many + "\u00e9x"), many + "\u00e9...");
  EXPECT_EQ(sql::shortened(many + "a\u00e9"), many + "a...");
}

TEST_F(Mapping, ALoaderGivesValueAbsenceVersionOrError) {
  ASSERT_TRUE(db->execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price INT, note TEXT, v INT)"));
  ASSERT_TRUE(db->execute("INSERT INTO products VALUES (1, 'anvil', 5, NULL, 3), (2, 'drum', 6, 'x', 0)"));
  constexpr std::string_view by_id = "SELECT * FROM products WHERE id = ?1";
  cache<int, product> products{{.name = "products", .loader = sql::row<product>(db, std::string{by_id})}};
  EXPECT_EQ((**products.get_or_load(1)).name, "anvil");
  EXPECT_EQ(*products.get_or_load(3), nullptr);
  EXPECT_TRUE(products.contains(3));

  cache<int, product> versioned{{.name = "v", .loader = sql::row<product>(db, std::string{by_id}, {.version = "v"})}};
  served how;
  ASSERT_TRUE(versioned.get_or_load(1, {.report = &how}));
  EXPECT_EQ(how.version, 3U);
  EXPECT_THAT(text_of(versioned.get_or_load(2)), HasSubstr("the version in 'v' is 0"));

  cache<std::pair<std::string, int>, int> ids{{.name = "ids"}};
  const auto by_two = sql::row<int>(db, "SELECT id FROM products WHERE name = ?1 AND price = ?2");
  EXPECT_EQ(**ids.get_or_load(std::pair{std::string{"drum"}, 6}, by_two), 2);
  EXPECT_THAT(text_of(ids.get_or_load(std::pair{std::string{"drum"}, 7},
                                      sql::row<int>(db, "SELECT id FROM products WHERE ?1 != ?2"))),
              HasSubstr("has 2 rows for one key"));
}

TEST_F(Mapping, ManyKeysAreOneStatement) {
  ASSERT_TRUE(db->execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, price INT, note TEXT, v INT)"));
  ASSERT_TRUE(db->execute("INSERT INTO products VALUES (1, 'anvil', 5, NULL, 3), (2, 'drum', 6, 'x', 4)"));
  cache<int, product> products{{.name = "products"}};
  const auto load = sql::rows_by<product>(
      db, "SELECT * FROM products WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id DESC", &product::id);
  const std::vector<int> wanted{1, 9, 2};
  const auto found = products.get_many(wanted, load);
  EXPECT_EQ((**found[0]).name, "anvil");
  EXPECT_EQ(*found[1], nullptr);
  EXPECT_EQ((**found[2]).name, "drum");
  EXPECT_TRUE(products.contains(9));
  const auto other = sql::rows_by<product>(db, "SELECT * FROM products WHERE ?1 != ''", &product::id);
  EXPECT_THAT(text_of(products.get_many(std::vector{5}, other)[0]), HasSubstr("nobody asked for its key"));
}

// ---- SQLite ----

struct Files : ::testing::Test {
  folder in;
  std::string path = in.file("shop.db");
};

TEST_F(Files, WhatSqliteRefusesIsNamedWithAWayOut) {
  { std::ofstream{in.file("text")} << std::string(2000, 'x'); }
  auto db = open(path, {.max_rows = 2});
  ASSERT_TRUE(db->execute("CREATE TABLE a (id INTEGER PRIMARY KEY)"));
  ASSERT_TRUE(db->execute("CREATE TABLE b (id REFERENCES a, big CHECK (big < 5))"));
  ASSERT_TRUE(db->execute("INSERT INTO a VALUES (1), (2), (3)"));
  auto reader = open(path, {.create = false, .read_only = true});
  const auto error_of = [](const auto& answer) { return answer ? error{sql::errc::failed, "ok"} : answer.error(); };
  const struct {
    error said;
    sql::errc code;
    std::string part;
  } table[] = {
      {error_of(sqlite::open(in.file("none/shop.db"))), sql::errc::unreachable, "none/shop.db"},
      {error_of(sqlite::open(in.file("none.db"), {.create = false})), sql::errc::unreachable, "none.db"},
      {error_of(sqlite::open(in.file("text"))), sql::errc::no_database, "text"},
      {error_of(sqlite::open(in.file("text"), {.read_only = true})), sql::errc::no_database, "text"},
      {error_of(db->query<int>("SELECT * FROM orders")), sql::errc::failed, "no such table: orders"},
      {error_of(db->query<int>("SELEC 1")), sql::errc::failed, "\"SELEC 1\""},
      {error_of(db->execute("INSERT INTO a VALUES (1)")), sql::errc::constraint, "UNIQUE constraint failed: a.id"},
      {error_of(db->execute("INSERT INTO b VALUES (9, 1)")), sql::errc::constraint, "FOREIGN KEY"},
      {error_of(db->execute("INSERT INTO b VALUES (1, 7)")), sql::errc::constraint, "CHECK"},
      {error_of(reader->execute("DELETE FROM a")), sql::errc::read_only, "shop.db"},
      {error_of(db->execute("")), sql::errc::argument, "there is no statement"},
      {error_of(db->execute("DELETE FROM b; DELETE FROM a")), sql::errc::argument, "is followed by \"DELETE FROM a\""},
      {error_of(db->query<int>("SELECT id FROM a")), sql::errc::mapping, "more than 2 rows (max_rows)"},
  };
  for (const auto& [said, code, part] : table) {
    EXPECT_TRUE(sql::is(said, code)) << said.message();
    EXPECT_THAT(said.message(), HasSubstr(part));
  }
  EXPECT_EQ(error_of(sqlite::open(path, {.readers = 0})).code(), make_error_code(seawall::errc::invalid_argument));
  EXPECT_EQ(std::filesystem::file_size(in.file("text")), 2000U);
}

TEST_F(Files, ALockThatIsHeldTooLongIsAnError) {
  auto mine = open(path);
  auto other = open(path, {.busy_timeout = std::chrono::milliseconds{1}});
  ASSERT_TRUE(mine->execute("CREATE TABLE a (id INT)"));
  const auto held = mine->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("INSERT INTO a VALUES (1)"));
    const auto refused = other->execute("INSERT INTO a VALUES (2)");
    EXPECT_TRUE(!refused && sql::is(refused.error(), sql::errc::locked)) << text_of(refused);
    EXPECT_THAT(other->query<int>("SELECT id FROM a").value(), ElementsAre());  // and readers do not wait
    return {};
  });
  EXPECT_TRUE(held);
  EXPECT_TRUE(other->execute("INSERT INTO a VALUES (2)"));
}

TEST_F(Files, AFullDatabaseKeepsNothingOfTheTransaction) {
  auto db = open(path);
  ASSERT_TRUE(db->execute("CREATE TABLE a (data)"));
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("INSERT INTO a VALUES ('small')"));
    EXPECT_TRUE(t.run("PRAGMA max_page_count = 4", {}, sql::access::write));
    const auto full = t.execute("INSERT INTO a VALUES (?1)", sql::bytes(100'000));
    EXPECT_TRUE(!full && sql::is(full.error(), sql::errc::full)) << text_of(full);
    return {};  // the failure is passed over, and still nothing may be left
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(db->query_one<int>("SELECT count(*) FROM a").value(), 0);
}

TEST_F(Files, AColumnThatIsAddedIsThereInStatementsOfBefore) {
  const auto db = open(in.file("c.db"), {.readers = 1});
  ASSERT_TRUE(db->execute("CREATE TABLE t (a INT)") && db->execute("INSERT INTO t VALUES (1)"));
  EXPECT_THAT(db->query<std::tuple<int>>("SELECT * FROM t").value(), ElementsAre(std::tuple{1}));
  ASSERT_TRUE(db->execute("ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'two'"));
  using both = std::tuple<int, std::string>;
  EXPECT_THAT(db->query<both>("SELECT * FROM t").value(), ElementsAre(both{1, "two"}));
  EXPECT_THAT(db->query_with("SELECT * FROM t", [](const sql::row_view& row) { return row.get<std::string>("b"); })
                  .value(), ElementsAre("two"));
}

TEST_F(Files, AQueryThatWritesDoes) {
  auto db = open(path);
  ASSERT_TRUE(db->execute("CREATE TABLE a (id INTEGER PRIMARY KEY)"));
  EXPECT_EQ(db->query_one<int>("INSERT INTO a VALUES (5) RETURNING id").value(), 5);
  EXPECT_EQ(db->execute("UPDATE a SET id = id + 1")->rows, 1);
  EXPECT_EQ(db->execute("UPDATE a SET id = id + 1 WHERE id = 77")->rows, 0);
  EXPECT_EQ(open(path)->query_one<int>("SELECT id FROM a").value(), 6);
}

}  // namespace
}  // namespace seawall::sql_test

// The tables of a statement, as PostgreSQL says them, and cached queries that live by them.
#include "postgres_capture_support.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::postgres_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using table_names = std::vector<std::string>;

std::vector<int> loaded_numbers(const result<value_ptr<std::vector<int>>>& answer) {
  if (!answer) throw std::runtime_error(answer.error().message());
  return **answer;
}

/// Schemas of its own, and one that the search path has besides `public`.
struct TablesOnPostgres : OnPostgres {
  void SetUp() override {
    OnPostgres::SetUp();
    if (IsSkipped()) return;
    for (const std::string_view statement :
         {"DROP SCHEMA IF EXISTS shop, far CASCADE", "CREATE SCHEMA shop", "CREATE SCHEMA far",
          "DROP TABLE IF EXISTS items, notes, events, base CASCADE", "CREATE TABLE items (id int PRIMARY KEY, n int)",
          "CREATE TABLE notes (id int, text text)", "CREATE TABLE shop.items (id int)",
          "CREATE TABLE far.\"Odd name\" (id int)", "CREATE TABLE shop.stock (id int)",
          "CREATE VIEW v AS SELECT id FROM items", "CREATE VIEW vv AS SELECT v.id FROM v LEFT JOIN notes USING (id)",
          "CREATE MATERIALIZED VIEW m AS SELECT id FROM items",
          "CREATE TABLE events (id int, at int) PARTITION BY RANGE (at)",
          "CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (at)",
          "CREATE TABLE events_oldest PARTITION OF events_old FOR VALUES FROM (0) TO (5)",
          "CREATE TABLE base (id int)", "CREATE TABLE child () INHERITS (base)",
          "CREATE TABLE grandchild () INHERITS (child)",
          "CREATE OR REPLACE FUNCTION hidden() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM notes'"}) {
      run(statement);
    }
  }
};

TEST_F(TablesOnPostgres, AreThoseThatTheStatementNames) {
  const struct {
    std::string_view statement;
    table_names tables;
  } table[] = {
      {"SELECT n FROM items WHERE id = $1", {"items"}},
      {"SELECT n FROM public.items WHERE id = $1 AND $2::text IS NOT NULL", {"items"}},
      {"SELECT count(*) FROM items", {"items"}},
      {"SELECT items.id FROM items LEFT JOIN notes ON notes.id = items.id", {"items", "notes"}},
      {"SELECT id FROM v", {"items"}},
      {"SELECT count(*) FROM vv WHERE false", {"items", "notes"}},
      {"SELECT id FROM m", {"m"}},
      {"SELECT 1 WHERE EXISTS (SELECT 1 FROM notes) AND $1 IN (SELECT id FROM items)", {"items", "notes"}},
      {"WITH c AS (SELECT id FROM items) SELECT count(*) FROM c", {"items"}},
      {"WITH gone AS (DELETE FROM notes RETURNING id) SELECT id FROM gone JOIN items USING (id)", {"items", "notes"}},
      {"UPDATE items SET n = $1 RETURNING id", {"items"}},
      {"SELECT id FROM shop.items", {"shop.items"}},
      {"SELECT id FROM far.\"Odd name\" UNION SELECT id FROM items", {"far.Odd name", "items"}},
      {"SELECT id FROM events WHERE at < $1", {"events"}},
      {"SELECT id FROM events_oldest", {"events", "events_oldest"}},
      {"SELECT id FROM base", {"base", "child", "grandchild"}},
      {"SELECT id FROM child", {"child", "grandchild"}},
      {"SELECT hidden()", {}},
      {"SELECT relname FROM pg_class", {}},
      {"SELECT table_name FROM information_schema.tables", {}},
      {"SELECT $1::int", {}},
      {"SELECT id FROM items ORDER BY 1 -- ; the end", {"items"}},
  };
  for (const auto& [statement, tables] : table) {
    for (const bool again : {false, true}) {
      const auto found = db->tables_of(statement);
      ASSERT_TRUE(found) << text_of(found);
      EXPECT_EQ(*found, tables) << statement << (again ? ", again" : "");
    }
  }
  EXPECT_EQ(stored().size(), 3U);
}

TEST_F(TablesOnPostgres, HaveBothNamesWhereTheSearchPathFindsThem) {
  auto how = at(shared_server());
  how.url += "?options=-csearch_path%3Dshop,public";
  const auto shop = opened(how);
  EXPECT_THAT(shop->tables_of("SELECT id FROM stock").value(), ElementsAre("shop.stock", "stock"));
  EXPECT_THAT(shop->tables_of("SELECT id FROM items").value(), ElementsAre("items", "shop.items"));
  EXPECT_THAT(shop->tables_of("SELECT id FROM public.items").value(), ElementsAre("items"));
}

TEST_F(TablesOnPostgres, AreThoseOfRowSecurityToo) {
  for (const std::string_view statement :
       {"DO $$ BEGIN CREATE ROLE shopper; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT ON items, notes TO shopper", "ALTER TABLE items ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY noted ON items USING (id IN (SELECT id FROM notes))"}) {
    run(statement);
  }
  auto how = at(shared_server());
  how.url += "?options=-crole%3Dshopper";
  EXPECT_THAT(opened(how)->tables_of("SELECT n FROM items").value(), ElementsAre("items", "notes"));
  EXPECT_THAT(db->tables_of("SELECT n FROM items").value(), ElementsAre("items"));  // whom it is not for
}

TEST_F(TablesOnPostgres, AreNotToldOfWhatCannotBePrepared) {
  run("CREATE TABLE gone (id int)");
  const std::string_view from_gone = "SELECT id FROM gone";
  EXPECT_THAT(db->tables_of(from_gone).value(), ElementsAre("gone"));
  run("DROP TABLE gone");
  const struct {
    std::string_view statement;
    std::string_view part;
  } table[] = {
      {from_gone, "relation \"gone\" does not exist"},
      {"SELEC 1", "SELEC 1"},
      {"SELECT 1; DROP TABLE items", "cannot insert multiple commands"},
      {"SELECT 1; COMMIT; DROP TABLE items", "cannot insert multiple commands"},
      {"SHOW search_path", "SHOW search_path"},
      {"", "syntax error"},
  };
  for (const auto& [statement, part] : table) {
    const auto refused = db->tables_of(statement);
    EXPECT_TRUE(failed_with(refused, sql::errc::failed));
    EXPECT_THAT(text_of(refused), HasSubstr(part));
    EXPECT_THAT(db->tables_of("SELECT id FROM items").value(), ElementsAre("items"));  // its connection is well
  }
  constexpr std::string_view left = "SELECT count(*) FROM pg_prepared_statements WHERE name = 'seawall_tables'";
  EXPECT_EQ(db->query_one<int>(left).value(), 0);
  EXPECT_EQ(db->stats().in_use, 0U);
}

TEST_F(TablesOnPostgres, AreAskedAgainWhenTheServerIsBack) {
  const auto server = postgres_server::start();
  const auto far = opened(at(*server));
  ASSERT_TRUE(far->execute("CREATE TABLE items (n int)") && far->execute("INSERT INTO items VALUES (7)"));
  cache<std::string, std::vector<int>> lists{{.name = "lists"}};
  const sql::cached_query<int> above{lists, far, "SELECT n FROM items WHERE n > $1"};
  server->kill();
  EXPECT_TRUE(failed_with(above(0), sql::errc::unreachable));
  server->restart();
  servers::wait_until("the server is asked", [&] { return above(1).has_value(); });
  EXPECT_THAT(loaded_numbers(above(1)), ElementsAre(7));
  lists.invalidate_tag(sql::table_tag("items"));
  EXPECT_FALSE(lists.contains(above.key(1)));
}

// ---- both ends ----

/// Queries whose tables nobody has named, on a server whose changes are captured.
struct CachedOnPostgres : OnLogicalServer {
  void SetUp() override {
    OnLogicalServer::SetUp();
    if (IsSkipped()) return;
    for (const std::string_view statement :
         {"CREATE SCHEMA shop", "CREATE TABLE shop.stock (id int PRIMARY KEY, n int)",
          "INSERT INTO shop.stock VALUES (1, 5)",
          "CREATE VIEW shop.offers AS SELECT p.id, p.cents, s.n FROM prices p JOIN shop.stock s USING (id)"}) {
      run(statement);
    }
    constexpr std::string_view statement = "SELECT cents * n FROM shop.offers WHERE cents < $1";
    offers = std::make_unique<sql::cached_query<int>>(found, db, std::string{statement});
  }
  void TearDown() override {
    if (db) run("DROP SCHEMA IF EXISTS shop CASCADE");
    OnLogicalServer::TearDown();
  }
  void expect_loaded_anew(const std::vector<int>& now) {
    servers::wait_until("the query is loaded anew", [&] { return loaded_numbers((*offers)(1000)) == now; });
  }

  cache<std::string, std::vector<int>> found{{.name = "found", .executor = executor}};
  std::unique_ptr<sql::cached_query<int>> offers;
};

TEST_F(CachedOnPostgres, AreStaleAfterATransactionOfTheirTables) {
  EXPECT_THAT(loaded_numbers((*offers)(1000)), ElementsAre(500));
  const auto write = [&](std::string_view statement, std::string_view table) {
    const auto done = db->transact([&](sql::transaction& t) -> result<void> {
      if (auto changed = t.execute(statement); !changed) return std::unexpected(std::move(changed).error());
      t.invalidates_tag(found, sql::table_tag(table));
      return {};
    });
    ASSERT_TRUE(done) << text_of(done);
  };
  write("UPDATE products SET name = 'new' WHERE id = 1", "products");
  EXPECT_TRUE(found.contains(offers->key(1000)));
  write("UPDATE prices SET cents = 200 WHERE id = 1", "prices");
  EXPECT_THAT(loaded_numbers((*offers)(1000)), ElementsAre(1000));
  write("UPDATE prices SET cents = 300 WHERE id = 1", "public.prices");
  EXPECT_THAT(loaded_numbers((*offers)(1000)), ElementsAre(1500));
  write("UPDATE shop.stock SET n = 6", "shop.stock");
  EXPECT_THAT(loaded_numbers((*offers)(1000)), ElementsAre(1800));
}

TEST_F(CachedOnPostgres, AreStaleAfterAChangeThatIsCaptured) {
  auto capture = made(options());
  capture->table("prices").tag(found, sql::table_tag("prices"));
  capture->table("shop.stock").tag(found, sql::table_tag("shop.stock"));
  ASSERT_TRUE(capture->start());
  EXPECT_THAT(loaded_numbers((*offers)(1000)), ElementsAre(500));
  run("UPDATE products SET name = 'new' WHERE id = 1");
  catch_up();
  EXPECT_TRUE(found.contains(offers->key(1000)));
  run("UPDATE prices SET cents = 200 WHERE id = 1");
  expect_loaded_anew({1000});
  run("UPDATE shop.stock SET n = 6");
  expect_loaded_anew({1200});
}

}  // namespace
}  // namespace seawall::postgres_test

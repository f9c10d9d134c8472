// Queries as loaders, over SQLite: one row, many rows, and the result of a query with parameters.
// docs/guide/sql.md quotes it.
#include <seawall/sql.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace sql = seawall::sql;

struct product {
  int id = 0;
  std::string name;
  std::int64_t price = 0;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, price, note))

int main() {
  const auto opened = seawall::sqlite::open(":memory:");  // or "shop.db"
  if (!opened) return std::cerr << opened.error().message() << '\n', 1;
  const auto db = *opened;
  (void)db->execute("CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER NOT NULL, "
                    "note TEXT, version INTEGER NOT NULL DEFAULT 1)");
  (void)db->execute("INSERT INTO products (id, name, price, note) VALUES (?1, ?2, ?3, ?4)", 1, "anvil", 990, nullptr);
  (void)db->execute("INSERT INTO products (id, name, price, note) VALUES (?1, ?2, ?3, ?4)", 2, "drum", 450, "new");

  seawall::cache<int, product> products{
      {.name = "products",
       .loader = sql::row<product>(db, "SELECT id, name, price, note FROM products WHERE id = ?1")}};
  const auto anvil = products.get_or_load(1);  // one query
  const auto none = products.get_or_load(7);   // no such row: an absence, and cached
  bool right = anvil && *anvil && (**anvil).price == 990 && none && !*none;

  const auto by_ids = sql::rows_by<product>(
      db, "SELECT id, name, price, note FROM products WHERE id IN (SELECT value FROM json_each(?1))", &product::id);
  const std::vector<int> wanted{1, 2, 7};
  const auto some = products.get_many(wanted, by_ids);  // asks for 2 only
  right &= some[1] && (**some[1]).name == "drum";

  seawall::cache<int, product> versioned{
      {.name = "versioned",
       .loader = sql::row<product>(db, "SELECT * FROM products WHERE id = ?1", {.version = "version"})}};
  seawall::served how;
  (void)versioned.get_or_load(1, {.report = &how});
  right &= how.version == 1;

  seawall::cache<std::string, std::vector<product>> lists{{.name = "lists"}};
  const sql::cached_query<product> cheaper_than{
      lists, db, "SELECT id, name, price, note FROM products WHERE price < ?1 ORDER BY price"};
  const auto cheap = cheaper_than(500);                      // loaded
  const auto again = cheaper_than(500);                      // cached
  lists.invalidate_tag(sql::table_tag("products"));          // after a change of the table
  right &= cheap && (**cheap).size() == 1 && *cheap == *again;

  const auto rows = db->query<product>("SELECT * FROM products WHERE price > ?1", 100);
  const auto one = db->query_one<product>("SELECT * FROM products WHERE name = ?1", "drum");
  const auto pairs = db->query<std::tuple<int, std::string>>("SELECT id, name FROM products ORDER BY id");
  const auto names = db->query_with("SELECT name, price FROM products", [](const sql::row_view& row) {
    return row.get<std::string>("name");  // a mapper of your own
  });
  right &= rows && rows->size() == 2 && one && *one && pairs && names && names->size() == 2;

  const auto wrong = db->query<product>("SELECT id, name FROM products");
  if (!wrong) std::cout << wrong.error().message() << '\n';
  return right && !wrong ? 0 : 1;
}

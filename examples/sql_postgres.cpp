// A cache over PostgreSQL: rows by key, many keys in one statement, and writes that invalidate after their commit.
// POSTGRES_URL names a database in which it may make a table; without it the example is skipped.
#include <seawall/source/postgres.hpp>
#include <seawall/sql.hpp>

#include <boost/describe.hpp>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sql = seawall::sql;

struct product {
  int id = 0;
  std::string name;
  std::int64_t price = 0;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, price, note))

namespace {

bool set_up(sql::database& db) {
  return db.execute("DROP TABLE IF EXISTS products") &&
         db.execute("CREATE TABLE products (id int PRIMARY KEY, name text, price bigint, note text)") &&
         db.execute("INSERT INTO products VALUES (7, 'anchor', 990, NULL), (8, 'rope', 120, '20 m')");
}

int use(const std::shared_ptr<sql::database>& db) {
  seawall::cache<int, product> products{{
      .name = "products",
      .loader = sql::row<product>(db, "SELECT id, name, price, note FROM products WHERE id = $1")}};
  const auto some = products.get_many(
      std::vector{7, 8, 9},
      sql::rows_by<product>(db, "SELECT id, name, price, note FROM products WHERE id = ANY($1)", &product::id));
  if (!some[1] || !*some[1] || (**some[1]).name != "rope") return 2;

  const auto sold = db->transact([&](sql::transaction& t) -> seawall::result<void> {
    auto done = t.execute("UPDATE products SET price = price - $2 WHERE id = $1", 7, 90);
    if (!done) return std::unexpected(done.error());
    t.invalidates(products, 7);
    return {};
  }, {.retries = 3});
  const auto anchor = products.get_or_load(7);
  return sold && anchor && *anchor && (**anchor).price == 900 ? 0 : 3;
}

}  // namespace

int main() {
  const char* url = std::getenv("POSTGRES_URL");
  if (url == nullptr) return 77;
  auto db = seawall::postgres::open({.url = url, .writers = 2, .readers = 8});
  if (!db) {
    std::cerr << db.error().message() << '\n';
    return 1;
  }
  return set_up(**db) ? use(*db) : 1;
}

// Writes that keep caches right: write-through, transactions with savepoints, values with versions, and the outbox.
// docs/guide/writing.md quotes it.
#include <seawall/sql.hpp>

#include <cstdint>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

namespace sql = seawall::sql;

int main() {
  const auto db = seawall::sqlite::open(":memory:").value();
  (void)db->execute("CREATE TABLE prices (id INTEGER PRIMARY KEY, price INT CHECK (price >= 0), version DEFAULT 1)");
  (void)db->execute("INSERT INTO prices (id, price) VALUES (7, 100), (8, 200)");

  seawall::cache<int, std::int64_t> prices{
      {.name = "prices", .loader = sql::row<std::int64_t>(db, "SELECT price FROM prices WHERE id = ?1")}};
  seawall::cache<std::string, std::vector<int>> lists{{.name = "lists"}};
  const auto price = [&](int id) { return **prices.get_or_load(id); };
  bool right = price(7) == 100;

  // One row: changed, committed, and then its key is invalidated.
  const auto written = seawall::update(prices, 7, db, [](sql::transaction& t, int id) {
    return t.execute("UPDATE prices SET price = ?2 WHERE id = ?1", id, 110);
  });
  right &= written && written->rows == 1 && price(7) == 110;

  // Several: all of it or nothing.
  const auto moved = db->transact([&](sql::transaction& t) -> seawall::result<void> {
    if (auto done = t.execute("UPDATE prices SET price = price - 30 WHERE id = 7"); !done) {
      return std::unexpected(done.error());  // rolls back; nothing is invalidated
    }
    if (auto done = t.execute("UPDATE prices SET price = price + 30 WHERE id = 8"); !done) {
      return std::unexpected(done.error());
    }
    t.invalidates(prices, 7);  // when it is committed
    t.invalidates(prices, 8);
    t.invalidates_tag(lists, sql::table_tag("prices"));
    return {};
  });
  right &= moved && price(7) == 80 && price(8) == 230;

  // A part that may fail by itself.
  const auto partly = db->transact([&](sql::transaction& t) -> seawall::result<void> {
    const auto bonus = t.savepoint([&](sql::transaction& part) {
      part.invalidates(prices, 8);  // is forgotten with the part
      return part.execute("UPDATE prices SET price = -1 WHERE id = 8");
    });
    if (!bonus) std::cout << "left out: " << bonus.error().message() << '\n';
    t.invalidates(prices, 7);
    auto done = t.execute("UPDATE prices SET price = 90 WHERE id = 7");
    return done ? seawall::result<void>{} : std::unexpected(done.error());
  });
  right &= partly && price(7) == 90 && prices.contains(8) && price(8) == 230;

  // The writer knows the new row and its version: the value itself is put.
  const auto put = seawall::update(
      prices, 7, db, [](sql::transaction& t, int id) -> seawall::result<sql::versioned<std::int64_t>> {
        const auto row = t.query_one<std::tuple<std::int64_t, std::uint64_t>>(
            "UPDATE prices SET price = 95, version = version + 1 WHERE id = ?1 RETURNING price, version", id);
        if (!row) return std::unexpected(row.error());
        if (!*row) return seawall::fail(seawall::errc::loader_failed, "no such price");
        return sql::versioned<std::int64_t>{std::get<0>(**row), std::get<1>(**row)};
      });
  right &= put && prices.contains(7) && price(7) == 95;

  // Should this process die between the commit and the invalidation, a relay of any process repairs it.
  right &= sql::create_outbox(*db).has_value();
  const auto reset = [](sql::transaction& t, int id) {
    return t.execute("UPDATE prices SET price = 0 WHERE id = ?1", id);
  };
  const auto noted = seawall::update(prices, 8, db, reset, {.outbox = true});
  sql::outbox_relay relay{db};
  relay.add(prices);
  relay.start();
  relay.stop();  // when the program ends: what is due is done first
  right &= noted && price(8) == 0 && relay.stats().done == 1 && relay.lag()->rows == 0;
  return right ? 0 : 1;
}

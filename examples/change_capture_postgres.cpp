// A cache that hears of every change in PostgreSQL, whoever makes it: from the server's log, and by triggers.
// POSTGRES_URL names a database with wal_level = logical, and a role that may make tables and replicate; without it the
// example is skipped.
#include <seawall/cache.hpp>
#include <seawall/source/change_capture.hpp>
#include <seawall/source/postgres.hpp>
#include <seawall/sql.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

namespace sql = seawall::sql;
using namespace std::chrono_literals;

namespace {

bool set_up(sql::database& db) {
  return db.execute("DROP TABLE IF EXISTS items, prices") &&
         db.execute("CREATE TABLE items (id int PRIMARY KEY, name text)") &&
         db.execute("CREATE TABLE prices (id int PRIMARY KEY, item_id int, cents int)") &&
         db.execute("ALTER TABLE prices REPLICA IDENTITY FULL") &&
         db.execute("INSERT INTO items VALUES (7, 'anchor')");
}

// What another program does.
bool rename_item(sql::database& db) { return db.execute("UPDATE items SET name = 'buoy' WHERE id = 7").has_value(); }

// Where the log cannot be read.
int use_triggers(sql::database& db, const std::string& url) {
  seawall::cache<int, int> items{{.name = "items"}};
  seawall::change_capture capture{{
      .url = url,
      .mode = seawall::capture_mode::trigger,
      .slot = "shop",
      .create = true,
  }};
  capture.table("prices").key(items, "item_id");
  if (auto started = capture.start(); !started) {
    std::cerr << started.error().message() << '\n';
    return 4;
  }
  items.put(7, 100);
  if (!db.execute("INSERT INTO prices VALUES (1, 7, 90)")) return 5;
  for (int i = 0; i != 500 && items.contains(7); ++i) std::this_thread::sleep_for(10ms);
  const bool heard = !items.contains(7);
  // Only for good: the queue grows while nobody reads it.
  return capture.drop_slot() && heard ? 0 : 6;
}

int use(const std::shared_ptr<sql::database>& db, const std::string& url) {
  seawall::cache<int, std::string> items{
      {.name = "items", .loader = sql::row<std::string>(db, "SELECT name FROM items WHERE id = $1")}};
  seawall::cache<int, int> lists{{.name = "lists"}};

  seawall::change_capture capture{{
      .url = url,
      .slot = "seawall_shop",
      .create = true,
      .log = [](seawall::log_level, std::string_view text) { std::clog << text << '\n'; },
  }};
  capture.table("items").key(items, "id").tag(lists, [](const seawall::row_image& row) {
    return "item:" + std::string{row.text("id")};
  });
  capture.table("prices").key(items, "item_id").tag(lists, sql::table_tag("prices"));
  if (auto started = capture.start(); !started) {
    std::cerr << started.error().message() << '\n';
    return 1;
  }

  const auto name = [&] {
    const auto found = items.get_or_load(7);
    return found && *found ? **found : std::string{};
  };
  if (name() != "anchor" || !rename_item(*db)) return 2;
  for (int i = 0; i != 500 && items.contains(7); ++i) std::this_thread::sleep_for(10ms);
  const bool heard = name() == "buoy";

  const auto lag = capture.lag();
  std::cout << lag.bytes << " bytes behind, the oldest since " << lag.oldest / 1ms << " ms\n";
  // Only for good: a slot that nobody reads keeps the server's log, and what changes without one is missed.
  const auto dropped = capture.drop_slot();
  return heard && dropped ? 0 : 3;
}

}  // namespace

int main() {
  const char* url = std::getenv("POSTGRES_URL");
  if (url == nullptr) return 77;
  auto db = seawall::postgres::open({.url = url});
  if (!db) {
    std::cerr << db.error().message() << '\n';
    return 1;
  }
  if (!set_up(**db)) return 1;
  const int by_log = use(*db, url);
  return by_log == 0 ? use_triggers(**db, url) : by_log;
}

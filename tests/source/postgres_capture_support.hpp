// A server with wal_level = logical, two tables, and a change_capture of them.
#pragma once

#include "postgres_support.hpp"
#include "seawall/source/change_capture.hpp"
#include "seawall/testing.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace seawall::postgres_test {

using namespace std::chrono_literals;

/// All on one server; it survives what is done to it.
struct OnLogicalServer : ::testing::Test {
  static postgres_server& server() {
    static const auto only = postgres_server::start({.config = {
        "wal_level = logical", "max_wal_senders = 5", "max_replication_slots = 5", "max_slot_wal_keep_size = 32MB",
        "synchronous_standby_names = 'nobody'", "synchronous_commit = local", "autovacuum = off"}});
    return *only;
  }
  void SetUp() override {
    SEAWALL_NEEDS_POSTGRES();
    db = opened(at(server()));
    for (const std::string_view statement :
         {"DROP PUBLICATION IF EXISTS seawall", "DROP TABLE IF EXISTS products, prices, loose",
          "CREATE TABLE products (id int PRIMARY KEY, name text)",
          "CREATE TABLE prices (id int PRIMARY KEY, product_id int, cents int)",
          "ALTER TABLE prices REPLICA IDENTITY FULL",
          "INSERT INTO products SELECT i, 'old' FROM generate_series(1, 20) i",
          "INSERT INTO prices SELECT i, i, 100 FROM generate_series(1, 20) i"}) {
      run(statement);
    }
  }
  void TearDown() override {
    if (!db) return;
    if (HasFailure()) ADD_FAILURE() << "the captures said:\n" << logged();
    EXPECT_TRUE(made(options())->drop_slot());
  }

  void run(std::string_view statement) {
    servers::wait_until("the server takes the statement", [&] { return db->execute(statement).has_value(); });
  }

  virtual capture_options options() {
    return {.url = server().url(), .slot = "shop", .create = true, .status_every = 20ms, .first_retry = 10ms,
            .max_retry = 50ms,
            .log = [this](log_level, std::string_view text) {
              const std::lock_guard lock{log_mutex};
              log += std::string{text} + '\n';
            }};
  }
  std::unique_ptr<change_capture> made(capture_options how) {
    auto capture = std::make_unique<change_capture>(std::move(how));
    capture->table("products").key(products, "id");
    capture->table("prices").key(products, "product_id").tag(lists, sql::table_tag("prices"));
    return capture;
  }
  std::unique_ptr<change_capture> started() { return started(options()); }
  std::unique_ptr<change_capture> started(capture_options how) {
    auto capture = made(std::move(how));
    const auto done = capture->start();
    EXPECT_TRUE(done) << text_of(done);
    return capture;
  }

  void fill() {
    for (int id = 1; id <= 30; ++id) products.put(id, "cached");
    lists.put(1, "cached", {.tags = {sql::table_tag("prices")}});
  }
  void expect_gone(cache<int, std::string>& from, int key) {
    servers::wait_until("it is invalidated", [&] { return !from.contains(key); });
  }
  void expect_streaming(const change_capture& capture, std::uint64_t times) {
    servers::wait_until("it reads again", [&] {
      const auto now = capture.stats();
      return now.streaming && now.connections >= times;
    });
  }
  /// Whatever was committed before is followed.
  void catch_up() {
    products.put(20, "mark");
    run("UPDATE products SET id = 20 WHERE id = 20");
    expect_gone(products, 20);
  }
  /// Each kind of change, made by somebody else, removes what it makes stale and nothing more.
  void expect_changes_heard() {
    struct row {
      std::string_view statement;
      int gone;
      bool lists_gone;
    };
    for (const row& one : {row{"INSERT INTO products VALUES (25, 'new')", 25, false},
                           row{"UPDATE products SET name = 'new' WHERE id = 1", 1, false},
                           row{"DELETE FROM products WHERE id = 2", 2, false},
                           row{"UPDATE products SET id = 28 WHERE id = 3", 3, false},
                           row{"UPDATE products SET id = 27 WHERE id = 28", 27, false},
                           row{"UPDATE prices SET product_id = 29 WHERE id = 4", 4, true},
                           row{"UPDATE prices SET product_id = NULL WHERE id = 4", 29, true},
                           row{"DELETE FROM prices WHERE id = 6", 6, true},
                           row{"ALTER TABLE products ADD COLUMN note text, DROP COLUMN name", 0, false},
                           row{"INSERT INTO products VALUES (26, 'note')", 26, false}}) {
      SCOPED_TRACE(one.statement);
      fill();
      run(one.statement);
      if (one.gone != 0) expect_gone(products, one.gone);
      catch_up();
      EXPECT_EQ(lists.contains(1), !one.lists_gone);
      EXPECT_TRUE(products.contains(10));
    }
  }
  std::string logged() {
    const std::lock_guard lock{log_mutex};
    return log;
  }

  std::shared_ptr<postgres::database> db;
  std::mutex log_mutex;
  std::string log;  // guarded by log_mutex
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  cache<int, std::string> products{{.name = "products", .executor = executor}};
  cache<int, std::string> lists{{.name = "lists", .executor = executor}};
};

}  // namespace seawall::postgres_test

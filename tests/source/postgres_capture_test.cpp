// change_capture on a real server: whoever changes a row, the caches hear of it, whatever is killed in between.
#include "postgres_capture_support.hpp"

#include <signal.h>

#include <atomic>
#include <thread>

namespace seawall::postgres_test {
namespace {

using ::testing::HasSubstr;

TEST_F(OnLogicalServer, WhatIsChangedElsewhereIsInvalidated) {
  const auto capture = started();
  expect_changes_heard();
  fill();
  products.put_absent(30);  // a cached absence hides a row, too
  run("INSERT INTO products VALUES (30, 'new')");
  expect_gone(products, 30);
  EXPECT_EQ(capture->stats().unclear, 0);
  EXPECT_EQ(capture->stats().cleared_all, 1);
  EXPECT_EQ(capture->stats().slots, 1);
}

TEST_F(OnLogicalServer, WholeTransactionsCount) {
  auto how = options();
  how.max_steps = 100;
  const auto capture = started(how);
  fill();
  EXPECT_FALSE(db->transact([](sql::transaction& t) -> result<void> {
    (void)t.execute("UPDATE products SET name = 'x'");
    return fail(seawall::errc::cancelled);
  }));
  catch_up();
  EXPECT_TRUE(products.contains(1)) << "rolled back";

  run("TRUNCATE prices");
  expect_gone(lists, 1);
  expect_gone(products, 1);

  fill();
  run("INSERT INTO prices SELECT i, 100 + i, 1 FROM generate_series(1, 5000) i");
  expect_gone(products, 1);
  catch_up();
  EXPECT_EQ(capture->stats().cleared_all, 2);
}

TEST_F(OnLogicalServer, ARowWhoseKeyCannotBeToldClearsItsCache) {
  auto capture = made(options());
  capture->table("products").tag(lists, [](const row_image& row) { return "name:" + std::string{row.text("name")}; });
  ASSERT_TRUE(capture->start());
  lists.put(1, "cached", {.tags = {"name:new"}});
  lists.put(2, "cached", {.tags = {"name:other"}});
  run("INSERT INTO products VALUES (25, 'new')");
  expect_gone(lists, 1);
  EXPECT_TRUE(lists.contains(2));
  run("UPDATE products SET name = 'newer' WHERE id = 25");
  expect_gone(lists, 2);
  servers::wait_until("it is counted", [&] { return capture->stats().unclear == 1; });
  EXPECT_THAT(logged(), HasSubstr("'lists' is cleared: the old 'name' of a row of public.products is not in the log"));
}

TEST_F(OnLogicalServer, NothingIsMissedWhoeverDies) {
  auto capture = started();
  fill();
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
  run("UPDATE products SET name = 'a' WHERE id = 1");
  expect_gone(products, 1);

  server().restart();
  run("UPDATE products SET name = 'b' WHERE id = 2");
  expect_gone(products, 2);
  EXPECT_GE(capture->stats().failures, 2);

  capture.reset();
  run("UPDATE products SET name = 'c' WHERE id = 3");
  EXPECT_TRUE(products.contains(3));
  capture = started();
  expect_gone(products, 3);
  EXPECT_TRUE(products.contains(10));
  EXPECT_EQ(capture->stats().slots, 0);
}

TEST_F(OnLogicalServer, ASlotThatIsGoneOrLostClearsEverythingAndIsMadeAnew) {
  auto capture = started();
  fill();
  servers::wait_until("it is dropped", [&] {
    (void)db->execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    return db->execute("SELECT pg_drop_replication_slot('shop')").has_value();
  });
  expect_gone(products, 10);
  expect_gone(lists, 1);
  expect_streaming(*capture, 2);
  catch_up();

  capture.reset();
  fill();
  servers::wait_until("the server has removed its log", [&] {
    run("CREATE TABLE loose (n int)");
    run("DROP TABLE loose");
    run("SELECT pg_switch_wal()");
    run("CHECKPOINT");
    const auto state = db->query_one<std::string>("SELECT wal_status FROM pg_replication_slots");
    return **state == "lost";
  });
  capture = started();
  EXPECT_FALSE(products.contains(10));
  EXPECT_EQ(capture->stats().slots, 1);
  catch_up();
}

// What was changed before it is known to nobody but by the clear.
TEST_F(OnLogicalServer, ASlotIsMadeOnceItsClearIsDelivered) {
  std::atomic<bool> delivered{false};
  auto how = options();
  how.delivered = [&] { return delivered.load(); };
  fill();
  const auto capture = started(how);
  EXPECT_FALSE(products.contains(10));
  EXPECT_EQ(capture->stats().slots, 0);
  EXPECT_FALSE(capture->stats().streaming);
  delivered = true;
  expect_streaming(*capture, 1);
  EXPECT_EQ(capture->stats().slots, 1);
}

TEST_F(OnLogicalServer, APlaceIsConfirmedOnceDelivered) {
  std::atomic<bool> delivered{true};
  auto how = options();
  how.delivered = [&] { return delivered.load(); };
  auto capture = started(how);
  catch_up();
  delivered = false;
  fill();
  run("UPDATE products SET name = 'a' WHERE id = 1");
  expect_gone(products, 1);
  EXPECT_GT(capture->lag().oldest, 0ns);
  capture.reset();
  fill();
  capture = started(how);
  expect_gone(products, 1);  // again
  delivered = true;
  servers::wait_until("it is confirmed", [&] { return capture->lag().oldest == 0ns; });
  capture.reset();
}

/// A cache whose shared tier may fail.
struct unreachable_cache {
  using key_type = int;
  std::string name() const { return "unreachable"; }
  void invalidate(int) {}
  void invalidate_tag(std::string_view) {}
  bool clear() { return ++clears, is_well; }
  std::size_t undelivered() const { return owed; }
  std::atomic<std::size_t> owed{0};
  std::atomic<bool> is_well{true};
  std::atomic<int> clears{0};
};

TEST_F(OnLogicalServer, AClearThatTheSharedTierFailsIsTriedUntilItIsDone) {
  unreachable_cache plain;
  run("CREATE TABLE loose (id int PRIMARY KEY)");
  auto capture = made(options());
  capture->table("loose").all(plain);
  ASSERT_TRUE(capture->start());
  catch_up();
  plain.clears = 0;
  plain.is_well = false;
  run("INSERT INTO loose VALUES (1)");
  servers::wait_until("it is tried again", [&] { return plain.clears >= 3; });
  EXPECT_GT(capture->lag().oldest, 0ns);
  plain.is_well = true;
  servers::wait_until("it is confirmed", [&] { return capture->lag().oldest == 0ns; });
  capture.reset();
}

TEST_F(OnLogicalServer, WhatTheTierOfACacheOwesIsNotConfirmed) {
  unreachable_cache far;
  run("CREATE TABLE loose (id int PRIMARY KEY)");
  auto capture = made(options());
  capture->table("loose").key(far, "id");
  ASSERT_TRUE(capture->start());
  catch_up();
  far.owed = 1;
  const auto before = capture->stats().confirmed;
  run("INSERT INTO loose VALUES (1)");
  servers::wait_until("it is invalidated", [&] { return capture->stats().invalidations >= 1; });
  const auto gauges = [&] {
    std::map<std::string_view, std::uint64_t> all;
    for (const auto& one : capture->stats_handle()->counters().gauges) all[one.name] = one.value;
    return all;
  };
  servers::wait_until("it grows old", [&] { return gauges().at("lag_milliseconds") > 0; });
  EXPECT_EQ(gauges().at("streaming"), 1U);
  EXPECT_EQ(capture->stats().confirmed, before);
  far.owed = 0;
  servers::wait_until("it is confirmed", [&] { return capture->lag().oldest == 0ns; });
  EXPECT_GT(capture->stats().confirmed, before);
  capture.reset();
}

TEST_F(OnLogicalServer, ABacklogBeyondTheLimitIsGivenUp) {
  std::atomic<bool> delivered{true};
  auto how = options();
  how.max_lag_bytes = 1U << 20U;
  how.delivered = [&] { return delivered.load(); };
  const auto capture = started(how);
  delivered = false;
  fill();
  run("INSERT INTO prices SELECT i, NULL, 1 FROM generate_series(100, 30000) i");
  expect_gone(products, 10);
  delivered = true;
  expect_streaming(*capture, 2);
  EXPECT_GE(capture->stats().cleared_all, 2);
  EXPECT_THAT(logged(), HasSubstr("more than max_lag_bytes"));
  catch_up();
}

TEST_F(OnLogicalServer, ASlotIsReadByOneAndTheNextWaits) {
  auto first = started();
  const auto second = started();
  EXPECT_FALSE(second->stats().streaming);
  EXPECT_THAT(second->stats().problem, HasSubstr("another capture has it"));
  first.reset();
  expect_streaming(*second, 1);
  fill();
  catch_up();
}

TEST_F(OnLogicalServer, ASilentServerIsGivenUp) {
  auto how = options();
  how.silence = 200ms;
  const auto capture = started(how);
  catch_up();
  const auto sender = **db->query_one<int>("SELECT active_pid FROM pg_replication_slots");
  ASSERT_EQ(::kill(sender, SIGSTOP), 0);
  servers::wait_until("it is given up", [&] { return capture->stats().failures != 0; });
  EXPECT_THAT(logged(), HasSubstr("the server says nothing"));
  fill();
  run("UPDATE products SET name = 'a' WHERE id = 1");
  EXPECT_EQ(::kill(sender, SIGCONT), 0);
  expect_gone(products, 1);
  EXPECT_TRUE(products.contains(10));
}

TEST_F(OnLogicalServer, ItMayBeStoppedAndStartedAgain) {
  const auto capture = started();
  catch_up();
  capture->stop();
  EXPECT_FALSE(capture->stats().streaming);
  fill();
  run("UPDATE products SET name = 'a' WHERE id = 1");
  ASSERT_TRUE(capture->start());
  ASSERT_TRUE(capture->start());  // once
  expect_gone(products, 1);
  EXPECT_TRUE(products.contains(10));
}

TEST_F(OnLogicalServer, AnotherTableIsCapturedOnceTheSlotIsFree) {
  auto first = started();
  run("CREATE TABLE loose (id int PRIMARY KEY)");
  auto second = made(options());
  second->table("loose").key(products, "id");
  ASSERT_TRUE(second->start());
  EXPECT_THAT(second->stats().problem, HasSubstr("another capture has it"));
  fill();
  first.reset();
  expect_streaming(*second, 1);
  EXPECT_FALSE(products.contains(10));  // what became of it before is in no stream
  EXPECT_EQ(second->stats().slots, 1);
  products.put(11, "cached");
  run("INSERT INTO loose VALUES (11)");
  expect_gone(products, 11);
}

TEST_F(OnLogicalServer, ACommitCountsOnceOthersSeeIt) {
  const auto capture = started();
  fill();
  // A standby that never answers: the commit is in the log, and its session waits.
  auto writer = std::thread{[this] {
    (void)db->transact([](sql::transaction& t) -> result<void> {
      (void)t.execute("SET LOCAL synchronous_commit = on");
      (void)t.execute("UPDATE products SET name = 'unseen' WHERE id = 1");
      return {};
    });
  }};
  const std::string waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  servers::wait_until("it waits", [&] { return **db->query_one<int>("SELECT count(*) " + waiting) == 1; });
  servers::wait_until("the commit is here", [&] { return capture->lag().oldest > 0ns; });
  EXPECT_EQ(*db->query_one<std::string>("SELECT name FROM products WHERE id = 1"), "old");
  EXPECT_TRUE(products.contains(1));  // else a reader would store "old" again
  run("SELECT pg_cancel_backend(pid) " + waiting);
  expect_gone(products, 1);
  writer.join();
}

TEST_F(OnLogicalServer, WhatIsMissingIsNamedWithTheWayOut) {
  run("CREATE TABLE loose (id int)");
  struct row {
    std::string_view table, column;
    bool create;
    std::string_view said;
  };
  for (const row& one : {
           row{"nothing", "id", true, "there is no table public.nothing"},
           row{"products", "key", true, "public.products has no column 'key'"},
           row{"products", "name", true, "ALTER TABLE \"public\".\"products\" REPLICA IDENTITY FULL"},
           row{"loose", "id", true, "neither a primary key"},
           row{"products", "id", false, "CREATE PUBLICATION \"seawall\""},
       }) {
    auto how = options();
    how.create = one.create;
    change_capture capture{how};
    capture.table(one.table).key(products, one.column);
    EXPECT_THAT(text_of(capture.start()), HasSubstr(one.said));
  }
  run("CREATE PUBLICATION seawall");
  auto how = options();
  how.create = false;
  EXPECT_THAT(text_of(made(how)->start()), HasSubstr("ALTER PUBLICATION \"seawall\" ADD TABLE \"public\""));
  run("ALTER PUBLICATION seawall ADD TABLE products, prices");
  run("DROP ROLE IF EXISTS plain");
  run("CREATE ROLE plain LOGIN PASSWORD 'plain'");
  auto plain = how;
  plain.url = "postgres://plain:plain@127.0.0.1:" + std::to_string(server().port()) + "/postgres";
  EXPECT_THAT(text_of(made(plain)->start()), HasSubstr("a slot needs the right REPLICATION"));
  run("ALTER PUBLICATION seawall SET (publish = 'insert')");
  EXPECT_THAT(text_of(made(how)->start()), HasSubstr("leaves changes out"));
  how.slot = "Shop";
  EXPECT_TRUE(failed_with(made(how)->start(), seawall::errc::invalid_argument));
  how = options();
  how.url = shared_server().url();
  EXPECT_THAT(text_of(made(how)->start()), HasSubstr("wal_level is replica"));
}

// Each key has one number that only grows; readers and the writer share nothing but the server.
TEST_F(OnLogicalServer, TheCacheAgreesInTheEndWhateverDies) {
  run("CREATE TABLE loose (id int PRIMARY KEY, n int NOT NULL)");
  constexpr int keys = 16;
  cache<int, int> numbers{{.name = "numbers", .loader = sql::row<int>(db, "SELECT n FROM loose WHERE id = $1")}};
  const auto begin = [&] {
    auto capture = std::make_unique<change_capture>(options());
    capture->table("loose").key(numbers, "id");
    servers::wait_until("it starts", [&] { return capture->start().has_value(); });
    return capture;
  };
  auto capture = begin();
  std::atomic<bool> writing{true};
  auto reader = std::thread{[&] {
    for (int i = 0; writing; ++i) (void)numbers.get_or_load(i % keys);
  }};
  auto writer = std::thread{[&] {
    const auto other = opened(at(server()));
    for (int i = 0; i != 1500; ++i) {
      servers::wait_until("it is written", [&] {
        return other->execute(i % 7 == 0 ? "DELETE FROM loose WHERE id = $1 AND n <> $2"
                                         : "INSERT INTO loose VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = $2",
                              (i * 5) % keys, i).has_value();
      });
    }
    writing = false;
  }};
  for (int round = 0; writing; ++round) {
    const auto before = capture->stats();
    if (round % 3 == 0) (void)db->execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    if (round % 3 == 1) capture.reset();
    if (round % 3 == 1) capture = begin();
    if (round % 3 == 2) server().restart();
    servers::wait_until("it reads", [&] { return !writing || capture->stats().streaming; });
    servers::wait_until("more has changed", [&] { return !writing || capture->stats().changes != before.changes; });
  }
  reader.join();
  writer.join();
  for (int key = 0; key != keys; ++key) {
    servers::wait_until("the cache agrees", [&] {
      const auto stored = db->query_one<int>("SELECT n FROM loose WHERE id = $1", key);
      const auto cached = numbers.get_or_load(key);
      if (!stored || !cached) return false;
      return *stored ? *cached && **cached == **stored : !*cached;
    });
  }
}

}  // namespace
}  // namespace seawall::postgres_test

// change_capture by triggers on a real server: nothing of it needs the log, nor a right to read it.
#include "postgres_capture_support.hpp"

#include <fmt/format.h>

#include <atomic>
#include <vector>

namespace seawall::postgres_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ByTrigger : OnLogicalServer {
  void SetUp() override {
    OnLogicalServer::SetUp();
    if (db) run("ALTER TABLE prices REPLICA IDENTITY DEFAULT");
  }
  capture_options options() override {
    auto how = OnLogicalServer::options();
    how.mode = capture_mode::trigger;
    return how;
  }
  int queued() { return **db->query_one<int>("SELECT count(*) FROM seawall_capture_shop"); }
  void expect_drained() {
    servers::wait_until("the queue is empty", [&] { return queued() == 0; });
  }
};

// Statements of an administrator, of which a function's has more than one semicolon.
std::vector<std::string> statements_in(std::string_view text) {
  std::vector<std::string> made(1);
  bool in_body = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("$seawall$")) in_body = !in_body;
    if (!in_body && text.substr(at).starts_with(";\n")) made.emplace_back();
    else made.back() += text[at];
  }
  made.pop_back();
  return made;
}

TEST_F(ByTrigger, WhatIsChangedElsewhereIsInvalidated) {
  const auto capture = started();
  expect_changes_heard();
  EXPECT_EQ(capture->stats().unclear, 0);
  EXPECT_EQ(capture->stats().cleared_all, 1);
  EXPECT_EQ(capture->stats().slots, 2);
  expect_drained();
  servers::wait_until("it is counted", [&] { return capture->stats().seen == capture->stats().confirmed; });
  EXPECT_EQ(capture->lag().rows, 0);
}

TEST_F(ByTrigger, WhatIsRolledBackIsNot) {
  const auto capture = started();
  fill();
  ASSERT_TRUE(db->transact([](sql::transaction& t) -> result<void> {
    (void)t.execute("UPDATE products SET name = 'x' WHERE id = 1");
    (void)t.savepoint([](sql::transaction& part) -> result<void> {
      (void)part.execute("UPDATE products SET name = 'x' WHERE id = 2");
      return fail(seawall::errc::cancelled);
    });
    return {};
  }));
  EXPECT_FALSE(db->transact([](sql::transaction& t) -> result<void> {
    (void)t.execute("UPDATE products SET name = 'x' WHERE id = 3");
    return fail(seawall::errc::cancelled);
  }));
  expect_gone(products, 1);
  catch_up();
  EXPECT_TRUE(products.contains(2));
  EXPECT_TRUE(products.contains(3));
  run("TRUNCATE prices");
  expect_gone(lists, 1);
  expect_gone(products, 10);
}

TEST_F(ByTrigger, ALateCommitOfAnEarlierChangeIsNotPassedOver) {
  const auto capture = started();
  fill();
  const auto other = opened(at(server()));
  ASSERT_TRUE(db->transact([&](sql::transaction& t) -> result<void> {
    (void)t.execute("UPDATE products SET name = 'early' WHERE id = 1");
    if (auto later = other->execute("UPDATE products SET name = 'later' WHERE id = 2"); !later) {
      return std::unexpected(later.error());
    }
    expect_gone(products, 2);
    EXPECT_TRUE(products.contains(1));
    return {};
  }));
  expect_gone(products, 1);
}

TEST_F(ByTrigger, FunctionsSeeWhatPsqlShows) {
  run("CREATE TABLE loose (id int, yes bool, at timestamptz, raw bytea, part float8, list int[], said text, "
      "none text, empty text)");
  std::mutex mutex;
  std::vector<std::string> seen;
  std::vector<std::string> asked{"id", "yes", "at", "raw", "part", "list", "said", "none", "empty"};
  change_capture capture{options()};
  capture.table("loose").tag(lists, [&](const row_image& row) {
    std::string all = row.before() ? "old" : "new";
    for (const auto& column : asked) all += '|' + std::string{row.is_null(column) ? "null" : row.text(column)};
    const std::lock_guard lock{mutex};
    seen.push_back(all);
    return all;
  });
  ASSERT_TRUE(capture.start());
  run(R"(INSERT INTO loose VALUES
         (1, true, '2024-05-06 07:08:09+02', '\x00ff', 0.1, '{1,2}', 'a "b" \c, (d)', NULL, ''))");
  run("UPDATE loose SET id = 2");
  run("DELETE FROM loose");
  servers::wait_until("it is heard", [&] { return capture.stats().changes == 3; });
  const auto zone = **db->query_one<std::string>("SELECT '2024-05-06 07:08:09+02'::timestamptz::text");
  const std::string rest = "|t|" + zone + R"(|\x00ff|0.1|{1,2}|a "b" \c, (d)|null|)";
  const std::lock_guard lock{mutex};
  EXPECT_THAT(seen, ::testing::ElementsAre("new|1" + rest, "old|1" + rest, "new|2" + rest, "old|2" + rest));
}

TEST_F(ByTrigger, ACrashBetweenReadingAndRemovingRepeats) {
  std::atomic<bool> delivered{true};
  auto how = options();
  how.delivered = [&] { return delivered.load(); };
  auto capture = started(how);
  catch_up();
  expect_drained();
  const auto before = capture->stats().seen;
  delivered = false;
  fill();
  run("UPDATE products SET name = 'a' WHERE id = 1");
  expect_gone(products, 1);
  run("UPDATE products SET name = 'a' WHERE id = 2");
  expect_gone(products, 2);  // what is not delivered holds nothing up
  servers::wait_until("both are seen", [&] { return capture->stats().seen >= before + 2; });
  servers::wait_until("it is measured", [&] { return capture->lag().rows == 2; });
  EXPECT_EQ(capture->stats().seen, before + 2) << "what waits is not taken again";
  capture.reset();
  fill();
  capture = started(how);
  expect_gone(products, 1);
  expect_gone(products, 2);
  EXPECT_EQ(queued(), 2);
  EXPECT_TRUE(products.contains(10));
  delivered = true;
  expect_drained();
}

TEST_F(ByTrigger, NothingIsMissedWhoeverDies) {
  auto capture = started();
  expect_drained();
  fill();
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seawall change capture'");
  run("UPDATE products SET name = 'a' WHERE id = 1");
  expect_gone(products, 1);

  server().restart();
  run("UPDATE products SET name = 'b' WHERE id = 2");
  expect_gone(products, 2);
  expect_drained();
  EXPECT_GE(capture->stats().failures, 2);

  capture.reset();
  run("UPDATE products SET name = 'c' WHERE id = 3");
  EXPECT_TRUE(products.contains(3));
  capture = started();
  expect_gone(products, 3);
  EXPECT_TRUE(products.contains(10));
  EXPECT_EQ(capture->stats().slots, 0);
  EXPECT_EQ(capture->stats().cleared_all, 0);
}

TEST_F(ByTrigger, ACommitWithoutAnAnswerIsNotTheEnd) {
  const auto capture = started();
  expect_drained();
  run("DROP SEQUENCE IF EXISTS removals");
  run("CREATE SEQUENCE removals");
  run("CREATE OR REPLACE FUNCTION end_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF nextval('removals') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$");
  run("CREATE CONSTRAINT TRIGGER end_once AFTER DELETE ON seawall_capture_shop DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION end_once()");
  fill();
  run("UPDATE products SET name = 'a' WHERE id = 1");
  expect_gone(products, 1);
  servers::wait_until("its connection is lost", [&] { return capture->stats().failures != 0; });
  EXPECT_THAT(logged(), HasSubstr("COMMIT"));
  run("UPDATE products SET name = 'b' WHERE id = 2");
  expect_gone(products, 2);
  expect_drained();
}

TEST_F(ByTrigger, EachSlotHearsAllAndOneOfASlotWaits) {
  cache<int, std::string> others{{.name = "others", .executor = executor}};
  auto how = options();
  how.slot = "shop_2";
  change_capture second{how};
  second.table("products").key(others, "id");
  auto first = started();
  ASSERT_TRUE(second.start());
  const auto waiting = started();
  EXPECT_FALSE(waiting->stats().streaming);
  EXPECT_THAT(waiting->stats().problem, HasSubstr("another capture has it"));
  fill();
  others.put(1, "cached");
  run("UPDATE products SET name = 'a' WHERE id = 1");
  expect_gone(products, 1);
  expect_gone(others, 1);
  first.reset();
  expect_streaming(*waiting, 1);
  fill();
  catch_up();
  EXPECT_TRUE(second.drop_slot());
}

TEST_F(ByTrigger, ABacklogBeyondTheLimitIsGivenUp) {
  auto capture = started();
  catch_up();
  expect_drained();
  capture.reset();
  run("INSERT INTO products SELECT i, 'new' FROM generate_series(100, 4000) i");
  fill();
  auto how = options();
  how.max_queue = 100;
  capture = started(how);
  expect_gone(products, 10);
  EXPECT_THAT(logged(), HasSubstr("more rows than max_queue"));
  catch_up();
  expect_drained();
}

// What a writer does never fails for what became of the columns.
TEST_F(ByTrigger, ARowThatCannotBeToldClearsItsCache) {
  auto capture = started();
  run("ALTER TABLE prices RENAME COLUMN product_id TO product");
  fill();
  run("UPDATE prices SET cents = 1 WHERE id = 1");
  expect_gone(products, 10);
  expect_gone(lists, 1);
}

TEST_F(ByTrigger, AQueueThatIsGoneIsMadeAnewAndDroppingLeavesNothing) {
  auto capture = started();
  fill();
  run("DROP TABLE seawall_capture_shop");
  expect_gone(products, 10);
  expect_streaming(*capture, 2);
  catch_up();
  fill();
  run("DROP TRIGGER seawall_capture_shop ON prices");  // unseen, until it starts again
  run("UPDATE prices SET cents = 2 WHERE id = 1");
  capture = started();
  expect_gone(products, 10);
  EXPECT_EQ(capture->stats().slots, 1);
  ASSERT_TRUE(capture->drop_slot());
  EXPECT_THAT(db->query<std::string>("SELECT proname::text FROM pg_proc WHERE proname LIKE 'seawall%' UNION ALL "
                                     "SELECT tgname::text FROM pg_trigger WHERE tgname LIKE 'seawall%' UNION ALL "
                                     "SELECT relname::text FROM pg_class WHERE relname LIKE 'seawall%'").value(),
              IsEmpty());
  run("UPDATE prices SET cents = 3 WHERE id = 1");
}

TEST_F(ByTrigger, WhatIsMissingIsNamedWithTheWayOut) {
  run("CREATE UNLOGGED TABLE loose (id int)");
  struct row {
    std::string_view table, column;
    std::string_view said;
  };
  for (const row& one : {row{"nothing", "id", "there is no table public.nothing"},
                         row{"products", "key", "public.products has no column 'key'"},
                         row{"loose", "id", "public.loose is temporary, unlogged"}}) {
    change_capture capture{options()};
    capture.table(one.table).key(products, one.column);
    EXPECT_THAT(text_of(capture.start()), HasSubstr(one.said));
  }
  auto how = options();
  how.slot = std::string(37, 'a');
  EXPECT_TRUE(failed_with(made(how)->start(), seawall::errc::invalid_argument));
  how = options();
  how.max_queue = 0;
  EXPECT_TRUE(failed_with(made(how)->start(), seawall::errc::invalid_argument));
}

// Writers need no right to the queue, and the reader none to the tables.
TEST_F(ByTrigger, WithoutTheRightAnAdministratorHasTheSql) {
  run("DROP ROLE IF EXISTS hearer");
  run("CREATE ROLE hearer LOGIN PASSWORD 'hearer'");
  run("DROP ROLE IF EXISTS clerk");
  run("CREATE ROLE clerk LOGIN PASSWORD 'clerk'");
  run("GRANT UPDATE, SELECT ON products TO clerk");
  const auto url_of = [](std::string_view role) {
    return fmt::format("postgres://{0}:{0}@127.0.0.1:{1}/postgres", role, server().port());
  };
  for (const bool create : {true, false}) {
    SCOPED_TRACE(create);
    auto how = options();
    how.url = url_of("hearer");
    how.create = create;
    const std::string said = text_of(made(how)->start());
    const std::string_view before = "have somebody run: ";
    ASSERT_THAT(said, HasSubstr(before));
    for (const auto& one : statements_in(said.substr(said.find(before) + before.size()))) run(one);
    const auto capture = started(how);
    fill();
    ASSERT_TRUE(opened({.url = url_of("clerk")})->execute("UPDATE products SET name = 'x' WHERE id = 1"));
    expect_gone(products, 1);
    EXPECT_TRUE(products.contains(10));
    EXPECT_THAT(text_of(capture->drop_slot()), HasSubstr("have somebody run: DROP FUNCTION"));
    EXPECT_TRUE(made(options())->drop_slot());
  }
}

}  // namespace
}  // namespace seawall::postgres_test

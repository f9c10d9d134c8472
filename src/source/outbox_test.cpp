// The outbox: whoever dies between a commit and its invalidations, or between these and the removal of their rows.
#include "seawall/source/outbox.hpp"

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"
#include "test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace seawall::sql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using names = cache<std::string, int>;

struct Outbox : ::testing::Test {
  Outbox() {
    if (!sql::create_outbox(*db) || !sql::create_outbox(*db)) throw std::runtime_error("no outbox");
  }

  // What a process leaves that dies after its commit: rows, and caches that know nothing.
  void die(std::string_view cache, std::string_view kind, std::string_view item) {
    const auto done =
        db->execute("INSERT INTO seawall_outbox (cache, kind, item) VALUES (?1, ?2, ?3)", cache, kind, item);
    ASSERT_TRUE(done) << text_of(done);
  }
  std::vector<std::string> rows() {
    constexpr std::string_view each = "SELECT cache || ' ' || kind || ' ' || CAST(item AS TEXT) FROM seawall_outbox";
    return db->query<std::string>(each).value();
  }
  std::unique_ptr<sql::outbox_relay> relay(sql::relay_options how = {}) {
    auto made = std::make_unique<sql::outbox_relay>(db, std::move(how));
    made->add(users);
    made->add(lists);
    return made;
  }
  void warm() {
    users.put("ada", 1, {.tags = {"team"}});
    users.put("bob", 2);
    lists.put("all", 3);
  }

  folder in;
  std::shared_ptr<sql::database> db = open(in.file("o.db"));
  std::shared_ptr<manual_executor> executor = std::make_shared<manual_executor>();
  names users{{.name = "users", .executor = executor}};
  names lists{{.name = "lists", .executor = executor}};
};

TEST_F(Outbox, ACommitLeavesItsRowsAndARollbackDoesNot) {
  warm();
  const auto write = [&](bool good) {
    return db->transact([&](sql::transaction& t) -> result<void> {
      t.invalidates(users, "ada");
      t.invalidates_tag(users, "team");
      (void)t.savepoint([&](sql::transaction& part) -> result<void> {
        part.invalidates(users, "bob");
        return seawall::fail(seawall::errc::loader_failed);
      });
      t.invalidates_all(lists);
      if (!good) return seawall::fail(seawall::errc::loader_failed);
      return {};
    }, {.outbox = true});
  };
  EXPECT_FALSE(write(false));
  EXPECT_THAT(rows(), ElementsAre());
  EXPECT_TRUE(write(true));
  EXPECT_THAT(rows(), ElementsAre("users key ada", "users tag team", "lists all "));
  EXPECT_FALSE(users.contains("ada"));
  EXPECT_EQ(relay()->run_once().value(), 3U);
  EXPECT_THAT(rows(), ElementsAre());
}

TEST_F(Outbox, WithoutItsTableNothingIsCommitted) {
  warm();
  ASSERT_TRUE(db->execute("CREATE TABLE t (n INT)"));
  ASSERT_TRUE(db->execute("DROP TABLE seawall_outbox"));
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("INSERT INTO t VALUES (1)"));
    t.invalidates(users, "ada");
    return {};
  }, {.outbox = true});
  EXPECT_THAT(text_of(done), HasSubstr("no such table: seawall_outbox"));
  EXPECT_EQ(db->query_one<int>("SELECT count(*) FROM t").value(), 0);
  EXPECT_TRUE(users.contains("ada"));
}

TEST_F(Outbox, AProcessThatDiesAfterItsCommitIsRepaired) {
  warm();
  die("users", "key", "bob");
  die("users", "tag", "team");
  die("lists", "all", "");
  const auto one = relay();
  EXPECT_EQ(one->lag()->rows, 3U);
  EXPECT_EQ(one->run_once().value(), 3U);
  EXPECT_FALSE(users.contains("bob"));
  EXPECT_FALSE(users.contains("ada"));
  EXPECT_FALSE(lists.contains("all"));
  EXPECT_EQ(one->lag()->rows, 0U);
  EXPECT_EQ(one->run_once().value(), 0U);
  EXPECT_EQ(one->stats().done, 3U);
}

TEST_F(Outbox, ARelayThatDiesBeforeItRemovesARowOnlyRepeatsIt) {
  warm();
  die("users", "key", "bob");
  // The database refuses the removal, as if the relay had died before it.
  ASSERT_TRUE(db->execute("CREATE TRIGGER dead BEFORE DELETE ON seawall_outbox "
                          "BEGIN SELECT RAISE(ABORT, 'dead'); END"));
  EXPECT_THAT(text_of(relay()->run_once()), HasSubstr("dead"));
  EXPECT_FALSE(users.contains("bob"));
  ASSERT_TRUE(db->execute("DROP TRIGGER dead"));
  warm();
  EXPECT_EQ(relay()->run_once().value(), 1U);
  EXPECT_FALSE(users.contains("bob"));
  EXPECT_THAT(rows(), ElementsAre());
}

TEST_F(Outbox, WhatCannotBeDoneWaitsAndHoldsUpNobody) {
  cache<int, int> counted{{.name = "counted", .executor = executor}};
  counted.put(5, 5);
  std::vector<std::string> said;
  const auto patient = relay({.batch = 4, .log = [&](log_level, std::string_view text) { said.emplace_back(text); }});
  patient->add(counted);
  die("users", "item", "a");
  die("counted", "key", "five");
  die("counted", "whole", "");
  die("counted", "key", "5");
  die("users", "key", "bob");
  EXPECT_EQ(patient->run_once().value(), 1U);
  EXPECT_FALSE(counted.contains(5));
  EXPECT_EQ(patient->run_once().value(), 1U);  // the three wait for a second
  EXPECT_EQ(patient->run_once().value(), 0U);
  EXPECT_EQ(patient->stats().poisoned, 3U);
  EXPECT_EQ(patient->lag()->rows, 3U);
  EXPECT_EQ(patient->lag()->failed, 3U);
  ASSERT_EQ(said.size(), 3U);
  EXPECT_THAT(said[0], HasSubstr("no such kind: 'item'"));
  EXPECT_THAT(said[1], HasSubstr("cannot read 4 bytes as int32_t")) << said[1];
  EXPECT_THAT(said[2], HasSubstr("no such kind: 'whole'"));
  ASSERT_TRUE(db->execute("UPDATE seawall_outbox SET not_before = 0"));
  EXPECT_EQ(patient->run_once().value(), 0U);
  EXPECT_EQ(db->query_one<int>("SELECT min(attempts) FROM seawall_outbox").value(), 2);
}

TEST_F(Outbox, RowsOfCachesOfOthersAreLeftToThem) {
  std::vector<std::string> said;
  const auto one = relay({.batch = 1, .log = [&](log_level, std::string_view text) { said.emplace_back(text); }});
  warm();
  die("theirs", "key", "a");
  die("users", "key", "bob");
  EXPECT_EQ(one->run_once().value(), 1U);
  EXPECT_EQ(one->stats().poisoned, 0U);
  EXPECT_EQ(db->query_one<int>("SELECT sum(attempts) + sum(not_before) FROM seawall_outbox").value(), 0);
  EXPECT_EQ(one->lag()->foreign, 1U);
  EXPECT_TRUE(said.empty());
  ASSERT_TRUE(db->execute("UPDATE seawall_outbox SET created_at = created_at - 3600000"));
  EXPECT_GE(one->lag()->oldest_foreign, std::chrono::hours{1});
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], HasSubstr("1 rows are of caches that this relay was not given"));
  cache<std::string, int> theirs{{.name = "theirs", .executor = executor}};
  const auto other = std::make_unique<sql::outbox_relay>(db);
  other->add(theirs);
  EXPECT_EQ(other->lag()->foreign, 0U);
  EXPECT_EQ(other->run_once().value(), 1U);
}

TEST_F(Outbox, ABatchThatFailsDoesNotEndTheWork) {
  const auto one = relay({.batch = 2});
  for (int i = 0; i != 4; ++i) die("users", "item", "a");
  die("users", "key", "bob");
  one->stop();
  EXPECT_EQ(one->stats().done, 1U);
  EXPECT_EQ(one->stats().poisoned, 4U);
}

TEST_F(Outbox, WhatIsNotDeliveredEndsIt) {
  int asked = 0;
  const auto one = relay({.batch = 1, .delivered = [&] { return ++asked > 3; }});
  die("users", "key", "bob");
  one->stop();
  EXPECT_EQ(one->stats().passes, 1U);
}

TEST_F(Outbox, RowsStayUntilTheSharedTierHasThem) {
  bool reached = false;
  const auto one = relay({.delivered = [&] { return reached; }});
  die("users", "key", "bob");
  EXPECT_EQ(one->run_once().value(), 0U);
  EXPECT_EQ(one->stats().undelivered, 1U);
  EXPECT_THAT(rows(), ElementsAre("users key bob"));
  reached = true;
  EXPECT_EQ(one->run_once().value(), 1U);
}

/// A cache whose shared tier keeps what it could not deliver.
struct indebted_cache {
  using key_type = std::string;
  std::string name() const { return "indebted"; }
  void invalidate(const std::string&) {}
  void invalidate_tag(std::string_view) {}
  bool clear() { return clears; }
  std::size_t undelivered() const { return owed; }
  std::size_t owed = 1;
  bool clears = true;
};

TEST_F(Outbox, RowsStayAsLongAsTheTierOfACacheOwesThem) {
  indebted_cache far;
  const auto one = relay();
  one->add(far);
  die("users", "key", "bob");
  die("indebted", "key", "bob");
  EXPECT_EQ(one->run_once().value(), 0U);
  EXPECT_EQ(rows().size(), 2U);
  far.owed = 0;
  EXPECT_EQ(one->run_once().value(), 2U);
  EXPECT_EQ(users.undelivered(), 0U) << "without a tier nothing is owed";
}

TEST_F(Outbox, AClearThatFailsLeavesItsRow) {
  indebted_cache far{.owed = 0, .clears = false};
  const auto one = relay();
  one->add(far);
  die("indebted", "all", "");
  EXPECT_EQ(one->run_once().value(), 0U);
  EXPECT_EQ(rows().size(), 1U);
  EXPECT_EQ(one->stats().poisoned, 1U);
}

TEST_F(Outbox, ItsThreadMeasuresWhatIsLeft) {
  std::promise<void> first;
  std::promise<void> second;
  std::atomic<int> asked = 0;
  const auto one = relay({.poll = std::chrono::hours{1}, .delivered = [&] {
                            const int now = ++asked;
                            if (now == 1) first.set_value();
                            if (now == 2) second.set_value();
                            return false;
                          }});
  die("users", "key", "bob");
  die("foreign", "key", "bob");
  one->start();
  first.get_future().wait();
  one->wake();
  second.get_future().wait();  // so it has measured behind the first pass
  one->stop();
  std::map<std::string_view, std::uint64_t> all;
  for (const auto& gauge : one->stats_handle()->counters().gauges) all[gauge.name] = gauge.value;
  EXPECT_EQ(all.at("rows"), 2U);
  EXPECT_EQ(all.at("foreign_rows"), 1U);
  EXPECT_EQ(all.at("failed_rows"), 0U);
  EXPECT_TRUE(all.contains("lag_milliseconds"));
}

TEST_F(Outbox, ARelayIsCounted) {
  const auto one = relay({.name = "shop"});
  die("users", "key", "bob");
  ASSERT_TRUE(one->run_once());
  const auto read = one->stats_handle()->counters();
  EXPECT_EQ(read.prefix, "seawall_outbox_");
  EXPECT_EQ(read.label_value, "shop");
  std::map<std::string_view, std::uint64_t> all;
  for (const auto& counter : read.counters) all[counter.name] = counter.value;
  EXPECT_THAT(all, ElementsAre(std::pair{"done", 1U}, std::pair{"failures", 0U}, std::pair{"passes", 1U},
                               std::pair{"poisoned", 0U}, std::pair{"undelivered", 0U}));
}

TEST_F(Outbox, TheAgeIsThatOfTheOldestRow) {
  const auto one = relay();
  EXPECT_EQ(one->lag()->oldest, duration::zero());
  die("users", "key", "bob");
  EXPECT_LT(one->lag()->oldest, std::chrono::minutes{10});
  ASSERT_TRUE(db->execute("UPDATE seawall_outbox SET created_at = created_at - 3600000"));
  EXPECT_GE(one->lag()->oldest, std::chrono::hours{1});
  EXPECT_LT(one->lag()->oldest, std::chrono::minutes{70});
}

TEST_F(Outbox, TheThreadWorksWhenItIsWokenAndStopLeavesNothing) {
  std::promise<void> begun;
  const auto one = relay({.batch = 1, .poll = std::chrono::hours{1}, .delivered = [&] {
                            begun.set_value();
                            return true;
                          }});
  die("users", "key", "bob");
  one->start();
  one->start();
  begun.get_future().wait();
  one->stop();
  EXPECT_EQ(one->stats().done, 1U);

  std::promise<void> woken;
  std::atomic<int> left = 2;
  const auto two = relay({.batch = 1, .poll = std::chrono::hours{1}, .delivered = [&] {
                            if (left.fetch_sub(1) == 2) woken.set_value();
                            return true;
                          }});
  two->start();
  die("users", "key", "a");
  two->wake();
  woken.get_future().wait();
  die("users", "key", "b");
  two->stop();
  EXPECT_THAT(rows(), ElementsAre());
}

}  // namespace
}  // namespace seawall::sql_test

// Transactions and what they invalidate, write-through between any two steps of another writer.
#include "seawall/sql.hpp"
#include "seawall/testing.hpp"
#include "test_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <future>
#include <stdexcept>
#include <thread>

namespace seawall::sql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using numbers = cache<int, std::int64_t>;

cache_options<int, std::int64_t> named(std::string name) {
  return {.name = std::move(name), .executor = std::make_shared<manual_executor>()};
}

std::unexpected<error> refused() { return seawall::fail(seawall::errc::loader_failed, "refused"); }

struct Transactions : ::testing::Test {
  Transactions() {
    if (!db->execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)") ||
        !db->execute("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)")) {
      throw std::runtime_error("no table");
    }
    warm();
  }

  void warm() {
    for (const int id : {1, 2, 3}) read(id);
  }
  std::int64_t read(int id) {
    return **all.get_or_load(id, sql::row<std::int64_t>(db, "SELECT n FROM t WHERE id = ?1"), {.tags = {"t"}});
  }
  std::vector<std::int64_t> stored() { return db->query<std::int64_t>("SELECT n FROM t ORDER BY id").value(); }
  std::vector<int> cached() {
    std::vector<int> ids;
    for (const int id : {1, 2, 3}) {
      if (all.contains(id)) ids.push_back(id);
    }
    return ids;
  }
  result<void> set(sql::transaction& t, int id, int n) {
    auto done = t.execute("UPDATE t SET n = ?2 WHERE id = ?1", id, n);
    if (!done) return std::unexpected(done.error());
    t.invalidates(all, id);
    return {};
  }

  folder in;
  std::shared_ptr<sql::database> db = open(in.file("t.db"));
  numbers all{named("numbers")};
};

TEST_F(Transactions, ACommitInvalidatesAndARollbackDoesNot) {
  const auto done = db->transact([&](sql::transaction& t) -> result<int> {
    if (auto one = set(t, 1, 11); !one) return std::unexpected(one.error());
    EXPECT_EQ(t.query_one<int>("SELECT n FROM t WHERE id = 1").value(), 11);
    EXPECT_EQ(db->query_one<int>("SELECT n FROM t WHERE id = 1").value(), 10);
    EXPECT_THAT(cached(), ElementsAre(1, 2, 3));
    return 5;
  });
  EXPECT_EQ(done.value(), 5);
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
  EXPECT_THAT(cached(), ElementsAre(2, 3));

  warm();
  const auto failed = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 1, 12));
    return refused();
  });
  EXPECT_EQ(text_of(failed), "refused");
  const auto thrown = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 2, 12));
    throw std::runtime_error("thrown");
  });
  EXPECT_THAT(text_of(thrown), HasSubstr("thrown"));
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
  EXPECT_THAT(cached(), ElementsAre(1, 2, 3));
}

TEST_F(Transactions, WhatACommitRefusesIsRolledBack) {
  ASSERT_TRUE(db->execute("CREATE TABLE child (id REFERENCES t DEFERRABLE INITIALLY DEFERRED)"));
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(t.execute("INSERT INTO child VALUES (9)"));
    return set(t, 1, 11);
  });
  EXPECT_TRUE(!done && sql::is(done.error(), sql::errc::constraint)) << text_of(done);
  EXPECT_THAT(stored(), ElementsAre(10, 20, 30));
  EXPECT_THAT(cached(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(db->transact([&](sql::transaction& t) { return set(t, 1, 11); }));
}

TEST_F(Transactions, ASavepointThatFailsTakesItsPartWithIt) {
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 1, 11));
    const auto inner = t.savepoint([&](sql::transaction& part) -> result<void> {
      EXPECT_TRUE(set(part, 2, 22));
      EXPECT_TRUE(part.savepoint([&](sql::transaction& deeper) { return set(deeper, 3, 33); }));
      return refused();
    });
    EXPECT_EQ(text_of(inner), "refused");
    EXPECT_FALSE(t.savepoint([&](sql::transaction& part) -> result<void> {
      EXPECT_TRUE(set(part, 2, 23));
      throw std::runtime_error("thrown");
    }));
    EXPECT_TRUE(t.savepoint([&](sql::transaction& part) { return set(part, 3, 34); }));
    return {};
  });
  EXPECT_TRUE(done) << text_of(done);
  EXPECT_THAT(stored(), ElementsAre(11, 20, 34));
  EXPECT_THAT(cached(), ElementsAre(2));
}

TEST_F(Transactions, TagsAndWholeCaches) {
  numbers other{named("other")};
  other.put(5, 5);
  EXPECT_TRUE(db->transact([&](sql::transaction& t) -> result<void> {
    t.invalidates_tag(all, "t");
    t.invalidates_all(other);
    return {};
  }));
  EXPECT_THAT(cached(), ElementsAre());
  EXPECT_FALSE(other.contains(5));
}

TEST_F(Transactions, AConflictIsTriedAgainAsOftenAsAllowed) {
  for (const unsigned allowed : {0U, 2U}) {
    int runs = 0;
    const auto done = db->transact([&](sql::transaction& t) -> result<void> {
      EXPECT_TRUE(set(t, 1, 40 + ++runs));
      if (runs < 3) return sql::fail(sql::errc::conflict, "deadlock");
      return {};
    }, {.retries = allowed});
    EXPECT_EQ(done.has_value(), allowed == 2);
    EXPECT_EQ(runs, allowed == 2 ? 3 : 1);
  }
  EXPECT_THAT(stored(), ElementsAre(43, 20, 30));
}

TEST_F(Transactions, AStatementOfItsOwnInsideATransactionIsRefused) {
  EXPECT_TRUE(db->transact([&](sql::transaction& t) -> result<void> {
    const auto nested = db->execute("UPDATE t SET n = 0");
    EXPECT_TRUE(!nested && sql::is(nested.error(), sql::errc::misuse)) << text_of(nested);
    return set(t, 1, 11);
  }));
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
}

TEST_F(Transactions, OneThatIsEndedByAStatementInvalidatesAllTheSame) {
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 1, 11));
    EXPECT_TRUE(t.execute("COMMIT"));
    EXPECT_FALSE(t.execute("UPDATE t SET n = 0"));
    return {};
  });
  EXPECT_TRUE(!done && sql::is(done.error(), sql::errc::outcome_unknown)) << text_of(done);
  EXPECT_THAT(stored(), ElementsAre(11, 20, 30));
  EXPECT_THAT(cached(), ElementsAre(2, 3));
}

// What a list of numbers does in a transaction, and in a list: most write a row, the others open and end savepoints.
struct script {
  result<void> run(sql::transaction& t, int depth) {
    while (at != what.size()) {
      const int op = what[at++];
      if (op < 4) {
        kept.push_back(++last);
        if (!t.execute("INSERT INTO log VALUES (?1)", last)) return refused();
        t.invalidates(all, last);
      } else if (op == 4) {
        const std::size_t before = kept.size();
        const auto done = t.savepoint([&](sql::transaction& part) { return run(part, depth + 1); });
        if (!done) kept.resize(before);
      } else if (depth != 0) {
        if (op == 5) return {};
        if (op == 6) return refused();
        throw std::runtime_error("thrown");
      }
    }
    return {};
  }

  const std::vector<int>& what;
  numbers& all;
  std::size_t at = 0;
  int last = 0;
  std::vector<int> kept{};
};

RC_GTEST_PROP(TransactionsProperty, RowsInvalidationsAndOutboxAgree, (bool commits)) {
  const auto ops = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 8));
  const auto db = open(":memory:");
  RC_ASSERT(db->execute("CREATE TABLE log (n INT)").has_value());
  RC_ASSERT(sql::create_outbox(*db).has_value());
  numbers all{named("numbers")};
  for (int key = 1; key <= static_cast<int>(ops.size()); ++key) all.put(key, key);
  script one{ops, all};
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    auto ran = one.run(t, 0);
    return commits ? ran : refused();
  }, {.outbox = true});
  RC_ASSERT(done.has_value() == commits);
  if (!commits) one.kept.clear();

  RC_ASSERT(db->query<int>("SELECT n FROM log ORDER BY rowid").value() == one.kept);
  RC_ASSERT(db->query<int>("SELECT CAST(CAST(item AS TEXT) AS INT) FROM seawall_outbox ORDER BY id").value() ==
            one.kept);
  for (int key = 1; key <= static_cast<int>(ops.size()); ++key) {
    RC_ASSERT(all.contains(key) == (std::ranges::find(one.kept, key) == one.kept.end()));
  }
}

// ---- write-through ----

using step = played_database::step;

struct WriteThrough : ::testing::Test {
  std::int64_t read() {
    return **all.get_or_load(7, [this](int id) {
      const auto row = db->get(id);
      return loaded<std::int64_t>(row.number).with({.version = static_cast<std::uint64_t>(row.version)});
    });
  }
  result<sql::changes> write(std::int64_t number) {
    return update(all, 7, *db, [number](sql::transaction& t, int id) { return t.execute("set", id, number); });
  }
  // Answers the value: it is put, not invalidated.
  result<sql::versioned<std::int64_t>> publish(std::int64_t number) {
    using answer = result<sql::versioned<std::int64_t>>;
    return update(all, 7, *db, [&](sql::transaction& t, int id) -> answer {
      if (auto done = t.execute("set", id, number); !done) return std::unexpected(done.error());
      return sql::versioned<std::int64_t>{number, static_cast<std::uint64_t>(db->get(id).version + 1)};
    });
  }
  // Has `what` happen at one step of the next write.
  void meanwhile(step when, std::function<void()> what) {
    db->on_step = [this, when, what = std::move(what)](step now) {
      if (now != when) return;
      auto run = what;
      db->on_step = [](step) {};
      run();
    };
  }

  std::shared_ptr<played_database> db = std::make_shared<played_database>();
  numbers all{named("numbers")};
};

TEST_F(WriteThrough, WhateverHappensBetweenTwoStepsTheNewestValueIsReadAfterwards) {
  const std::vector<std::function<void()>> others{
      [this] { read(); },
      [this] { EXPECT_TRUE(write(3)); },
      [this] {
        read();
        EXPECT_TRUE(write(3));
        read();
      },
      [this] {
        EXPECT_TRUE(write(3));
        read();
        EXPECT_TRUE(write(4));
      },
  };
  for (const step when : {step::before_run, step::before_commit, step::after_commit, step::after_return}) {
    for (std::size_t which = 0; which != others.size(); ++which) {
      read();
      meanwhile(when, others[which]);
      EXPECT_TRUE(write(2));
      EXPECT_EQ(read(), db->get(7).number) << "step " << static_cast<int>(when) << ", other " << which;
      all.invalidate(7);
      meanwhile(when, others[which]);
      EXPECT_TRUE(write(2));
      EXPECT_EQ(read(), db->get(7).number) << "cold, step " << static_cast<int>(when) << ", other " << which;
    }
  }
}

TEST_F(WriteThrough, AValueIsPutAfterTheCommitUnlessItWasOvertaken) {
  read();
  EXPECT_TRUE(publish(2));
  EXPECT_EQ(**all.get_or_load(7, [](int) -> std::int64_t { return -1; }), 2);
  meanwhile(step::before_commit, [this] { EXPECT_EQ(read(), 2); });
  EXPECT_TRUE(publish(3));
  EXPECT_EQ(read(), 3);
  meanwhile(step::before_run, [this] { EXPECT_TRUE(publish(4)); });
  EXPECT_TRUE(publish(5));
  EXPECT_EQ(read(), 5);
  for (const step when : {step::before_commit, step::after_commit, step::after_return}) {
    all.invalidate(7);
    meanwhile(when, [this] { read(); });
    EXPECT_TRUE(publish(6));
    EXPECT_EQ(read(), 6);
  }
  all.put(7, 99, {.version = 1000});
  EXPECT_TRUE(publish(7));
  EXPECT_EQ(read(), 99);  // what has a newer version stays
}

// The other writer commits later, and would invalidate before the older value is put.
TEST_F(WriteThrough, WhoInvalidatesWaitsForAValueThatWasCommittedBefore) {
  std::future<bool> other;
  std::promise<void> committed;
  db->on_step = [&, first = std::this_thread::get_id()](step now) {
    if (std::this_thread::get_id() != first) {
      if (now == step::after_commit) committed.set_value();
    } else if (now == step::after_return) {
      other = std::async(std::launch::async, [this] { return write(3).has_value(); });
      committed.get_future().wait();
      EXPECT_EQ(other.wait_for(std::chrono::milliseconds{30}), std::future_status::timeout);
    }
  };
  EXPECT_TRUE(publish(2));
  EXPECT_TRUE(other.get());
  EXPECT_EQ(read(), 3);
}

TEST_F(WriteThrough, AFailureLeavesTheCacheAlone) {
  EXPECT_EQ(read(), 0);
  const auto failed = update(all, 7, *db, [](sql::transaction& t, int id) -> result<void> {
    (void)t.execute("set", id, 2);
    return refused();
  });
  EXPECT_EQ(text_of(failed), "refused");
  EXPECT_TRUE(all.contains(7));
  EXPECT_EQ(db->get(7).number, 0);
}

TEST_F(WriteThrough, AnUnknownOutcomeInvalidates) {
  for (const bool committed : {false, true}) {
    all.put(7, db->get(7).number);
    db->loses_commits = true;
    db->commits_when_lost = committed;
    const auto lost = write(committed ? 2 : 1);
    EXPECT_TRUE(!lost && sql::is(lost.error(), sql::errc::outcome_unknown)) << text_of(lost);
    EXPECT_FALSE(all.contains(7));
    EXPECT_EQ(read(), committed ? 2 : 0);
  }
}

TEST_F(WriteThrough, ACacheThatFailsDoesNotFailTheCommit) {
  struct failing {
    using key_type = int;
    const std::string& name() const { return called; }
    void invalidate(int) { throw std::runtime_error("cache"); }
    std::string called = "failing";
  } broken;
  read();
  const auto done = db->transact([&](sql::transaction& t) {
    t.invalidates(broken, 7);
    t.invalidates(all, 7);
    return t.execute("set", 7, 2);
  });
  EXPECT_TRUE(done) << text_of(done);
  EXPECT_EQ(read(), 2);
}

}  // namespace
}  // namespace seawall::sql_test

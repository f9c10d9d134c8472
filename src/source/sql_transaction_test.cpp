// Transactions and what they invalidate.
#include "seawall/sql.hpp"
#include "seawall/testing.hpp"
#include "test_database.hpp"
#include "test_numbers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace seawall::sql_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

TEST_F(Transactions, ASavepointThatCannotBeUndoneEndsItsTransaction) {
  const auto done = db->transact([&](sql::transaction& t) -> result<void> {
    EXPECT_TRUE(set(t, 1, 11));
    EXPECT_FALSE(t.savepoint([&](sql::transaction& part) -> result<void> {
      EXPECT_TRUE(set(part, 2, 22));
      EXPECT_TRUE(part.execute("RELEASE seawall_1")) << "as a trigger or a proxy might";
      return refused();
    }));
    return {};
  });
  EXPECT_FALSE(done);
  EXPECT_THAT(stored(), ElementsAre(10, 20, 30));
  EXPECT_THAT(cached(), ElementsAre(1, 2, 3));
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

TEST_F(Transactions, TheConnectionThatWritesKeepsAsManyPagesAsItMay) {
  const auto pages_of = [](const std::shared_ptr<sql::database>& which) {
    return which->transact([](sql::transaction& t) { return t.query_one<int>("PRAGMA cache_size"); });
  };
  EXPECT_EQ(*pages_of(db).value(), -(16 << 10));  // KiB
  EXPECT_EQ(*pages_of(open(in.file("t.db"), {.write_cache_bytes = std::size_t{1} << 40})).value(), -(1 << 30));
  const auto refused = sqlite::open(in.file("t.db"), {.write_cache_bytes = 1'000'000});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("write_cache_bytes must be 1 MiB to 1 TiB"));
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

}  // namespace
}  // namespace seawall::sql_test

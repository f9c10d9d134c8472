// Write-through between any two steps of another writer.
#include "seawall/source/write_through.hpp"

#include "seawall/cache.hpp"
#include "seawall/testing.hpp"
#include "test_database.hpp"
#include "test_numbers.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::sql_test {
namespace {

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

TEST_F(WriteThrough, AValueThatMayNotBeCommittedIsNotPut) {
  for (const bool committed : {false, true}) {
    all.put(7, db->get(7).number);
    db->loses_commits = true;
    db->commits_when_lost = committed;
    const auto lost = publish(5);
    EXPECT_TRUE(!lost && sql::is(lost.error(), sql::errc::outcome_unknown)) << text_of(lost);
    EXPECT_FALSE(all.contains(7));
    EXPECT_EQ(read(), committed ? 5 : 0);
  }
}

TEST_F(WriteThrough, AValueThatIsPutHasTagsAndTimesOfItsOwn) {
  using answer = result<sql::versioned<std::int64_t>>;
  const auto put = [&](const entry_options& how) {
    EXPECT_TRUE(update(all, 7, *db, [&](sql::transaction&, int) -> answer { return {{5, 1, how}}; }));
    return all.contains(7);
  };
  EXPECT_TRUE(put({.tags = {"team"}}));
  all.invalidate_tag("team");
  EXPECT_FALSE(all.contains(7));
  EXPECT_FALSE(put({.no_store = true}));
}

// The hook writes on the thread that puts, which cannot wait for itself; its own write is the later one.
TEST_F(WriteThrough, AHookThatWritesWhileAValueIsPutOvertakesIt) {
  enum class way { invalidates, puts, by_itself };
  for (const way how : {way::invalidates, way::puts, way::by_itself}) {
    bool once = true;
    const auto hook = [&](int, const value_ptr<std::int64_t>&, removal_cause) {
      if (!std::exchange(once, false)) return;
      const bool done = how == way::invalidates ? write(3).has_value()
                        : how == way::puts      ? publish(3).has_value()
                                                : db->execute("set", 8, 3).has_value();
      EXPECT_TRUE(done);
    };
    numbers watched{{.name = "watched", .on_removal = hook, .executor = std::make_shared<manual_executor>()}};
    watched.put(1, 1);
    EXPECT_TRUE(db->transact([&](sql::transaction& t) {
      t.publishes(all, 7, 2, 1);
      t.publishes(watched, 1, 2, 1);
      t.publishes(all, 8, 2, 1);
      return t.execute("set", 7, 2);
    }));
    EXPECT_FALSE(once);
    EXPECT_FALSE(all.contains(7));
    EXPECT_FALSE(all.contains(8));
    EXPECT_EQ(read(), db->get(7).number);
    EXPECT_TRUE(publish(4));
    EXPECT_TRUE(all.contains(7)) << "the next one is put again";
  }
}

TEST_F(WriteThrough, AConnectionGoesBackWhenMemoryEnds) {
  int returned = 0;
  db->on_step = [&](step now) {
    if (now == step::before_run) throw std::bad_alloc{};
    returned += now == step::after_return ? 1 : 0;
  };
  EXPECT_THROW((void)db->execute("set", 7, 1), std::bad_alloc);
  EXPECT_EQ(returned, 1);
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

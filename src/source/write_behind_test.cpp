#include "seawall/write_behind.hpp"

#include "seawall/cache.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;

using writes_of = write_behind<int, std::string>;
using operations = std::span<const write_operation<int, std::string>>;

// A table with a version per row; it can be closed, and it refuses some values.
struct database {
  struct row {
    std::optional<std::string> value;
    std::uint64_t version = 0;
  };

  result<void> apply(operations batch) {
    const std::lock_guard lock{mutex};
    ++batches;
    if (down) return fail(errc::loader_failed, "the database is down");
    for (const auto& each : batch) {
      if (each.value == "poison") return fail(errc::loader_failed, "a constraint is violated");
    }
    for (const auto& each : batch) {
      row& at = rows[each.key];
      if (at.version >= each.sequence) continue;
      at = {each.value, each.sequence};
      ++applied;
    }
    return {};
  }
  std::optional<std::string> read(int key) {
    const std::lock_guard lock{mutex};
    return rows[key].value;
  }
  void set_down(bool is) {
    const std::lock_guard lock{mutex};
    down = is;
  }

  std::mutex mutex;
  std::map<int, row> rows;
  bool down = false;
  int batches = 0;
  int applied = 0;
};

class WriteBehind : public testing::Test {
 protected:
  WriteBehind() {
    directory = std::filesystem::path{testing::TempDir()} /
                fmt::format("write_behind_{}_{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory);
  }
  ~WriteBehind() override { std::filesystem::remove_all(directory); }

  writes_of::options options() {
    return {.name = "t",
            .write = [this](operations batch) { return db.apply(batch); },
            .log = {.directory = directory.string()},
            .batch = {.linger = 1ms},
            .retry = {.first = 1ms, .longest = 5ms},
            .close_within = 0s};
  }
  writes_of open(writes_of::options how) {
    auto opened = writes_of::open(std::move(how));
    if (!opened) throw std::runtime_error(opened.error().message());
    return *std::move(opened);
  }

  database db;
  std::filesystem::path directory;
};

TEST_F(WriteBehind, BringsWritesToTheSourceInTheOrderOfTheirKeys) {
  auto writes = open(options());
  for (int i = 0; i != 100; ++i) ASSERT_TRUE(writes.put(i % 7, std::to_string(i)));
  ASSERT_TRUE(writes.remove(3));
  std::size_t last = 0;
  ASSERT_TRUE(writes.flush(10s, [&](std::size_t done, std::size_t of) {
    EXPECT_LE(done, of);
    EXPECT_GE(done, last);
    last = done;
  }));
  EXPECT_EQ(db.read(1), "99");
  EXPECT_EQ(db.read(3), std::nullopt);
  EXPECT_FALSE(writes.pending(1));
  const auto stats = writes.stats();
  EXPECT_EQ(stats.accepted, 101U);
  EXPECT_EQ(stats.applied + stats.coalesced, 101U);
  EXPECT_EQ(stats.backlog, 0U);
  EXPECT_EQ(stats.lag, 0ns);
  EXPECT_GT(stats.syncs, 0U);
  const auto exported = writes.stats_handle()->counters();
  EXPECT_EQ(exported.prefix, "seawall_write_behind_");
  EXPECT_EQ(exported.label_value, "t");
  EXPECT_EQ(exported.counters.front().value, 101U);
  EXPECT_EQ(exported.gauges.front().value, 0U) << "the backlog";
}

TEST_F(WriteBehind, FindsAfterARestartWhatWasAcknowledged) {
  db.set_down(true);
  std::uint64_t last = 0;
  {
    auto writes = open(options());
    ASSERT_TRUE(writes.put(1, "a"));
    ASSERT_TRUE(writes.put(2, "b"));
    ASSERT_TRUE(writes.remove(2));
    last = writes.put(3, "c")->sequence;
    EXPECT_EQ(writes.flush(0s).error(), errc::timed_out);
  }
  db.set_down(false);
  auto writes = open(options());
  EXPECT_EQ(writes.stats().recovered, 4U);
  EXPECT_EQ(writes.stats().torn_bytes, 0U);
  EXPECT_GT(writes.put(4, "d")->sequence, last);
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(db.read(1), "a");
  EXPECT_EQ(db.read(2), std::nullopt);
  EXPECT_EQ(db.read(4), "d");
  ASSERT_TRUE(writes.close());
  EXPECT_EQ(writes.put(5, "e").error(), errc::closed);
  const int before = db.batches;
  EXPECT_EQ(open(options()).stats().recovered, 0U);
  EXPECT_EQ(db.batches, before) << "closing said that all is applied";
}

TEST_F(WriteBehind, ReadsSeeWhatIsBuffered) {
  cache<int, std::string> rows{{.ttl = 1h}};
  db.rows[1] = {"old", 0};
  db.set_down(true);
  auto how = options();
  how.cache = &rows;
  auto writes = open(std::move(how));
  const auto loader = writes.over([&](int key) { return db.read(key); });
  EXPECT_EQ(**rows.get_or_load(1, loader), "old");
  ASSERT_TRUE(writes.put(1, "new"));
  EXPECT_EQ(rows.get(1), nullptr) << "what was cached is gone";
  EXPECT_EQ(**rows.get_or_load(1, loader), "new");
  EXPECT_EQ(writes.pending(1)->value, "new");
  ASSERT_TRUE(writes.remove(1));
  EXPECT_EQ(*rows.get_or_load(1, loader), nullptr);
  EXPECT_TRUE(writes.pending(1)->removed());
  ASSERT_TRUE(writes.put(1, "last"));
  EXPECT_EQ(**rows.get_or_load(1, loader), "last");
  db.set_down(false);
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(rows.get(1), nullptr) << "the source may have made something else of it";
  EXPECT_EQ(**rows.get_or_load(1, loader), "last");
}

TEST_F(WriteBehind, AFullBacklogHoldsWritersUp) {
  db.set_down(true);
  auto how = options();
  how.most_backlog = 2;
  auto writes = open(std::move(how));
  ASSERT_TRUE(writes.put(1, "a"));
  ASSERT_TRUE(writes.put(2, "b"));
  const auto refused = writes.put(3, "c", 1ms);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::overloaded);
  EXPECT_EQ(refused.error().message(), "the backlog of the write-behind 't' is full: 2 operations, 4 bytes");
  EXPECT_EQ(writes.stats().refused, 1U);
  auto waits = std::async(std::launch::async, [&] { return writes.put(3, "c", 10s); });
  db.set_down(false);
  EXPECT_TRUE(waits.get());
}

TEST_F(WriteBehind, OrWritesThroughInItsOrder) {
  std::promise<void> gate;
  auto how = options();
  how.most_backlog = 1;
  how.when_full = when_full::write_through;
  how.write = [&, opened = gate.get_future().share()](operations batch) {
    opened.wait();
    return db.apply(batch);
  };
  auto writes = open(std::move(how));
  EXPECT_FALSE(writes.put(1, "a")->applied);
  EXPECT_EQ(writes.put(1, "b", 1ms).error(), errc::timed_out);
  auto through = std::async(std::launch::async, [&] { return writes.put(1, "c", 10s); });
  while (writes.stats().accepted < 3) std::this_thread::yield();
  gate.set_value();
  EXPECT_TRUE(through.get().value().applied);
  EXPECT_EQ(db.read(1), "c");
}

TEST_F(WriteBehind, KeepsWhatTheSourceRefuses) {
  auto how = options();
  how.is_permanent = [](const error& failure) { return failure.message() == "a constraint is violated"; };
  std::uint64_t sequence = 0;
  {
    auto writes = open(how);
    sequence = writes.put(1, "poison")->sequence;
    ASSERT_TRUE(writes.put(2, "good"));
    ASSERT_TRUE(writes.remove(3));
    ASSERT_TRUE(writes.flush(10s)) << "a dead letter holds nobody up";
    EXPECT_EQ(db.read(2), "good");
    EXPECT_EQ(writes.stats().buried, 1U);
  }
  auto writes = open(how);
  const auto letters = writes.dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].sequence, sequence);
  EXPECT_EQ(letters[0].key, 1);
  EXPECT_EQ(letters[0].value, "poison");
  EXPECT_EQ(letters[0].reason, "a constraint is violated");
  EXPECT_GT(letters[0].at, std::chrono::system_clock::now() - 1h);
  EXPECT_EQ(writes.replay(sequence).error().message(), "a constraint is violated");
  EXPECT_EQ(writes.stats().dead_letters, 1U);
  EXPECT_EQ(writes.replay(sequence + 1).error(), errc::invalid_argument);
  ASSERT_TRUE(writes.discard(sequence));
  EXPECT_EQ(writes.stats().dead_letters, 0U);
  ASSERT_TRUE(writes.close());
  EXPECT_TRUE(open(how).dead_letters().empty());
}

TEST_F(WriteBehind, DeadLettersBeyondTheLimitStayInTheBacklog) {
  std::promise<void> refused;
  std::atomic<bool> said = false;
  auto how = options();
  how.most_dead_letters = 1;
  how.is_permanent = [](const error&) { return true; };
  how.on_log = [&](log_level, std::string_view text) {
    if (text.find("a dead letter cannot be kept") != text.npos && !said.exchange(true)) refused.set_value();
  };
  auto writes = open(how);
  const auto first = writes.put(1, "poison")->sequence;
  ASSERT_TRUE(writes.flush(10s));
  ASSERT_TRUE(writes.put(2, "poison"));
  ASSERT_EQ(refused.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(writes.stats().dead_letters, 1U);
  EXPECT_EQ(writes.pending(2)->value, "poison");
  ASSERT_TRUE(writes.discard(first));
  ASSERT_TRUE(writes.flush(10s)) << "there is room again";
  EXPECT_EQ(writes.dead_letters().at(0).key, 2);
}

TEST_F(WriteBehind, ADeadLetterIsNoNewerThanItWas) {
  auto how = options();
  std::atomic<bool> refuses = true;
  how.write = [&](operations batch) { return refuses ? fail(errc::loader_failed, "no") : db.apply(batch); };
  how.is_permanent = [](const error& failure) { return failure.message() == "no"; };
  auto writes = open(how);
  const auto first = writes.put(1, "first")->sequence;
  ASSERT_TRUE(writes.flush(10s));
  const auto other = writes.put(2, "other")->sequence;
  ASSERT_TRUE(writes.flush(10s));
  const auto third = writes.put(3, "third")->sequence;
  ASSERT_TRUE(writes.flush(10s));
  refuses = false;
  db.set_down(true);
  ASSERT_TRUE(writes.put(3, "later"));
  EXPECT_TRUE(writes.replay(third)) << "a later one waits, so there is nothing to be written";
  EXPECT_FALSE(writes.replay(first));
  db.set_down(false);
  ASSERT_TRUE(writes.put(1, "second"));
  ASSERT_TRUE(writes.flush(10s));
  ASSERT_EQ(writes.dead_letters().size(), 2U);
  ASSERT_TRUE(writes.replay(first));
  ASSERT_TRUE(writes.replay(other));
  EXPECT_EQ(db.read(1), "second");
  EXPECT_EQ(db.read(2), "other");
  EXPECT_TRUE(writes.dead_letters().empty());
}

TEST_F(WriteBehind, WithoutALogWhatIsNotWrittenIsLostAndSaysSo) {
  auto how = options();
  how.acknowledged = acknowledged::memory;
  how.log = {};
  db.set_down(true);
  std::uint64_t last = 0;
  {
    auto writes = open(how);
    last = writes.put(1, "a")->sequence;
    const auto closed = writes.close(0s);
    ASSERT_FALSE(closed);
    EXPECT_THAT(closed.error().message(), testing::HasSubstr("1 operations of the write-behind 't'"));
  }
  db.set_down(false);
  auto writes = open(how);
  EXPECT_GT(writes.put(1, "b")->sequence, last) << "the guard of the source knows it for newer";
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(db.read(1), "b");
}

TEST_F(WriteBehind, WritersShareASync) {
  auto writes = open(options());
  std::vector<std::jthread> writers;
  std::atomic<int> failed = 0;
  for (int writer = 0; writer != 8; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i != 100; ++i) failed += writes.put(writer, std::to_string(i)) ? 0 : 1;
    });
  }
  writers.clear();
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(failed, 0);
  for (int writer = 0; writer != 8; ++writer) EXPECT_EQ(db.read(writer), "99");
  EXPECT_LT(writes.stats().commits, 800U);
}

TEST_F(WriteBehind, AnExceptionOfTheWriterIsAFailure) {
  auto how = options();
  std::atomic<int> calls = 0;
  how.write = [&](operations batch) -> result<void> {
    if (++calls == 1) throw std::runtime_error("oops");
    return db.apply(batch);
  };
  auto writes = open(std::move(how));
  ASSERT_TRUE(writes.put(1, "a"));
  ASSERT_TRUE(writes.flush(10s));
  EXPECT_EQ(db.read(1), "a");
  EXPECT_EQ(writes.stats().failed_batches, 1U);
}

TEST_F(WriteBehind, ADirectoryHasOneUser) {
  auto writes = open(options());
  const auto second = writes_of::open(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), fmt::format("'{}' is in use by process {}", directory.string(), ::getpid()));
}

TEST_F(WriteBehind, NamesTheOptionOrThePath) {
  using change = std::function<void(writes_of::options&)>;
  const std::vector<std::pair<std::string, change>> table = {
      {"write-behind 't': write must be given", [](auto& how) { how.write = nullptr; }},
      {"name must be 1 to 200 bytes long", [](auto& how) { how.name = ""; }},
      {"log.directory must be given", [](auto& how) { how.log.directory = ""; }},
      {"log.directory must be empty", [](auto& how) { how.acknowledged = acknowledged::memory; }},
      {"log.segment_bytes must be 4096 or more", [](auto& how) { how.log.segment_bytes = 1; }},
      {"batch.most must be 1 or more", [](auto& how) { how.batch.most = 0; }},
      {"retry.first must be", [](auto& how) { how.retry.longest = 0s; }},
      {"retry.attempts must be", [](auto& how) { how.retry.attempts = 0; }},
      {"most_backlog must be", [](auto& how) { how.most_backlog = 0; }},
      {"most_operation_bytes must be", [](auto& how) { how.most_operation_bytes = 0; }},
      {"cannot create the directory '/proc/no'", [](auto& how) { how.log.directory = "/proc/no"; }},
  };
  for (const auto& [message, apply] : table) {
    auto how = options();
    apply(how);
    const auto opened = writes_of::open(how);
    ASSERT_FALSE(opened) << message;
    EXPECT_THAT(opened.error().message(), testing::HasSubstr(message));
  }
  auto how = options();
  how.most_operation_bytes = 4;
  auto writes = open(how);
  EXPECT_EQ(writes.put(1, "long").error().message(),
            "a write of 5 bytes to 't', at most 4 (most_operation_bytes)");
}

}  // namespace
}  // namespace seawall

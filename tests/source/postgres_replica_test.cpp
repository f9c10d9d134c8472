// Loads from a standby that follows its primary, and from one that is held back.
#include "postgres_standby_support.hpp"
#include "seawall/testing.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace seawall::postgres_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using servers::wait_until;
using sql::errc;

TEST_F(OnStandby, WhatIsInvalidatedIsNotLoadedAgainAsItWas) {
  const auto opened = postgres::open_replica({.standby = {.url = standby->url()}, .patience = 500ms}, db);
  ASSERT_TRUE(opened) << text_of(opened);
  const auto reads = *opened;
  cache<int, std::int64_t> right{
      {.name = "right", .loader = sql::row<std::int64_t>(reads, "SELECT n FROM t WHERE id = $1")}};
  numbers usual{{.name = "usual", .loader = sql::row<std::int64_t>(there, std::string{by_id})}};
  EXPECT_EQ(got(usual), 1);
  EXPECT_EQ(got(right), 1);
  EXPECT_EQ(reads->stats().read, 1U);

  hold_back();
  ASSERT_TRUE(set(usual, 2));
  right.invalidate(1);
  EXPECT_EQ(got(usual), 1) << "what this is about: the old row, and cached";
  EXPECT_EQ(got(right), 2);
  EXPECT_EQ(reads->stats().late, 1U);

  let_go();
  catches_up(*there);
  EXPECT_EQ(got(usual), 1) << "for its ttl";
  ASSERT_TRUE(set(right, 3));
  wait_until("the standby is read again", [&] {
    EXPECT_EQ(got(right), 3);
    right.invalidate(1);
    return reads->stats().read > 1;
  });
}

TEST_F(OnStandby, WhoNeedsMoreThanIsThereWaitsForIt) {
  const auto reads = reader();
  numbers right{{.name = "right", .loader = sql::row<std::int64_t>(reads, std::string{by_id})}};
  hold_back();
  ASSERT_TRUE(set(right, 2));
  auto loading = std::async(std::launch::async, [&] { return got(right); });
  wait_until("it has looked more than once", [&] { return reads->stats().looks >= 3; });
  let_go();
  EXPECT_EQ(loading.get(), 2);
  EXPECT_EQ(reads->stats().read, 1U);
  EXPECT_EQ(reads->stats().late, 0U);
}

TEST_F(OnStandby, AfterOneThatWaitedInVainOthersLookOnce) {
  const auto reads = reader(20ms);
  hold_back();
  run("UPDATE t SET n = 2");
  EXPECT_TRUE(reads->query<std::int64_t>(by_id, 1));
  std::uint64_t least = 1'000;
  for (int i = 0; i != 10; ++i) {
    const auto before = reads->stats().looks;
    EXPECT_EQ(reads->query<std::int64_t>(by_id, 1).value().front(), 2);
    least = std::min(least, reads->stats().looks - before);
  }
  EXPECT_EQ(least, 1U);
  EXPECT_EQ(reads->stats().late, 11U);
  let_go();
}

TEST_F(OnStandby, CommitsThatAreNotOnTheDiskYetCountToo) {
  const auto reads = reader();
  numbers right{{.name = "right", .loader = sql::row<std::int64_t>(reads, std::string{by_id})}};
  for (std::int64_t n = 2; n != 12; ++n) {
    ASSERT_TRUE(update(right, 1, db, [n](sql::transaction& t, int id) -> result<sql::changes> {
      if (auto done = t.execute("SET LOCAL synchronous_commit = off"); !done) return done;
      return t.execute("UPDATE t SET n = $2 WHERE id = $1", id, n);
    }));
    ASSERT_EQ(got(right), n);
  }
}

TEST_F(OnStandby, TagsAndBulkLoadsToo) {
  const auto reads = reader(20ms);
  cache<std::string, std::vector<std::int64_t>> lists{{.name = "lists"}};
  const sql::cached_query<std::int64_t> sum{lists, reads, "SELECT sum(n)::bigint FROM t WHERE id < $1", {"t"}};
  EXPECT_EQ((*sum(11).value())[0], 10);
  hold_back();
  ASSERT_TRUE(db->transact([&](sql::transaction& t) {
    t.invalidates_tag(lists, sql::table_tag("t"));
    return t.execute("UPDATE t SET n = 2");
  }));
  EXPECT_EQ((*sum(11).value())[0], 20);
  EXPECT_EQ(reads->query<std::int64_t>("SELECT n FROM t WHERE id = ANY($1)", std::vector{1, 2}).value().front(), 2);
  let_go();
}

TEST_F(OnStandby, APlaceInTheLogIsAVersionForReadersElsewhere) {
  const auto reads = reader(20ms);
  const auto load = sql::row<std::int64_t>(reads, std::string{by_id}, {.log_position = true});
  numbers here{{.name = "n", .loader = load}};
  numbers elsewhere{{.name = "n", .loader = load}};  // does not hear of what is invalidated here
  EXPECT_EQ(got(elsewhere), 1);
  ASSERT_TRUE(set(here, 2));
  const auto seen = reads->position().value();
  EXPECT_EQ(got(elsewhere), 1);
  const auto own = elsewhere.get_or_load(1, {.consistency = consistency::at_least(seen)});
  EXPECT_EQ(**own, 2);
  const auto loads = elsewhere.stats().total.loads;
  if (reads->stats().late == 0) {  // the standby answered, and its answer has a place
    EXPECT_EQ(**elsewhere.get_or_load(1, {.consistency = consistency::at_least(seen)}), 2);
    EXPECT_EQ(elsewhere.stats().total.loads, loads);
  }

  hold_back();
  ASSERT_TRUE(set(here, 3));
  const auto later = reads->position().value();
  EXPECT_GT(later, seen);
  EXPECT_EQ(**elsewhere.get_or_load(1, {.consistency = consistency::at_least(later)}), 3) << "from the primary";
  let_go();
}

TEST_F(OnStandby, ItIsForReading) {
  const auto reads = reader();
  EXPECT_TRUE(failed_with(reads->execute("UPDATE t SET n = 5"), errc::read_only));
  EXPECT_TRUE(failed_with(reads->query<int>("DELETE FROM t RETURNING id"), errc::read_only));
  const auto wrote = reads->transact([](sql::transaction& t) { return t.execute("UPDATE t SET n = 5"); });
  EXPECT_TRUE(failed_with(wrote, errc::read_only));
  EXPECT_THAT(text_of(wrote), HasSubstr("write to the primary"));
  const auto bad = reads->query<int>("SELECT nowhere");
  EXPECT_THAT(text_of(bad), HasSubstr("[42703]"));  // the standby's answer, which the primary is not asked for again
  EXPECT_EQ(reads->stats().failed, 0U);
}

TEST_F(OnStandby, WhatCannotWorkIsSaidWhenItIsOpened) {
  using postgres::open_replica;
  const auto of_nobody = open_replica({.standby = {.url = standby->url()}}, nullptr);
  EXPECT_TRUE(failed_with(of_nobody, seawall::errc::invalid_argument));
  EXPECT_TRUE(failed_with(open_replica({.standby = {.url = standby->url()}, .patience = -1s}, db),
                          seawall::errc::invalid_argument));
  EXPECT_TRUE(failed_with(open_replica({.standby = {.url = standby->url(), .readers = 0}}, db),
                          seawall::errc::invalid_argument));
  const auto no_standby = open_replica({.standby = {.url = primary->url()}}, db);
  ASSERT_TRUE(failed_with(no_standby, errc::unreachable));
  EXPECT_THAT(no_standby.error().message(), HasSubstr("not in hot standby mode; it is a primary: name a standby"));
  EXPECT_TRUE(open_replica({.standby = {.url = primary->url(), .lazy = true}}, db));
  const auto no_primary = open_replica({.standby = {.url = standby->url()}}, there);
  ASSERT_FALSE(no_primary);
  EXPECT_THAT(no_primary.error().message(), HasSubstr("[55000]"));
}

// Two write, six read through a cache: no answer may be older than what was invalidated before it was asked for.
TEST_F(OnStandby, NoReaderGetsBehindAnInvalidation) {
  constexpr int keys = 4;
  constexpr std::int64_t writes = 300;
  const auto reads = reader(1s);
  numbers right{{.name = "right", .loader = sql::row<std::int64_t>(reads, std::string{by_id})}};
  std::array<std::atomic<std::int64_t>, keys> invalidated{};
  for (auto& one : invalidated) one = 1;
  std::atomic<int> writing{2};
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::jthread> threads;
  for (int w = 0; w != 2; ++w) {
    threads.emplace_back([&, w] {
      for (std::int64_t n = 2; n != writes; ++n) {
        const int key = static_cast<int>(n % 2) * 2 + w;  // each writer has two of its own
        if (set(right, n, key + 1)) invalidated[static_cast<std::size_t>(key)] = n;
      }
      --writing;
    });
  }
  for (int r = 0; r != 6; ++r) {
    threads.emplace_back([&, r] {
      for (int i = r; writing != 0; ++i) {
        const auto key = static_cast<std::size_t>(i % keys);
        const std::int64_t least = invalidated[key];
        if (got(right, static_cast<int>(key) + 1) < least) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0U);
  const auto stats = reads->stats();
  EXPECT_GT(stats.read, 0U);
  RecordProperty("read_by_the_standby", std::to_string(stats.read));
  RecordProperty("late", std::to_string(stats.late));
  RecordProperty("looks", std::to_string(stats.looks));
  RecordProperty("positions", std::to_string(stats.positions));
}

}  // namespace
}  // namespace seawall::postgres_test

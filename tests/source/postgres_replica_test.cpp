// Loads from a standby that follows a primary, and from one that is held back, dead, promoted, or of another history.
#include "seawall/source/postgres_replica.hpp"

#include "postgres_support.hpp"
#include "seawall/source/write_through.hpp"
#include "seawall/testing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <optional>
#include <thread>
#include <vector>

namespace seawall::postgres_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using servers::wait_until;
using sql::errc;

constexpr std::string_view by_id = "SELECT n FROM t WHERE id = $1";

std::unique_ptr<postgres_server> standby_of(const postgres_server& primary) {
  const auto from = fmt::format("primary_conninfo = 'host=127.0.0.1 port={} user={} password={}'", primary.port(),
                                postgres_server::user, postgres_server::password);
  return postgres_server::start(
      {.config = {from, "wal_retrieve_retry_interval = 100ms", "recovery_min_apply_delay = 2ms"}, .standby = true});
}

// A standby, read as it is.
std::shared_ptr<postgres::database> unguarded(const postgres_server& standby) {
  return opened({.url = standby.url() + "?target_session_attrs=any", .writers = 1, .readers = 4});
}

struct pair_of_servers {
  std::unique_ptr<postgres_server> primary = postgres_server::start({.config = {"wal_writer_delay = 10ms"}});
  std::unique_ptr<postgres_server> standby = standby_of(*primary);
};

struct OnStandby : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_POSTGRES();
    const auto& both = servers();
    primary = both.primary.get();
    standby = both.standby.get();
    db = opened(at(*primary, 4, 4));
    there = unguarded(*standby);
    run("DROP TABLE IF EXISTS t");
    run("CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL)");
    run("INSERT INTO t SELECT i, 1 FROM generate_series(1, 50) i");
    catches_up(*there);
  }
  void TearDown() override {
    if (there && HasFailure()) (void)there->query<sql::value>("SELECT pg_wal_replay_resume()");
  }
  virtual const pair_of_servers& servers() {
    static const pair_of_servers shared;
    return shared;
  }
  void run(std::string_view statement) {
    const auto done = db->execute(statement);
    ASSERT_TRUE(done) << text_of(done);
  }
  void catches_up(sql::database& one) {
    const auto end = db->query_one<std::string>("SELECT pg_current_wal_flush_lsn()::text").value().value();
    wait_until("the standby catches up", [&] {
      return one.query_one<bool>("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", end).value_or(false).value_or(false);
    });
  }
  void hold_back() {
    ASSERT_TRUE(there->query<sql::value>("SELECT pg_wal_replay_pause()"));
    wait_until("the standby stands still", [&] {
      return there->query_one<std::string>("SELECT pg_get_wal_replay_pause_state()").value() == "paused";
    });
  }
  void let_go() { ASSERT_TRUE(there->query<sql::value>("SELECT pg_wal_replay_resume()")); }

  std::shared_ptr<postgres::replica> reader(duration patience = 10s) {
    postgres::replica_options how{.standby = {.url = standby->url(), .readers = 4, .application_name = "reader"},
                                  .patience = patience};
    auto made = postgres::open_replica(how, db);
    if (!made) throw std::runtime_error(made.error().message());
    return *made;
  }
  using numbers = cache<int, std::int64_t>;
  static std::int64_t got(numbers& from, int id = 1) {
    const auto answer = from.get_or_load(id);
    return answer && *answer ? **answer : -1;
  }
  auto set(numbers& in, std::int64_t n, int id = 1) {
    return update(in, id, db, [n](sql::transaction& t, int which) {
      return t.execute("UPDATE t SET n = $2 WHERE id = $1", which, n);
    });
  }

  postgres_server* primary = nullptr;
  postgres_server* standby = nullptr;
  std::shared_ptr<postgres::database> db;
  std::shared_ptr<postgres::database> there;
};

/// For what harms them.
struct OnOwnStandby : OnStandby {
  const pair_of_servers& servers() override { return own.emplace(); }
  std::optional<pair_of_servers> own;
};

TEST_F(OnStandby, WhatIsInvalidatedIsNotLoadedAgainAsItWas) {
  const auto opened = postgres::open_replica({.standby = {.url = standby->url()}, .patience = 20ms}, db);
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
  catches_up(*there);
  EXPECT_EQ(got(right), 3);
  EXPECT_EQ(reads->stats().read, 2U);
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
  const auto reads = reader(5ms);
  hold_back();
  run("UPDATE t SET n = 2");
  EXPECT_TRUE(reads->query<std::int64_t>(by_id, 1));
  EXPECT_GE(reads->stats().looks, 2U);
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

TEST_F(OnOwnStandby, ADeadStandbyIsThePrimarysWorkUntilItIsBack) {
  const auto reads = reader();
  const auto read_one = [&] { return reads->query<std::int64_t>(by_id, 1); };
  EXPECT_TRUE(read_one());
  there.reset();
  standby->kill();
  run("UPDATE t SET n = 2 WHERE id = 1");
  EXPECT_EQ(read_one().value().front(), 2);
  EXPECT_EQ(reads->stats().failed, 1U);
  standby->restart();
  const auto before = reads->stats().read;
  wait_until("the standby is read again", [&] {
    EXPECT_EQ(read_one().value().front(), 2);
    return reads->stats().read > before;
  });
}

TEST_F(OnOwnStandby, WithoutThePrimaryNobodyKnowsWhatIsMissing) {
  const auto reads = reader();
  EXPECT_TRUE(reads->query<std::int64_t>(by_id, 1));
  primary->kill();
  EXPECT_TRUE(failed_with(reads->query<std::int64_t>(by_id, 1), errc::unreachable));
}

TEST_F(OnOwnStandby, OneThatIsPromotedIsNoStandby) {
  const auto reads = reader();
  EXPECT_TRUE(reads->query<std::int64_t>(by_id, 1));
  ASSERT_TRUE(there->query<bool>("SELECT pg_promote()"));
  run("UPDATE t SET n = 2 WHERE id = 1");
  EXPECT_EQ(reads->query<std::int64_t>(by_id, 1).value().front(), 2);
  EXPECT_EQ(reads->stats().failed, 1U);
  constexpr std::string_view readers = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reader'";
  wait_until("it is left, in case there is another one",
             [&] { return there->query_one<int>(readers).value() == 0; });
}

// Of two standbys the one is promoted that lacks the end of the log. The other has it, and not what comes then.
TEST_F(OnOwnStandby, OneOfAnotherHistoryIsNotReadHoweverFarItIs) {
  const auto other = standby_of(*primary);
  const auto ahead = unguarded(*other);
  there.reset();
  standby->kill();
  for (int i = 0; i != 200; ++i) run("UPDATE t SET n = 7");
  catches_up(*ahead);
  primary->kill();
  standby->restart();
  there = unguarded(*standby);
  ASSERT_TRUE(there->query<bool>("SELECT pg_promote()"));
  db = opened(at(*standby));
  run("UPDATE t SET n = 8");
  const auto end = db->query_one<std::string>("SELECT pg_current_wal_insert_lsn()::text").value().value();
  ASSERT_TRUE(ahead->query_one<bool>("SELECT pg_last_wal_replay_lsn() > $1::pg_lsn", end).value().value());
  EXPECT_EQ(ahead->query<std::int64_t>(by_id, 1).value().front(), 7);
  auto made = postgres::open_replica({.standby = {.url = other->url()}, .patience = 20ms}, db);
  ASSERT_TRUE(made) << text_of(made);
  EXPECT_EQ((*made)->query<std::int64_t>(by_id, 1).value().front(), 8);
  EXPECT_EQ((*made)->stats().late, 1U);
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
  EXPECT_THAT(no_standby.error().message(), HasSubstr("not in hot standby mode"));
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

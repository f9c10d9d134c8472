// A primary of PostgreSQL and a standby that follows it, 2 ms behind, and ways to hold it back.
#pragma once

#include "postgres_support.hpp"
#include "seawall/source/postgres_replica.hpp"
#include "seawall/source/write_through.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::postgres_test {

inline constexpr std::string_view by_id = "SELECT n FROM t WHERE id = $1";

inline std::unique_ptr<postgres_server> standby_of(const postgres_server& primary) {
  const auto from = fmt::format("primary_conninfo = 'host=127.0.0.1 port={} user={} password={}'", primary.port(),
                                postgres_server::user, postgres_server::password);
  return postgres_server::start(
      {.config = {from, "wal_retrieve_retry_interval = 100ms", "recovery_min_apply_delay = 2ms"}, .standby = true});
}

/// A standby, read as it is.
inline std::shared_ptr<postgres::database> unguarded(const postgres_server& standby) {
  return opened({.url = standby.url() + "?target_session_attrs=any", .writers = 1, .readers = 4});
}

struct pair_of_servers {
  std::unique_ptr<postgres_server> primary = postgres_server::start({.config = {"wal_writer_delay = 10ms"}});
  std::unique_ptr<postgres_server> standby = standby_of(*primary);
};

/// All on one pair, which survives what is done to it.
struct OnStandby : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_POSTGRES();
    const auto& both = both_servers();
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
  virtual const pair_of_servers& both_servers() {
    static const pair_of_servers shared;
    return shared;
  }
  void run(std::string_view statement) {
    const auto done = db->execute(statement);
    ASSERT_TRUE(done) << text_of(done);
  }
  void catches_up(sql::database& one) {
    const auto end = db->query_one<std::string>("SELECT pg_current_wal_flush_lsn()::text").value().value();
    servers::wait_until("the standby catches up", [&] {
      return one.query_one<bool>("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", end).value_or(false).value_or(false);
    });
  }
  void hold_back() {
    ASSERT_TRUE(there->query<sql::value>("SELECT pg_wal_replay_pause()"));
    servers::wait_until("the standby stands still", [&] {
      return there->query_one<std::string>("SELECT pg_get_wal_replay_pause_state()").value() == "paused";
    });
  }
  void let_go() { ASSERT_TRUE(there->query<sql::value>("SELECT pg_wal_replay_resume()")); }

  std::shared_ptr<postgres::replica> reader(duration patience = std::chrono::seconds{10}) {
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

}  // namespace seawall::postgres_test

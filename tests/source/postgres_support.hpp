// What the tests of PostgreSQL share: one server that is never harmed, and ways to ask.
#pragma once

#include "seawall/source/postgres.hpp"
#include "seawall/sql.hpp"
#include "servers/postgres_server.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seawall::postgres_test {

using servers::postgres_server;

inline postgres_server& shared_server() {
  static const auto only = postgres_server::start({.config = {"timezone = 'UTC'"}});
  return *only;
}

inline std::shared_ptr<postgres::database> opened(postgres::options how) {
  auto made = postgres::open(how);
  if (!made) throw std::runtime_error(made.error().message());
  return *made;
}

inline postgres::options at(const postgres_server& server, std::size_t writers = 2, std::size_t readers = 2) {
  return {.url = server.url(), .writers = writers, .readers = readers};
}

template <class T>
std::string text_of(const result<T>& answer) {
  return answer ? "ok" : answer.error().message();
}

template <class T, class Code>
::testing::AssertionResult failed_with(const result<T>& answer, Code code) {
  if (!answer && answer.error().code() == code) return ::testing::AssertionSuccess() << answer.error().message();
  return ::testing::AssertionFailure() << text_of(answer);
}

/// Until the server is in the middle of a statement that contains `word`.
inline void wait_for_statement(sql::database& watcher, std::string_view word) {
  servers::wait_until("the statement runs", [&] {
    const auto found = watcher.query_one<int>(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() "
        "AND query LIKE '%' || $1 || '%'", word);
    return found && **found > 0;
  });
}

/// A test on the shared server, with a table `t` of its own.
struct OnPostgres : ::testing::Test {
  void SetUp() override {
    SEAWALL_NEEDS_POSTGRES();
    db = opened(at(shared_server()));
    run("DROP TABLE IF EXISTS t");
    run("CREATE TABLE t (id int PRIMARY KEY, n bigint NOT NULL DEFAULT 0, note text)");
    run("INSERT INTO t VALUES (1, 10, 'one'), (2, 20, NULL), (3, 30, 'three')");
  }
  void run(std::string_view statement) {
    const auto done = db->execute(statement);
    ASSERT_TRUE(done) << text_of(done);
  }
  std::vector<std::int64_t> stored() { return db->query<std::int64_t>("SELECT n FROM t ORDER BY id").value(); }

  std::shared_ptr<postgres::database> db;
};

}  // namespace seawall::postgres_test

// The report of how an answer came.
#include "test_shared.hpp"

#include "seawall/async.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <ostream>

namespace seawall {

inline bool operator==(const served& a, const served& b) {
  return a.from == b.from && a.why == b.why && a.age == b.age && a.version == b.version;
}
inline std::ostream& operator<<(std::ostream& out, const served& how) {
  return out << "from " << static_cast<int>(how.from) << ", why " << static_cast<int>(how.why) << ", age "
             << how.age.count() << ", version " << how.version;
}

namespace shared_test {
namespace {

using from = served_from;
using why = served_why;

struct Served : Shared {
  // What a call of this cache reports.
  template <class Cache>
  served call(Cache& users, const entry_options& options = {}) {
    served how;
    entry_options asked = options;
    asked.report = &how;
    (void)users.get_or_load(1, [&](int) -> result<std::string> {
      if (fails) return fail(errc::loader_failed);
      return "a";
    }, asked);
    return how;
  }

  cache<int, std::string>::options options() {
    return {.name = "users", .ttl = 10s, .jitter = 0, .stale_for = 10s, .stale_if_error = 30s,
            .backoff = {.initial = 0s}, .shared = std::shared_ptr<shared_tier>(tier), .clock = clock,
            .executor = executor};
  }

  bool fails = false;
};

TEST_F(Served, FromTheSourceThenTheProcessThenTheTier) {
  cache<int, std::string> users{options()};
  cache<int, std::string> others{options()};
  EXPECT_EQ(call(users), (served{from::source, why::miss}));
  clock->advance(2s);
  EXPECT_EQ(call(users), (served{from::process, why::hit, 2s}));
  EXPECT_EQ(call(others), (served{from::shared, why::hit}));
  EXPECT_EQ(call(others, {.consistency = consistency::fresh}), (served{from::shared, why::hit}));
}

TEST_F(Served, StaleAnswersSayWhy) {
  cache<int, std::string> users{options()};
  (void)call(users);
  clock->advance(12s);
  {
    const caller refreshes = ask(there, 1);
    EXPECT_EQ(call(users), (served{from::process, why::stale_while_refresh, 12s}));
  }
  clock->advance(10s);
  fails = true;
  EXPECT_EQ(call(users).why, why::stale_on_error);
  clock->advance(30s);
  EXPECT_EQ(call(users), (served{from::nobody, why::failed}));
}

TEST_F(Served, ADeadTierIsNamed) {
  cache<int, std::string> users{options()};
  tier->dead = true;
  EXPECT_EQ(call(users), (served{from::source, why::tier_failed}));
}

TEST_F(Served, WhatWasPassedOverIsNamed) {
  cache<int, std::string> users{options()};
  (void)call(users);
  EXPECT_EQ(call(users, {.consistency = consistency::at_least(3)}), (served{from::source, why::asked}));
}

TEST_F(Served, WhoJoinsOrWaitsIsTold) {
  served joined;
  served waited;
  caller first = ask(here, 1);
  caller second = ask(here, 1, {.report = &joined});
  caller third = ask(there, 1, {.report = &waited});
  load(first, loaded<std::string>("a").with({.version = 4}));
  wake(second);
  wake(third);
  EXPECT_EQ(joined, (served{from::source, why::joined, {}, 4}));
  EXPECT_EQ(waited, (served{from::shared, why::waited, {}, 4}));
}

TEST_F(Served, CoroutinesReportToo) {
  cache<int, std::string> users{options()};
  boost::asio::io_context io;
  served first;
  served second;
  const auto find = [](int) { return std::string("a"); };
  const auto run = [&]() -> boost::asio::awaitable<void> {
    (void)co_await users.async_get_or_load(1, find, {.report = &first}, boost::asio::use_awaitable);
    (void)co_await users.async_get_or_load(1, find, {.report = &second}, boost::asio::use_awaitable);
  };
  boost::asio::co_spawn(io, run(), boost::asio::detached);
  io.run();
  EXPECT_EQ(first, (served{from::source, why::miss}));
  EXPECT_EQ(second, (served{from::process, why::hit}));
}

}  // namespace
}  // namespace shared_test
}  // namespace seawall

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
  EXPECT_EQ(call(others), (served{from::shared, why::hit, 2s}));
  EXPECT_EQ(call(others, {.consistency = consistency::fresh}), (served{from::shared, why::hit, 2s}));
  clock->advance(1s);
  EXPECT_EQ(call(others), (served{from::process, why::hit, 3s}));
  EXPECT_EQ(others.peek(1)->age, 3s);
}

TEST_F(Served, AStaleAnswerOfTheTierIsAsOldAsItIs) {
  configure({.ttl = 10s, .stale_for = 10s});
  store(here, 1, "a");
  clock->advance(12s);
  here->drop(1, here->hash_of(1));
  served led;
  served spared;
  served elsewhere;
  const bound_loader<int, std::string> loader{[](int) { return std::string("b"); }};
  caller refreshes = ask(here, 1, {.loader = &loader, .report = &led});
  EXPECT_EQ(led, (served{from::shared, why::stale_while_refresh, 12s}));
  caller joins = ask(here, 1, {.report = &spared});
  EXPECT_EQ(spared, (served{from::shared, why::stale_while_refresh, 12s}));
  caller other = ask(there, 1, {.report = &elsewhere});
  EXPECT_EQ(elsewhere, (served{from::shared, why::stale_while_refresh, 12s}));
}

TEST_F(Served, WhoJoinsAQuestionIsToldTheAgeOfItsAnswer) {
  store(here, 1, "a");
  clock->advance(3s);
  tier->automatic = false;
  served asked;
  served joined;
  caller first = ask(there, 1, {.report = &asked});
  caller second = ask(there, 1, {.report = &joined});
  ASSERT_EQ(second.at, step::wait);
  tier->run_all();
  wake(first);
  wake(second);
  EXPECT_EQ(asked, (served{from::shared, why::hit, 3s}));
  EXPECT_EQ(joined, (served{from::shared, why::joined, 3s}));
}

TEST_F(Served, AnExpiredEntryIsNoYounger) {
  configure({.ttl = 10s, .stale_for = 10s});
  store(here, 1, "a");
  clock->advance(3s);
  here->expire(1, here->hash_of(1));
  clock->advance(1s);
  served how;
  caller refreshes = ask(here, 1);
  caller other = ask(there, 1, {.report = &how});
  EXPECT_EQ(how, (served{from::shared, why::stale_while_refresh, 4s}));
}

// The share is one of the whole TTL, and not of what was left when this process took the entry.
TEST_F(Served, AnEntryOfAnotherProcessIsRefreshedAheadWhenItsOwnIs) {
  configure({.ttl = 100s, .refresh_ahead = 0.2});
  store(here, 1, "a");
  clock->advance(70s);
  caller late = ask(there, 1);
  ASSERT_EQ(text(late), "a");
  for (const auto& process : {here, there}) EXPECT_EQ(process->look(1, process->hash_of(1)).is, standing::fresh);
  clock->advance(11s);
  for (const auto& process : {here, there}) EXPECT_EQ(process->look(1, process->hash_of(1)).is, standing::refresh_due);
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

// Traps 3 and 27, lost invalidations, old snapshots and a full memory: a Redis that fails in each of its ways.
#include "servers/tcp_proxy.hpp"
#include "shared_usual.hpp"

#include <stdexcept>
#include <vector>

namespace {

using namespace usual;
using seawall::servers::tcp_proxy;

/// Trap 3: one try/catch around the cache and the loader runs the loader twice when only Redis fails.
using Trap03Shared = SharedTrap;

TEST_F(Trap03Shared, ADeadRedisIsASlowerAnswer) {
  for (const char* key : {"key", "other", "third"}) db.write(key, "value");
  redis_client a = client();
  const auto usual_safe_get = [&](const std::string& key, const std::function<void()>& meanwhile) {
    try {
      return usual_get(a, key, meanwhile);
    } catch (const std::runtime_error&) {
      return word(db.find(key));
    }
  };
  EXPECT_EQ(usual_safe_get("key", [&] { server->kill(); }), "value");
  EXPECT_EQ(db.queries(), 2);

  server->restart();
  process here{server->port(), {}, {.bound = 5s, .heartbeat = 20ms, .budget = 200ms}}, there{server->port()};
  here.ask("first", find);
  const int before = db.queries();
  EXPECT_EQ(here.ask("key", find_and([&] { server->kill(); })), "value");
  EXPECT_EQ(here.ask("other", find), "value");
  EXPECT_EQ(here.ask("third", find, fresh), "value");
  // The load that is in flight when the feed is lost is done again, since it may have missed an invalidation.
  const int loads = db.queries() - before;
  EXPECT_GE(loads, 3);
  EXPECT_LE(loads, 4);

  server->restart();
  wait_until("it is used again", [&] {
    EXPECT_EQ(here.ask("key", find, fresh), "value");
    return server->run({"EXISTS", "users:key"}).text == "1";
  });
  const auto not_asked_for = [](const std::string&) { return "a load"; };
  wait_until("others, too", [&] { return there.ask("key", not_asked_for, {.no_store = true}) == "value"; });
}

/// Trap 27: a slow Redis is worse than a dead one: each key waits its own timeout.
using Trap27Shared = SharedTrap;

TEST_F(Trap27Shared, ASilentRedisCostsAFewTimeouts) {
  constexpr int keys = 20;
  process here{server->port(),
               {},
               {.budget = 20ms, .breaker = {.in_a_row = 3, .first_pause = 1min, .most_pause = 1min}}};
  wait_until("it is connected", [&] {
    here.ask("first", find, fresh);
    return here.tier->stats().totals.heartbeats + here.tier->stats().totals.hits >= 1;
  });
  server->pause();
  int timeouts = 0;
  for (int i = 0; i != keys; ++i) {
    try {
      redis_client a{server->port(), 2ms};
      usual_get(a, "key " + std::to_string(i));
    } catch (const std::runtime_error&) {
      ++timeouts;
    }
  }
  EXPECT_EQ(timeouts, keys);

  for (int i = 0; i != keys; ++i) EXPECT_EQ(here.ask("key " + std::to_string(i), find), "absent");
  const auto totals = here.tier->stats().totals;
  EXPECT_LE(totals.failures_timeout + totals.failures_transport, 3);
  EXPECT_GE(totals.failures_breaker, keys - 3);
  server->resume();
}

/// An invalidation that fails, since Redis is away, is forgotten: "the cache is only an optimization".
using LostInvalidationShared = SharedTrap;

TEST_F(LostInvalidationShared, ItIsDeliveredWhenRedisIsBack) {
  db.write("key", "old");
  tcp_proxy proxy{server->port()};
  redis_client a{proxy.port()}, b = client();
  usual_get(a, "key");
  proxy.refuse();
  proxy.reset();
  db.write("key", "new");
  EXPECT_THROW(a.del("key"), std::runtime_error);  // logged, and that was it
  proxy.accept();
  redis_client again{proxy.port()};
  EXPECT_EQ(usual_get(again, "key"), "old");
  EXPECT_EQ(usual_get(b, "key"), "old");

  db.write("key", "old");
  process here{proxy.port(), {}, {.bound = 5s, .heartbeat = 20ms, .budget = 200ms}}, there{server->port()};
  EXPECT_EQ(there.ask("key", find, fresh), "old");
  EXPECT_EQ(here.ask("key", find), "old");
  proxy.refuse();
  proxy.reset();
  db.write("key", "new");
  here.cache.invalidate("key");
  EXPECT_EQ(here.ask("key", find), "new");
  EXPECT_EQ(here.ask("key", find, fresh), "new");
  proxy.accept();
  wait_until("it is delivered", [&] {
    EXPECT_EQ(here.ask("key", find), "new");
    return here.tier->stats().undelivered == 0;
  });
  EXPECT_EQ(there.ask("key", find, fresh), "new");
  process later{server->port()};
  EXPECT_EQ(later.ask("key", find), "new");
}

/// A restart from a snapshot brings back what was deleted after it.
using OldSnapshotShared = SharedTrap;

TEST_F(OldSnapshotShared, WhatWasDeletedComesBack) {
  db.write("key", "old");
  process here{server->port()}, there{server->port()};
  {
    redis_client a = client();
    usual_get(a, "key");
  }
  EXPECT_EQ(here.ask("key", find, fresh), "old");
  server->run({"SAVE"});
  db.write("key", "new");
  server->run({"DEL", "key"});
  here.cache.invalidate("key");
  server->restart();

  redis_client a = client();
  EXPECT_EQ(usual_get(a, "key"), "old");
  ASSERT_EQ(server->run({"EXISTS", "users:key"}).text, "1") << "back, too";
  process later{server->port()};
  for (process* each : {&later, &here, &there}) {
    EXPECT_EQ(each->ask("key", find), "new");
    EXPECT_EQ(each->ask("key", find, fresh), "new");
  }
}

/// A server whose memory is full, with the default policy noeviction.
using FullMemoryShared = SharedTrap;

TEST_F(FullMemoryShared, AnswersStayRight) {
  db.write("key", "old");
  redis_client a = client();
  usual_get(a, "key");
  const auto fill_up = [&] { server->run({"CONFIG", "SET", "maxmemory", "1"}); };
  fill_up();
  db.write("key", "new");
  EXPECT_THROW(a.setex("key", 300s, "new"), std::runtime_error);  // write-through
  EXPECT_EQ(usual_get(a, "key"), "old");
  EXPECT_THROW(usual_get(a, "other"), std::runtime_error);  // a request fails, though the database has answered
  server->run({"CONFIG", "SET", "maxmemory", "0"});

  db.write("key", "old");
  process here{server->port()}, there{server->port()};
  EXPECT_EQ(here.ask("key", find, fresh), "old");
  EXPECT_EQ(here.ask("kept", find, fresh), "absent");
  fill_up();
  db.write("key", "new");
  here.cache.invalidate("key");
  EXPECT_EQ(here.tier->stats().undelivered, 0);
  const int before = db.queries();
  EXPECT_EQ(there.ask("kept", find), "absent");
  EXPECT_EQ(db.queries(), before);
  for (process* each : {&here, &there}) {
    EXPECT_EQ(each->ask("key", find), "new");
    EXPECT_EQ(each->ask("other", find, {.tags = {"tenant"}}), "absent");
  }
  db.write("other", "inserted");
  there.cache.invalidate_tag("tenant");
  EXPECT_EQ(there.ask("other", find), "inserted");
  db.write("other", "changed");
  there.cache.put("other", "changed", {.version = 1});
  EXPECT_EQ(there.ask("other", find, fresh), "changed");
}

}  // namespace

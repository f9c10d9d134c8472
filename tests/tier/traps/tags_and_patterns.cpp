// Traps 11 and 26: groups of entries, by tags.
#include "shared_usual.hpp"

#include <vector>

namespace {

using namespace usual;

const seawall::entry_options tagged{.tags = {"tenant"}};
const seawall::entry_options soon_gone{.ttl = 60s, .tags = {"tenant"}};

/// Trap 11: sets of a tag's keys. Their TTL is the last writer's, and what is written during a flush is in none.
class Trap11Shared : public SharedTrap {
 protected:
  /// The usual snippet: SETEX, SADD, EXPIRE.
  void usual_set(redis_client& redis, const std::string& key, std::chrono::seconds ttl) {
    redis.setex(key, ttl, word(db.find(key)));
    redis.run({"SADD", "tag:tenant", key});
    redis.run({"EXPIRE", "tag:tenant", std::to_string(ttl.count())});
  }
  /// And its flush.
  static void usual_flush(redis_client& redis, const std::function<void()>& meanwhile = {}) {
    const auto members = redis.run({"SMEMBERS", "tag:tenant"}).elements;
    for (const auto& key : members) redis.del(key.text);
    if (meanwhile) meanwhile();
    redis.del("tag:tenant");
  }

  /// What the server does in so much time.
  void let_pass(std::chrono::milliseconds time) {
    for (const auto& key : keys()) {
      const auto left = ttl_ms(key);
      if (left >= 0 && left <= time.count()) let_expire(key);
    }
  }
};

TEST_F(Trap11Shared, ATagLivesAsLongAsItsEntries) {
  db.write("long", "old");
  db.write("short", "old");
  redis_client a = client();
  usual_set(a, "long", 3600s);
  usual_set(a, "short", 60s);
  let_pass(60s);
  db.write("long", "new");
  usual_flush(a);
  EXPECT_EQ(usual_get(a, "long"), "old");  // for an hour

  db.write("long", "old");
  process here{server->port(), {.ttl = 1h}}, there{server->port()}, later{server->port()};
  here.ask("long", find, {.consistency = seawall::consistency::fresh, .tags = {"tenant"}});
  here.ask("short", find, soon_gone);
  here.cache.invalidate("other");  // so that what was sent before is stored
  ASSERT_EQ(keys("users:*").size(), 2);
  let_pass(60s);
  ASSERT_EQ(keys("users:*"), std::vector<std::string>{"users:long"});
  db.write("long", "new");
  there.cache.invalidate_tag("tenant");
  EXPECT_EQ(later.ask("long", find), "new");
  EXPECT_EQ(there.ask("long", find), "new");
  EXPECT_EQ(here.ask("long", find, fresh), "new");
}

TEST_F(Trap11Shared, WhatIsFilledDuringAFlushIsNotMissed) {
  db.write("key", "old");
  redis_client a = client(), b = client();
  usual_flush(a, [&] {
    usual_set(b, "key", 300s);  // its query was before the commit
    db.write("key", "new");
  });
  usual_flush(a);
  EXPECT_EQ(usual_get(b, "key"), "old");  // in no tag: no flush will ever find it

  db.write("key", "old");
  process here{server->port()}, there{server->port()}, later{server->port()};
  const auto load = find_and([&] {
    db.write("key", "new");
    there.cache.invalidate_tag("tenant");
  });
  here.ask("key", load, tagged);
  EXPECT_EQ(later.ask("key", find, tagged), "new");
  EXPECT_EQ(here.ask("key", find, fresh), "new");
  db.write("key", "newest");
  there.cache.invalidate_tag("tenant");
  EXPECT_EQ(there.ask("key", find, tagged), "newest");
  EXPECT_EQ(here.ask("key", find, fresh), "newest");
}

TEST_F(Trap11Shared, NothingIsKeptOfEntriesThatAreGone) {
  redis_client a = client();
  for (int i = 0; i != 50; ++i) {
    usual_set(a, "page " + std::to_string(i), 300s);
    let_expire("page " + std::to_string(i));
  }
  EXPECT_EQ(a.run({"SCARD", "tag:tenant"}).text, "50");  // a leak: each write renews its TTL
  a.del("tag:tenant");

  process here{server->port()};
  const auto add = [&](int from, int to) {
    for (int i = from; i != to; ++i) here.ask("page " + std::to_string(i), find, tagged);
    here.cache.invalidate("other");
    for (const auto& key : keys("users:*")) let_expire(key);
    return keys().size();
  };
  const auto kept = add(0, 1);
  EXPECT_EQ(add(1, 50), kept);
}

/// Trap 26: a counter as version restarts at 1 after an eviction, and old entries match again.
using Trap26Shared = SharedTrap;

TEST_F(Trap26Shared, AForgottenTagMatchesNothing) {
  db.write("list", "old");
  redis_client a = client();
  const auto versioned = [&] { return "list:v" + a.run({"INCRBY", "version", "0"}).text; };
  const auto usual_list = [&] {
    if (const auto cached = a.get(versioned())) return *cached;
    std::string row = word(db.find("list"));
    a.setex(versioned(), 300s, row);
    return row;
  };
  EXPECT_EQ(usual_list(), "old");
  db.write("list", "new");
  a.run({"INCR", "version"});
  EXPECT_EQ(usual_list(), "new");
  a.del("version");  // an eviction
  EXPECT_EQ(usual_list(), "old");

  db.write("list", "old");
  process here{server->port()}, there{server->port()}, later{server->port()};
  EXPECT_EQ(here.ask("list", find, {.consistency = seawall::consistency::fresh, .tags = {"tenant"}}), "old");
  db.write("list", "new");
  there.cache.invalidate_tag("tenant");
  EXPECT_EQ(server->run({"EXISTS", "users:list"}).text, "1") << "its entry is still there";
  const auto records = keys("seawall:tag:*");
  ASSERT_GE(records.size(), 1);
  for (const auto& record : records) server->run({"DEL", record});
  EXPECT_EQ(later.ask("list", find), "new");
  EXPECT_EQ(here.ask("list", find, fresh), "new");
  EXPECT_EQ(there.ask("list", find), "new");
}

}  // namespace

// Traps 7, 8, 9 and 10 and the absence that hides an insert, between processes: what is stored after it was changed.
#include "seawall/cache/pending_invalidations.hpp"
#include "shared_usual.hpp"

#include <atomic>
#include <utility>

namespace {

using namespace usual;

/// Trap 7: SETEX after a read puts back what an invalidation of another process just removed.
class Trap07Shared : public SharedTrap {
 protected:
  using change = std::function<void(process& other, redis_server& server)>;

  /// A row is changed, and `change` made known by another process, during a load; what all see then.
  void changed_during_load(const char* what, const change& invalidate) {
    SCOPED_TRACE(what);
    db.write("key", "old");
    process here{server->port()}, there{server->port()}, later{server->port()};
    here.cache.invalidate("key");
    const auto load = find_and([&] {
      db.write("key", "new");
      invalidate(there, *server);
    });
    here.ask("key", load, {.tags = {"tenant"}});  // began before: either answer is right
    EXPECT_EQ(later.ask("key", find), "new");
    EXPECT_EQ(there.ask("key", find), "new");
    EXPECT_EQ(here.ask("key", find, fresh), "new");
    EXPECT_EQ(here.ask("key", find), "new");
  }
};

TEST_F(Trap07Shared, TheUsualSetexPutsTheOldValueBack) {
  db.write("key", "old");
  redis_client a = client(), b = client();
  usual_get(a, "key", [&] {
    db.write("key", "new");
    b.del("key");
  });
  EXPECT_EQ(usual_get(b, "key"), "old");  // for five minutes
}

TEST_F(Trap07Shared, AValueWhoseLoadBeganBeforeIsNotStored) {
  changed_during_load("a key", [](process& other, auto&) { other.cache.invalidate("key"); });
  changed_during_load("keys", [](process& other, auto&) {
    other.cache.invalidate_many(std::vector<std::string>{"key", "another"});
  });
  changed_during_load("a tag", [](process& other, auto&) { other.cache.invalidate_tag("tenant"); });
  changed_during_load("all", [](process& other, auto&) { other.cache.clear(); });
  changed_during_load("another program", [](auto&, redis_server& redis) { redis.run({"DEL", "users:key"}); });
  changed_during_load("a flush", [](auto&, redis_server& redis) { redis.run({"FLUSHALL"}); });
}

/// The same with an absence: a row that was just inserted stays hidden.
using NegativeShared = SharedTrap;

TEST_F(NegativeShared, AnInsertDuringTheQueryIsSeen) {
  redis_client a = client(), b = client();
  usual_get(a, "key", [&] {
    db.write("key", "inserted");
    b.del("key");
  });
  EXPECT_EQ(usual_get(b, "key"), "absent");

  process here{server->port()}, there{server->port()};
  EXPECT_EQ(here.ask("other key", find), "absent");
  EXPECT_EQ(there.ask("other key", find), "absent");
  db.write("other key", "inserted");
  there.cache.invalidate("other key");
  EXPECT_EQ(there.ask("other key", find), "inserted");
  EXPECT_EQ(here.ask("other key", find, fresh), "inserted");

  const auto load = find_and([&] {
    db.write("third key", "inserted");
    there.cache.invalidate("third key");
  });
  here.ask("third key", load);
  EXPECT_EQ(there.ask("third key", find), "inserted");
  EXPECT_EQ(here.ask("third key", find), "inserted");
}

/// Trap 8: SET NX on fill keeps the old value and loses the refresh.
using Trap08Shared = SharedTrap;

TEST_F(Trap08Shared, ARefreshReplacesTheOldValue) {
  redis_client a = client();
  EXPECT_TRUE(a.set_nx("key", "old", 300s));
  EXPECT_FALSE(a.set_nx("key", "new", 300s));
  EXPECT_EQ(a.get("key"), "old");

  std::atomic<bool> changed{false};
  const auto load = [&](const std::string&) -> std::string { return changed ? "new" : "old"; };
  process here{server->port(), {.ttl = 1ms, .jitter = 0, .stale_for = 1h, .loader = load}};
  EXPECT_EQ(word(here.cache.get_or_load("key")), "old");
  changed = true;
  wait_until("a use of what is stale has refreshed it", [&] {
    (void)here.cache.get_or_load("key");
    return server->run({"GET", "users:key"}).text.contains("new");
  });
}

/// Trap 9: database, then cache: two writers whose cache writes come in the other order leave the older value.
using Trap09Shared = SharedTrap;

TEST_F(Trap09Shared, TheOrderOfTheWritersDoesNotMatter) {
  redis_client a = client(), b = client();
  db.write("key", "A's");
  db.write("key", "B's");
  b.setex("key", 300s, "B's");
  a.setex("key", 300s, "A's");
  EXPECT_EQ(usual_get(a, "key"), "A's");  // B's is in the database

  // Writers that invalidate.
  process here{server->port()}, there{server->port()}, later{server->port()};
  db.write("key", "A's");
  db.write("key", "B's");
  there.cache.invalidate("key");
  here.cache.invalidate("key");
  for (process* each : {&later, &here, &there}) EXPECT_EQ(each->ask("key", find), "B's");

  // And writers that put.
  db.write("key", "C's");
  db.write("key", "D's");
  there.cache.put("key", "D's");
  here.cache.put("key", "C's");
  for (process* each : {&later, &here, &there}) EXPECT_EQ(each->ask("key", find, fresh), "D's");
}

/// Trap 10: a delete before the commit lets a reader in another process cache the old row again.
using Trap10Shared = SharedTrap;

TEST_F(Trap10Shared, InvalidationsWaitForTheCommit) {
  db.write("key", "old");
  redis_client a = client(), b = client();
  usual::database::transaction change{db};
  change.write("key", "new");
  a.del("key");
  EXPECT_EQ(usual_get(b, "key"), "old");
  change.commit();
  EXPECT_EQ(usual_get(b, "key"), "old");  // for five minutes

  process here{server->port()}, there{server->port()};
  usual::database::transaction next{db};
  seawall::pending_invalidations stale;
  next.write("key", "newest");
  stale.add(here.cache, "key");
  EXPECT_EQ(there.ask("key", find), "new");
  next.commit();
  stale.apply();
  EXPECT_EQ(here.ask("key", find), "newest");
  EXPECT_EQ(there.ask("key", find, fresh), "newest");
}

}  // namespace

// Traps 4, 5, 6 and 18 and the stampede between machines: who loads, and who may end whose lock.
#include "shared_usual.hpp"
#include "tier/tier_support.hpp"

#include <atomic>
#include <latch>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace {

using namespace usual;

using StampedeShared = SharedTrap;

/// Between machines: each process that misses queries.
TEST_F(StampedeShared, OneProcessLoadsAndTheOthersGetItsValue) {
  db.write("key", "value");
  redis_client a = client(), b = client(), c = client();
  usual_get(a, "key", [&] { usual_get(b, "key", [&] { usual_get(c, "key"); }); });
  EXPECT_EQ(db.queries(), 3);

  process here{server->port()}, there{server->port()};
  std::string answer;
  std::jthread waiter;
  const auto load = find_and([&] {
    waiter = std::jthread{[&] { answer = there.ask("key", find); }};
    wait_until("the other process waits", [&] { return there.tier->stats().totals.held >= 1; });
  });
  EXPECT_EQ(here.ask("key", load), "value");
  waiter.join();
  EXPECT_EQ(answer, "value");
  EXPECT_EQ(db.queries(), 3 + 1);
}

/// Trap 4: `DEL lock` without a look at its owner frees somebody else's lock.
class Trap04Shared : public SharedTrap {
 protected:
  /// A loads so long that its lease ends, and its load ends (with an error, or with a value) while B loads.
  void late_end(const std::string& key, bool fails) {
    process a{server->port()}, b{server->port()}, later{server->port()};
    std::latch a_loads{1};
    std::latch a_may_end{1};
    std::jthread slow{[&] {
      (void)a.cache.get_or_load(key, [&](const std::string&) -> seawall::result<std::string> {
        a_loads.count_down();
        a_may_end.wait();
        if (fails) return seawall::fail(seawall::errc::loader_failed, "the database is busy");
        return "A's";
      });
    }};
    a_loads.wait();
    let_expire("users:" + key);
    std::string before;
    const auto load = [&](const std::string&) {
      before = server->run({"GET", "users:" + key}).text;
      a_may_end.count_down();
      slow.join();
      a.cache.invalidate("other");  // goes the same way, so what A sent before has been done
      EXPECT_EQ(server->run({"GET", "users:" + key}).text, before) << "B's lease";
      return "B's";
    };
    EXPECT_EQ(word(b.cache.get_or_load(key, load, fresh)), "B's");
    EXPECT_FALSE(before.empty());
    EXPECT_EQ(later.ask(key, find), "B's");
    EXPECT_EQ(a.tier->stats().totals.rejected_fills, fails ? 0 : 1);
  }
};

TEST_F(Trap04Shared, TheUsualUnlockFreesSomebodyElsesLock) {
  redis_client a = client(), b = client(), c = client();
  EXPECT_TRUE(a.set_nx("lock:key", "1", 30s));
  let_expire("lock:key");
  EXPECT_TRUE(b.set_nx("lock:key", "1", 30s));
  a.del("lock:key");                            // A has ended
  EXPECT_TRUE(c.set_nx("lock:key", "1", 30s));  // while B loads: now C does, too
}

TEST_F(Trap04Shared, ALateFillLeavesTheLeaseOfAnother) { late_end("key", false); }
TEST_F(Trap04Shared, ALateReleaseLeavesTheLeaseOfAnother) { late_end("key", true); }

/// Trap 5: waiting by repetition never ends when the owner of the lock has died.
using Trap05Shared = SharedTrap;

TEST_F(Trap05Shared, ALeaseEndsWithoutItsOwner) {
  db.write("key", "value");
  {
    redis_client owner = client();
    owner.run({"SETNX", "lock:key", "1"});  // and then, in the next line of the snippet, an EXPIRE
  }
  redis_client waiter = client();
  int tries = 0;
  while (!waiter.get("key") && waiter.run({"SETNX", "lock:key", "1"}).text == "0" && tries < 100) ++tries;
  EXPECT_EQ(tries, 100);
  EXPECT_EQ(ttl_ms("lock:key"), -1);  // for ever

  {
    seawall::member owner{server->port(), seawall::patient()};
    EXPECT_EQ(owner.read("users:key")->is, seawall::tier_read::outcome::leased);
  }
  EXPECT_GT(ttl_ms("users:key"), 0);
  EXPECT_LE(ttl_ms("users:key"), 30'000);
  process here{server->port()};
  std::string answer;
  std::jthread asker{[&] { answer = here.ask("key", find); }};
  wait_until("it waits", [&] { return here.tier->stats().totals.held >= 1; });
  let_expire("users:key");
  asker.join();
  EXPECT_EQ(answer, "value");
}

/// Trap 6: a lock for each key, for ever.
using Trap06Shared = SharedTrap;

TEST_F(Trap06Shared, NothingIsKeptOfKeysThatNobodyHas) {
  constexpr int many = 200;
  const auto nonsense = [](int i) { return "nonsense " + std::to_string(i); };
  redis_client a = client();
  std::unordered_map<std::string, std::mutex> locks;
  for (int i = 0; i != many; ++i) {
    const std::lock_guard lock{locks[nonsense(i)]};
    usual_get(a, nonsense(i));
    let_expire(nonsense(i));
  }
  EXPECT_EQ(keys().size(), 0);
  EXPECT_EQ(locks.size(), many);

  process here{server->port()};
  const auto ask_many = [&](int from, int to) {
    for (int i = from; i != to; ++i) EXPECT_EQ(here.ask(nonsense(i), find, {.no_store = true}), "absent");
    here.cache.invalidate("other");  // goes the same way, so what was sent before is done
    return keys().size();
  };
  const auto kept = ask_many(0, 1);
  EXPECT_EQ(ask_many(1, many), kept) << "each load had a lease, and gave it back";
  EXPECT_EQ(keys("users:*").size(), 0);
  EXPECT_EQ(here.cache.size(), 0);
  EXPECT_EQ(here.cache.stats().running_loads, 0);
}

/// Trap 18: a background refresh without a lease: every process refreshes at once.
using Trap18Shared = SharedTrap;

TEST_F(Trap18Shared, OneProcessRefreshes) {
  db.write("key", "old");
  redis_client a = client(), b = client();
  usual_get(a, "key");
  const auto usual_refresh = [&](redis_client& redis, const std::function<void()>& meanwhile) {
    const std::string row = word(db.find("key"));
    meanwhile();
    redis.setex("key", 300s, row);
  };
  usual_refresh(a, [&] { usual_refresh(b, [] {}); });  // both have seen that it is due
  EXPECT_EQ(db.queries(), 1 + 2);

  std::atomic<int> loads{0};
  std::latch may_end{1};
  const auto load = [&](const std::string&) -> std::string {
    if (++loads == 1) return "old";
    may_end.wait();
    return "new";
  };
  process here{server->port(), {.ttl = 1ms, .jitter = 0, .stale_for = 1h, .loader = load}};
  process there{server->port(), {.ttl = 1ms, .jitter = 0, .stale_for = 1h, .loader = load}};
  for (process* each : {&here, &there}) each->warm_up();
  EXPECT_EQ(word(here.cache.get_or_load("key")), "old");
  here.cache.invalidate("other");  // goes the same way, so what was sent before is stored
  const auto server_ms = [&] {
    const auto now = server->run({"TIME"}).elements;
    return std::stoll(now.at(0).text) * 1000 + std::stoll(now.at(1).text) / 1000;
  };
  wait_until("it is stale", [&, stored = server_ms()] { return server_ms() > stored + 2; });
  EXPECT_EQ(word(here.cache.get_or_load("key")), "old");
  wait_until("it is being refreshed", [&] { return loads == 2; });
  EXPECT_EQ(word(there.cache.get_or_load("key")), "old");
  EXPECT_GE(there.tier->stats().totals.held, 1);
  EXPECT_EQ(loads, 2);
  may_end.count_down();
  for (process* each : {&here, &there}) {
    wait_until("it is refreshed", [&] { return word(each->cache.get_or_load("key")) == "new"; });
  }
}

}  // namespace

// Traps 14, 15 and 17: what a process keeps of the shared store in its own memory.
#include "servers/tcp_proxy.hpp"
#include "shared_usual.hpp"

#include <map>
#include <thread>

namespace {

using namespace usual;
using seawall::servers::direction;
using seawall::servers::raw_client;
using seawall::servers::tcp_proxy;

/// The usual process: a map in front of Redis, and a subscription that tells which keys to drop from it.
class usual_l1 {
 public:
  explicit usual_l1(std::uint16_t port) : port_(port) { subscribe(); }

  void subscribe() {
    news_.emplace(port_);
    news_->run({"SUBSCRIBE", "changes"});
  }
  /// Waits for the next message.
  std::string hear() {
    std::string key = news_->receive().elements.at(2).text;
    kept.erase(key);
    return key;
  }

  std::map<std::string, std::string> kept;

 private:
  std::uint16_t port_;
  std::optional<raw_client> news_;
};

/// Trap 14: an invalidation by pub/sub that is lost in a reconnect leaves the process's copy stale for ever.
class Trap14Shared : public SharedTrap {
 protected:
  void usual_write(redis_client& redis, const std::string& key, const std::string& value) {
    db.write(key, value);
    redis.del(key);
    redis.run({"PUBLISH", "changes", key});
  }
};

TEST_F(Trap14Shared, AMessageIsLostInAReconnect) {
  tcp_proxy proxy{server->port()};
  redis_client a = client();
  usual_l1 usual_there{proxy.port()};
  db.write("key", "old");
  usual_there.kept["key"] = usual_get(a, "key");
  proxy.reset();
  usual_write(a, "key", "new");
  usual_there.subscribe();
  usual_write(a, "other", "new");
  EXPECT_EQ(usual_there.hear(), "other");  // all is well again
  EXPECT_EQ(usual_there.kept["key"], "old");

  db.write("key", "old");
  process here{server->port()}, there{proxy.port(), {}, {.bound = 5s, .budget = 200ms}};
  EXPECT_EQ(here.ask("key", find, fresh), "old");
  wait_until("it keeps what it has read", [&] { return there.ask("key", find) == "old" && there.cache.get("key"); });
  EXPECT_TRUE(there.cache.contains("key"));
  proxy.refuse();
  proxy.reset();
  db.write("key", "new");
  here.cache.invalidate("key");
  wait_until("it has noticed, and asks the source", [&] { return there.ask("key", find) == "new"; });
  proxy.accept();
  wait_until("it is connected", [&] {
    EXPECT_EQ(there.ask("key", find), "new");
    return there.tier->stats().totals.connections >= 2;
  });
  EXPECT_EQ(there.ask("key", find), "new");
}

TEST_F(Trap14Shared, AConnectionIsLostAndLooksAlive) {
  tcp_proxy proxy{server->port()};
  redis_client a = client();
  usual_l1 usual_there{proxy.port()};
  usual_there.kept["key"] = "old";
  proxy.drop();
  usual_write(a, "key", "new");
  EXPECT_EQ(usual_there.kept["key"], "old");  // and nothing will ever come
  proxy.release();

  db.write("key", "old");
  process here{server->port()};
  process there{proxy.port(), {}, {.bound = 500ms, .heartbeat = 50ms, .budget = 200ms}};
  EXPECT_EQ(here.ask("key", find, fresh), "old");
  wait_until("it keeps what it has read", [&] { return there.ask("key", find) == "old" && there.cache.get("key"); });
  proxy.drop();
  db.write("key", "new");
  here.cache.invalidate("key");
  wait_until("the bound has passed", [&] { return there.ask("key", find) == "new"; });
}

/// Trap 15: an invalidation arrives before the answer to a read that the server has answered earlier.
using Trap15Shared = SharedTrap;

TEST_F(Trap15Shared, TheNewsOvertakeTheAnswer) {
  redis_client a = client();
  raw_client data{server->port()};
  usual_l1 usual_there{server->port()};
  a.set("key", "old");
  data.send(seawall::servers::encode({"GET", "key"}));
  ASSERT_TRUE(data.readable(5s));  // the answer is on its way
  a.set("key", "new");
  a.run({"PUBLISH", "changes", "key"});
  EXPECT_EQ(usual_there.hear(), "key");  // nothing to drop yet
  usual_there.kept["key"] = data.receive().text;
  EXPECT_EQ(usual_there.kept["key"], "old");  // for ever

  db.write("key", "old");
  tcp_proxy proxy{server->port()};
  process here{server->port()}, there{proxy.port(), {}, {.bound = 500ms, .heartbeat = 50ms, .budget = 10s}};
  EXPECT_EQ(here.ask("key", find, fresh), "old");
  there.ask("other", find, fresh);
  proxy.hold(direction::to_client);
  const auto told = std::stoi(server->info("tracking_total_items"));
  std::string answer;
  std::jthread reader{[&] { answer = there.ask("key", [](const std::string&) { return "not asked for"; }); }};
  wait_until("the server has answered", [&] { return std::stoi(server->info("tracking_total_items")) > told; });
  db.write("key", "new");
  here.cache.invalidate("key");
  proxy.release(direction::to_client);
  reader.join();
  EXPECT_EQ(answer, "old");  // it was right when it was read
  wait_until("the news have come behind it", [&] { return there.ask("key", find) == "new"; });
}

/// Trap 17: TTL after GET is of another value, if one came between them; -1 and -2 mean other things.
using Trap17Shared = SharedTrap;

TEST_F(Trap17Shared, ALifeBelongsToItsValue) {
  redis_client a = client(), b = client();
  a.setex("key", 1s, "old");
  const auto usual_read = [&](const std::function<void()>& meanwhile) {
    const std::string value = a.get("key").value();
    meanwhile();
    return std::pair{value, a.run({"TTL", "key"}).text};
  };
  EXPECT_EQ(usual_read([&] { b.setex("key", 300s, "new"); }), (std::pair<std::string, std::string>{"old", "300"}));
  EXPECT_EQ(usual_read([&] { b.run({"PERSIST", "key"}); }).second, "-1");
  EXPECT_EQ(usual_read([&] { let_expire("key"); }).second, "-2");

  db.write("key", "value");
  process here{server->port()}, there{server->port()};
  here.ask("key", find, {.ttl = 100s, .jitter = 0.0, .consistency = seawall::consistency::fresh});
  server->run({"PERSIST", "users:key"});
  EXPECT_EQ(there.ask("key", find, {.ttl = 1h}), "value");
  const auto seen = there.cache.peek("key");
  ASSERT_TRUE(seen);
  EXPECT_LE(seen->fresh_for, 100s);
  EXPECT_GT(seen->fresh_for, 10s);
}

}  // namespace

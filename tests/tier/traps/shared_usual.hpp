// What the traps of a shared Redis share: the client of the usual snippet, a process with a Seawall cache, and the
// snippet itself. Several of each use one real server. Interleavings are steps: a loader, or the snippet's
// `meanwhile`, does what other processes do between a query and the store of its answer.
#pragma once

#include "seawall/tier.hpp"
#include "servers/redis_server.hpp"
#include "servers/wait.hpp"
#include "traps/usual.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace usual {

using seawall::servers::redis_server;
using seawall::servers::wait_until;

using source = std::function<std::optional<std::string>(const std::string&)>;

/// Asks Redis, whatever is in the process.
inline constexpr seawall::entry_options fresh{.consistency = seawall::consistency::fresh};

/// A client library as snippets use it: errors are exceptions.
class redis_client {
 public:
  explicit redis_client(std::uint16_t port, std::chrono::milliseconds patience = 5s) : connection_(port, patience) {}

  seawall::servers::reply run(const seawall::servers::arguments& command) {
    auto answer = connection_.run(command);
    if (answer.is_error()) throw std::runtime_error(answer.text);
    return answer;
  }

  std::optional<std::string> get(const std::string& key) {
    auto answer = run({"GET", key});
    return answer.is_null() ? std::nullopt : std::optional{std::move(answer.text)};
  }
  void set(const std::string& key, const std::string& value) { run({"SET", key, value}); }
  void setex(const std::string& key, std::chrono::seconds ttl, const std::string& value) {
    run({"SETEX", key, std::to_string(ttl.count()), value});
  }
  bool set_nx(const std::string& key, const std::string& value, std::chrono::seconds ttl) {
    return !run({"SET", key, value, "NX", "EX", std::to_string(ttl.count())}).is_null();
  }
  void del(const std::string& key) { run({"DEL", key}); }

 private:
  seawall::servers::raw_client connection_;
};

/// One process with Seawall: a client, a tier, and the cache "users". Its times are generous: a slow machine is not
/// what is tested.
class process {
 public:
  explicit process(std::uint16_t port, texts::options how = {}, seawall::tier_options tier_how = generous())
      : process(url_of(port), std::move(how), std::move(tier_how)) {}
  explicit process(const std::string& url, texts::options how = {}, seawall::tier_options tier_how = generous())
      : tier(connect(url, std::move(tier_how))), cache(over(std::move(how), tier)) {}

  static std::string url_of(std::uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }
  static seawall::tier_options generous() { return {.bound = 5s, .budget = 2s}; }

  static std::shared_ptr<seawall::remote_tier> connect(const std::string& url, seawall::tier_options how) {
    const auto client = seawall::redis::client::connect({.url = url, .backoff = {.first = 5ms, .most = 50ms}});
    if (!client) throw std::runtime_error(client.error().message());
    auto made = seawall::redis_tier(*client, std::move(how));
    if (!made) throw std::runtime_error(made.error().message());
    return *std::move(made);
  }

  std::string ask(const std::string& key, const source& load, const seawall::entry_options& how = {}) {
    return word(cache.get_or_load(key, load, how));
  }

  /// What a process is told after its first load, of the records that its cache shares, takes all of its entries away.
  void warm_up() {
    (void)cache.get_or_load("first", [](const std::string&) { return "value"; });
    cache.invalidate("other");
  }

  const std::shared_ptr<seawall::remote_tier> tier;
  texts cache;

 private:
  static texts::options over(texts::options how, const std::shared_ptr<seawall::remote_tier>& tier) {
    how.name = how.name == "cache" ? "users" : how.name;
    how.shared = tier;
    return how;
  }
};

/// A server, a database, and time that can be skipped.
class SharedTrap : public ::testing::Test {
 protected:
  void SetUp() override {
    SEAWALL_NEEDS_SERVER();
    server = redis_server::start();
  }

  redis_client client() const { return redis_client{server->port()}; }

  /// The usual snippet: GET, query, SETEX. `meanwhile`: what others do between its query and its SETEX.
  std::string usual_get(redis_client& redis, const std::string& key, const std::function<void()>& meanwhile = {}) {
    if (const auto cached = redis.get(key)) return *cached;
    std::string value = word(db.find(key));
    if (meanwhile) meanwhile();
    redis.setex(key, 300s, value);
    return value;
  }

  /// The same as a loader: the row, and what happens between the query and its return, the first time.
  source find_and(std::function<void()> meanwhile) {
    return [this, meanwhile = std::move(meanwhile), first = true](const std::string& key) mutable {
      auto row = db.find(key);
      if (std::exchange(first, false)) meanwhile();
      return row;
    };
  }

  /// What the server does when the TTL of a key ends.
  void let_expire(const std::string& key) { server->run({"PEXPIRE", key, "0"}); }
  std::int64_t ttl_ms(const std::string& key) { return std::stoll(server->run({"PTTL", key}).text); }
  std::vector<std::string> keys(const std::string& pattern = "*") {
    std::vector<std::string> found;
    const auto reply = server->run({"SCAN", "0", "MATCH", pattern, "COUNT", "10000"});
    for (const auto& key : reply.elements.at(1).elements) found.push_back(key.text);
    return found;
  }

  std::unique_ptr<redis_server> server;
  usual::database db;
  source find = [this](const std::string& key) { return db.find(key); };
};

}  // namespace usual

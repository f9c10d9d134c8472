// Optimistic locking with WATCH on a session, a connection of one's own: four threads sell what is in stock.
#include <seawall/redis.hpp>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;

namespace {

// Whether one was left to sell.
seawall::result<bool> sell(redis::session& own) {
  for (;;) {
    if (auto watched = own.run(cmd::watch("stock:7")); !watched) return std::unexpected(watched.error());
    const auto left = own.run(cmd::get<int>("stock:7"));
    if (!left) return std::unexpected(left.error());
    if (left->value_or(0) == 0) return false;
    const auto sold = own.transaction(cmd::set("stock:7", **left - 1));
    if (sold) return true;
    if (sold.error().code() != cmd::errc::watch_failed) return std::unexpected(sold.error());
  }  // somebody else has sold one meanwhile
}

}  // namespace

int main() {
  const char* url = std::getenv("REDIS_URL");
  auto connected = redis::client::connect({.url = url ? url : "redis://127.0.0.1:6379"});
  if (!connected) return 1;
  redis::client db = *connected;

  db.run(cmd::set("stock:7", 50));
  std::atomic<int> sold{0};
  std::vector<std::jthread> clerks;
  for (int i = 0; i < 4; ++i) {
    clerks.emplace_back([&] {
      auto own = db.open_session("stock:7");  // to the server that holds this key
      for (auto one = sell(own); one && *one; one = sell(own)) ++sold;
    });
  }
  clerks.clear();
  const auto left = db.run(cmd::get<int>("stock:7"));
  std::cout << sold << " sold\n";
  return sold == 50 && left && *left == 0 ? 0 : 1;
}

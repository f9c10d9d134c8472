// The Redis client on the program's own io_context, with coroutines; and futures, without a context.
#include <seawall/redis.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <iostream>

namespace asio = boost::asio;
namespace redis = seawall::redis;
namespace cmd = seawall::cmd;

namespace {

asio::awaitable<void> visit(redis::client db, std::int64_t& seen) {
  const auto [hits, name] = co_await db.async_run(cmd::incr("hits"), cmd::get("name"), asio::use_awaitable);
  if (hits) seen = std::max(seen, *hits);
  const auto both = co_await db.async_transaction(cmd::set("last", 1), cmd::incr("visits"), asio::use_awaitable);
  if (!both) std::cout << both.error().message() << '\n';
}

asio::awaitable<void> serve(redis::client db, std::int64_t& seen) {
  for (int i = 0; i < 10; ++i) co_await visit(db, seen);
  db.close();  // the context has nothing to do any more, and its run() returns
}

}  // namespace

int main() {
  const char* given = std::getenv("REDIS_URL");
  const std::string url = given ? given : "redis://127.0.0.1:6379";

  asio::io_context io;
  auto on_context = redis::client::connect({.url = url, .executor = io.get_executor()});
  if (!on_context) return 1;
  std::int64_t seen = 0;
  asio::co_spawn(io, serve(*on_context, seen), asio::detached);
  io.run();

  auto db = redis::client::connect({.url = url});  // with a thread of its own
  if (!db) return 1;
  std::future<seawall::result<std::int64_t>> later = db->async_run(cmd::incr("hits"), asio::use_future);
  const auto hits = later.get();
  std::cout << seen << " visits on the context\n";
  return seen == 10 && hits == 11 ? 0 : 1;
}

// Coroutines (Boost.Asio) and threads need the same key: they join one load, and nobody blocks the event loop.
#include <seawall/async.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

namespace asio = boost::asio;

struct service {
  seawall::cache<int, std::string> users;
  int queries = 0;
  int greeted = 0;

  service() : users{{.name = "users"}} {}

  // An asynchronous query: one that really waits for a socket would co_await it here.
  asio::awaitable<std::optional<std::string>> find_user(int id) {
    ++queries;
    while (users.stats().total.coalesced != 10) {  // until everybody else has joined
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
    co_return "user " + std::to_string(id);
  }

  asio::awaitable<void> greet(int id) {
    const auto load = [this](int key) { return find_user(key); };  // a named variable: it outlives the operation
    const auto user = co_await users.async_get_or_load(id, load, asio::use_awaitable);
    if (user && *user && **user == "user 7") ++greeted;
  }

  asio::awaitable<void> rename(int id, std::string name, std::uint64_t row_version) {
    co_await users.async_put(id, name, {.version = row_version}, asio::use_awaitable);  // after the commit
  }
};

int main() {
  asio::io_context io;
  service app;
  for (int i = 0; i < 10; ++i) asio::co_spawn(io, app.greet(7), asio::detached);
  io.poll_one();  // the first coroutine opens the load

  std::jthread caller{[&] {  // a thread asks for the same user
    const auto user = app.users.get_or_load(7, [](int) { return std::string{"not called: a load is under way"}; });
    if (!user || **user != "user 7") std::terminate();
  }};
  io.run();
  caller.join();

  asio::co_spawn(io, app.rename(7, "Ada", 2), asio::detached);
  io.restart();
  io.run();

  std::cout << app.greeted << " coroutines and a thread, " << app.queries << " query\n";
  return app.greeted == 10 && app.queries == 1 && *app.users.get(7) == "Ada" ? 0 : 1;
}

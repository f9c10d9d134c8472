// Without coroutines: any completion token of Boost.Asio will do, for example a callback or a future.
#include <seawall/async.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <iostream>
#include <string>

namespace asio = boost::asio;

int main() {
  using user_cache = seawall::cache<int, std::string>;
  user_cache users{{.name = "users"}};
  asio::io_context io;
  const auto load = [](int id) { return "user " + std::to_string(id); };  // or one that returns an asio::awaitable

  // A callback, called on the executor that is bound to it.
  std::string called_with;
  users.async_get_or_load(7, load, asio::bind_executor(io, [&](user_cache::answer user) {
                            if (user && *user) called_with = **user;
                          }));

  // A future, with options for this call.
  const seawall::entry_options how{.ttl = std::chrono::minutes{1}};
  std::future<user_cache::answer> promised =
      users.async_get_or_load(8, load, how, asio::bind_executor(io, asio::use_future));

  io.run();
  const user_cache::answer user = promised.get();
  std::cout << called_with << ", " << **user << '\n';
  return called_with == "user 7" && user && **user == "user 8" ? 0 : 1;
}

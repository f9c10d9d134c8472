// expect-error: seawall: async_put takes a value that is an aggregate and owns something as a named variable
#include <seawall/async.hpp>

#include <string>

struct user {
  std::string name;
};

boost::asio::awaitable<void> rename(seawall::cache<int, user>& users) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  const user renamed{"Ada"};
  co_await users.async_put(1, renamed, boost::asio::use_awaitable);
#else
  co_await users.async_put(1, user{"Ada"}, boost::asio::use_awaitable);
#endif
}

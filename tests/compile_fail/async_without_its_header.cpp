// expect-error: async_get_or_load
#ifdef SEAWALL_COMPILE_FAIL_GOOD
#include <seawall/async.hpp>
#else
#include <seawall/cache.hpp>
#endif

#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <string>

using names = seawall::cache<int, std::string>;

// cache.hpp alone declares the asynchronous verbs; without async.hpp they do not compile, rather than not link.
boost::asio::awaitable<names::answer> ask(names& cache) {
  co_return co_await cache.async_get_or_load(1, boost::asio::use_awaitable);
}

// expect-error: an asynchronous verb takes a loader that owns something as a named variable (an lvalue)
#include <seawall/async.hpp>

#include <boost/asio/detached.hpp>

#include <memory>
#include <string>

using names = seawall::cache<int, std::string>;
using boost::asio::awaitable;

// The same for a loader that is a coroutine, and for any other completion token.
void ask(names& cache, std::shared_ptr<int> database) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  cache.async_get_or_load(
      1, [](int) -> awaitable<std::string> { co_return "name"; }, [database](const names::answer&) {});
#else
  cache.async_get_or_load(
      1, [database](int) -> awaitable<std::string> { co_return std::to_string(*database); },
      [](const names::answer&) {});
#endif
}

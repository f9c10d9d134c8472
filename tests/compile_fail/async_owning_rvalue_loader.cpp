// expect-error: an asynchronous verb takes a loader that owns something as a named variable (an lvalue)
#include <seawall/async.hpp>

#include <string>

using names = seawall::cache<int, std::string>;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

awaitable<names::answer> ask(names& cache, std::string prefix) {
  // GCC 12 would destroy the temporary's string twice.
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  const auto load = [prefix](int id) { return prefix + std::to_string(id); };
  auto by_reference = co_await cache.async_get_or_load(
      1, [&](int id) { return prefix + std::to_string(id); }, use_awaitable);
  if (!by_reference) co_return by_reference;
  co_return co_await cache.async_get_or_load(1, load, {.ttl = std::chrono::seconds{1}}, use_awaitable);
#else
  co_return co_await cache.async_get_or_load(
      1, [prefix](int id) { return prefix + std::to_string(id); }, use_awaitable);
#endif
}

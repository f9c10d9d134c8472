// expect-error: per-call options must stay trivially destructible
#include <seawall/cache.hpp>

#include <string>
#include <type_traits>

#ifdef SEAWALL_COMPILE_FAIL_GOOD
using per_call = seawall::entry_options;
#else
struct per_call : seawall::entry_options {
  std::string tag;
};
#endif

// GCC 12 destroys a braced temporary inside a co_await expression twice.
static_assert(std::is_trivially_destructible_v<per_call>, "per-call options must stay trivially destructible");
static_assert(std::is_trivially_copyable_v<per_call> && std::is_aggregate_v<per_call>);

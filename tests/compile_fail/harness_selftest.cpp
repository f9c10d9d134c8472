// expect-error: seawall compile_fail harness: this half must not compile
#include <seawall/base/result.hpp>

#ifdef SEAWALL_COMPILE_FAIL_GOOD
constexpr bool good = true;
#else
constexpr bool good = false;
#endif

static_assert(good, "seawall compile_fail harness: this half must not compile");

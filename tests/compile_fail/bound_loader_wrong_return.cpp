// expect-error: a loader returns V, value_ptr<V>, std::optional<V>, loaded<V>, seawall::not_found
#include <seawall/cache.hpp>

#include <string>
#include <vector>

#ifdef SEAWALL_COMPILE_FAIL_GOOD
using answer = std::optional<std::string>;
#else
using answer = std::vector<int>;
#endif

seawall::cache<int, std::string> cache{{.loader = [](int) { return answer{}; }}};

// expect-error: a loader returns V, value_ptr<V>, std::optional<V>, loaded<V>, seawall::not_found
#include <seawall/cache.hpp>

#include <string>
#include <vector>

#ifdef SEAWALL_COMPILE_FAIL_GOOD
using element = seawall::result<std::string>;
#else
using element = std::vector<int>;
#endif

void load(seawall::cache<int, std::string>& cache, const std::vector<int>& ids) {
  cache.get_many(ids, [](std::span<const int> keys) { return std::vector<element>(keys.size()); });
}

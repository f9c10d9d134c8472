// expect-error: a loader is callable as loader(key)
#include <seawall/cache.hpp>

#include <string>

void load(seawall::cache<int, std::string>& cache) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  cache.get_or_load(1, [](auto&&) { return std::string{"name"}; });
#else
  cache.get_or_load(1, [] { return std::string{"name"}; });
#endif
}

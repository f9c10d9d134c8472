// expect-error: a loader is callable as loader(key)
#include <seawall/cache.hpp>

#include <string>

void load(seawall::cache<int, std::string>& cache) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  cache.get_or_load(1, [](int) { return std::string{"name"}; });
  cache.get_or_load(1, [](const int&, seawall::load_context<std::string>& context) {
    context.entry.ttl = std::chrono::seconds{1};
    return std::string{"name"};
  });
#else
  cache.get_or_load(1, [](int, int) { return std::string{"name"}; });
#endif
}

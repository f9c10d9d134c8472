// expect-error: a loader returns V, value_ptr<V>, std::optional<V>, loaded<V>, seawall::not_found
#include <seawall/cache.hpp>

#include <string>
#include <vector>

void load(seawall::cache<int, std::string>& cache) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  cache.get_or_load(1, [](int) { return std::string{"name"}; });
  cache.get_or_load(1, [](int) { return "name"; });
  cache.get_or_load(1, [](int) { return std::optional<std::string>{}; });
  cache.get_or_load(1, [](int) { return std::make_shared<std::string>("name"); });
  cache.get_or_load(1, [](int) { return seawall::not_found; });
  cache.get_or_load(1, [](int) -> seawall::result<std::optional<std::string>> { return std::nullopt; });
  cache.get_or_load(1, [](int) { return seawall::loaded<std::string>{"name"}.with({.no_store = true}); });
#else
  cache.get_or_load(1, [](int) { return std::vector<int>{1}; });
#endif
}

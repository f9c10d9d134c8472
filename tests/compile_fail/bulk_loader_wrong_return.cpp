// expect-error: a bulk loader returns a vector in the order of the keys, or a map from keys, or a result of these
#include <seawall/cache.hpp>

#include <map>
#include <string>
#include <vector>

void load(seawall::cache<int, std::string>& cache, const std::vector<int>& ids) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  cache.get_many(ids, [](std::span<const int> keys) { return std::vector<std::string>(keys.size()); });
  cache.get_many(ids, [](std::span<const int> keys) { return std::vector<std::optional<std::string>>(keys.size()); });
  cache.get_many(ids, [](std::span<const int>) { return std::map<int, std::string>{{1, "name"}}; });
  cache.get_many(ids, [](std::span<const int>) -> seawall::result<std::map<int, std::string>> { return {}; });
#else
  cache.get_many(ids, [](std::span<const int>) { return 1; });
#endif
}

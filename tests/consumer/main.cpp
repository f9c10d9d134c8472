#include <seawall/base/result.hpp>
#include <seawall/json.hpp>
#if __has_include(<seawall/cache.hpp>)
#include <seawall/cache.hpp>
#endif
#ifdef CONSUMER_PROMETHEUS
#include <seawall/prometheus.hpp>
#endif

#include <string>
#include <vector>

int main() {
  seawall::result<int> failed = seawall::fail(seawall::errc::overloaded);
  if (failed || failed.error().message().empty()) return 1;
#if __has_include(<seawall/cache.hpp>)
  seawall::cache<int, std::string> names{{.name = "names", .capacity = 10}};
  auto name = names.get_or_load(7, [](int id) { return "user " + std::to_string(id); });
  if (!name || !*name || **name != "user 7" || !names.get(7)) return 2;
#endif
  // Boost.JSON is linked without being asked for.
  const auto numbers = seawall::json_codec<std::vector<int>>::decode("[1,2]");
  return numbers && numbers->size() == 2 ? 0 : 3;
}

// The results of an expensive call, here a dashboard's aggregate, cached under a key made from its arguments.
#include <seawall/cache/memoize.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

struct dashboard {
  int orders = 0;
  double turnover = 0;
};

int main() {
  int queries = 0;
  const auto aggregate = [&](const std::string& region, int year) {  // SELECT count(*), sum(total) FROM ...
    ++queries;
    return dashboard{.orders = static_cast<int>(region.size()) * 1000, .turnover = year * 10.0};
  };

  seawall::cache<std::string, dashboard> results{{.name = "dashboards", .capacity = 10'000, .ttl = 10min}};
  auto sales = seawall::memoize(results, "sales", aggregate);

  for (int i = 0; i < 100; ++i) {
    const auto north = sales("north", 2026);
    if (!north || (*north)->orders != 5000) return 1;
  }
  const auto south = sales("south", 2026);  // other arguments, another entry
  std::cout << "101 calls, " << queries << " queries; the key of one: " << sales.key("north", 2026) << '\n';
  if (queries != 2) return 1;

  sales.invalidate("north", 2026);
  (void)sales("north", 2026);
  (void)sales("south", 2026);
  return south && queries == 3 ? 0 : 1;
}

// Keys in use are loaded anew before they end, however seldom their readers come, until nobody reads them any more.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  const auto background = std::make_shared<seawall::manual_executor>();
  int loads = 0;

  seawall::cache<std::string, int> prices{{.name = "prices",
                                           .ttl = 1min,
                                           .loader = [&](const std::string&) { return ++loads; },
                                           .keep_fresh = {.stop_after = 10min},
                                           .clock = clock,
                                           .executor = background}};
  const auto minutes = [&](int count) {
    for (int second = 0; second < 60 * count; ++second) {
      clock->advance(1s);
      background->run_all();
    }
  };
  prices.put("hot", 0);
  prices.put("cold", 0);
  prices.get("hot");

  int misses = 0;
  for (int visit = 0; visit < 12; ++visit) {
    minutes(5);
    if (!prices.get("hot")) ++misses;
  }
  std::cout << "an hour with a read every five minutes: " << misses << " misses, the cold key is "
            << (prices.contains("cold") ? "there" : "gone") << '\n';

  minutes(15);
  const auto counted = prices.stats();
  std::cout << "nobody reads any more: " << counted.kept_keys << " keys are kept\n";
  return misses == 0 && counted.kept_keys == 0 && counted.total.kept_stops == 1 && !prices.contains("hot") ? 0 : 1;
}

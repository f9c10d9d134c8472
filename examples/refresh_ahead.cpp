// A key in use is refreshed before it expires, so its readers never wait; a key nobody reads is left to expire.
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

  seawall::cache<std::string, int> stock{{.name = "stock",
                                          .ttl = 100s,
                                          .jitter = 0,
                                          .refresh_ahead = 0.2,  // a use in the last fifth starts a refresh
                                          .loader = [&](const std::string&) { return ++loads; },
                                          .clock = clock,
                                          .executor = background}};
  stock.put("hot", 0);
  stock.put("cold", 0);

  int misses = 0;
  for (int second = 0; second < 600; second += 5) {
    clock->advance(5s);
    if (!stock.get("hot")) ++misses;
    background->run_all();
  }
  std::cout << "ten minutes of reads: " << misses << " misses, " << loads << " refreshes, the cold key is "
            << (stock.contains("cold") ? "there" : "gone") << '\n';
  return misses == 0 && loads == 7 && !stock.contains("cold") ? 0 : 1;
}

// XFetch: the nearer the end of an entry and the longer its load took, the likelier a use refreshes it early. So the
// refreshes of many keys spread by themselves.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  const auto background = std::make_shared<seawall::manual_executor>();

  seawall::cache<int, int> reports{{.name = "reports",
                                    .ttl = 60s,
                                    .jitter = 0,
                                    .xfetch_beta = 1,
                                    .loader = [](int id) { return id; },
                                    .max_concurrent_loads = 1000,
                                    .clock = clock,
                                    .executor = background,
                                    .seed = 1}};
  std::vector<int> ids(1000);
  std::iota(ids.begin(), ids.end(), 0);
  reports.get_many(ids, [&](std::span<const int> wanted) {
    clock->advance(2s);  // the load takes two seconds, which the cache measures
    return std::vector<int>(wanted.begin(), wanted.end());
  });

  std::vector<std::size_t> started;
  for (const auto to_this_age : {50s, 6s, 2s, 1s}) {  // 50, 56, 58 and 59 seconds of 60
    clock->advance(to_this_age);
    for (const int id : ids) (void)reports.get(id);
    started.push_back(background->pending());
  }
  std::cout << "of 1000 keys, refreshed by a read at 50, 56, 58 and 59 s of 60:";
  for (const std::size_t sum : started) std::cout << ' ' << sum;
  std::cout << '\n';
  background->run_all();
  // One read finds its key due with the odds of exp(-time left / (beta x load time)).
  return started[0] < 25 && started[1] > started[0] && started[2] > started[1] && started[3] < 1000 ? 0 : 1;
}

// A thousand entries stored at one moment do not expire at one moment: jitter takes up to a share off each TTL.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  seawall::cache<int, int> rates{{.name = "rates", .ttl = 10min, .jitter = 0.2, .clock = clock, .seed = 1}};

  for (int id = 0; id < 1000; ++id) rates.put(id, id);

  const auto fresh = [&] {
    int count = 0;
    for (int id = 0; id < 1000; ++id) count += rates.contains(id) ? 1 : 0;
    return count;
  };
  clock->advance(8min - 1ms);
  const int before = fresh();  // all: at most a fifth was taken off
  clock->advance(1min);
  const int between = fresh();  // about half
  clock->advance(1min + 1ms);
  const int after = fresh();  // none: jitter never adds
  std::cout << "fresh just before 8, 9 and 10 minutes: " << before << ", " << between << ", " << after << '\n';

  // An entry may have a TTL of its own, down to nanoseconds. Without a TTL only when you say so.
  rates.put(1, 100, {.ttl = 250ms, .jitter = 0.0});
  rates.put(2, 200, {.ttl = seawall::forever});
  clock->advance(250ms);
  const bool own = !rates.contains(1) && rates.contains(2);
  clock->advance(24h * 365);

  return before == 1000 && between > 400 && between < 600 && after == 0 && own && rates.contains(2) ? 0 : 1;
}

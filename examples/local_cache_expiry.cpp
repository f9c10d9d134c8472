// How long an entry lives: a time to live, an idle time, a time in which it is stale; and memory that comes back when
// nobody asks for the key any more. docs/guide/local_cache.md quotes it.
#include <seawall/local_cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  seawall::local_cache<std::string, int> rates{
      {.name = "rates", .ttl = 10min, .stale_for = 5min, .clock = clock}};

  rates.put("EUR", 108);
  rates.put("USD", 100, {.ttl = 1h});                     // one entry's own time to live
  rates.put("session", 7, {.idle = 20min});               // moves with each use, in place of the ttl
  rates.put("never", 1, {.ttl = seawall::forever});

  clock->advance(10min);
  if (rates.get("EUR")) return 1;  // no longer fresh, to the nanosecond
  const auto old = rates.find("EUR");
  if (!old || !old->stale || old->value != 108) return 1;  // stale: `find` still gives it
  std::cout << "a stale rate: " << old->value << '\n';

  clock->advance(5min);
  if (rates.find("EUR")) return 1;  // gone

  for (int i = 0; i < 10; ++i) {
    if (!rates.get("session")) return 1;
    clock->advance(15min);
  }

  // Nobody has touched "USD" since it expired; a timer has given its memory back.
  std::cout << rates.stats().evicted(seawall::removal_cause::expired) << " entries expired\n";
  const bool swept = rates.size() == 2 && rates.contains("never") && rates.contains("session");
  return swept ? 0 : 1;
}

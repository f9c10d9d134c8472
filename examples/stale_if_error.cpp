// The source is down: the old value is served up to a stated age, then the error shows.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  bool down = false;

  seawall::cache<std::string, double> rates{
      {.name = "rates", .ttl = 1min, .jitter = 0, .stale_if_error = 1h, .clock = clock}};

  const auto load_rate = [&](const std::string&) -> double {
    if (down) throw std::runtime_error{"connection refused"};
    return 1.08;
  };
  const auto read = [&] { return rates.get_or_load("EUR/USD", load_rate); };

  if (!read()) return 1;
  down = true;

  clock->advance(30min);  // long past the TTL, within stale_if_error
  const auto old = read();
  if (!old || **old != 1.08) return 1;
  std::cout << "30 minutes into the outage: " << **old << '\n';

  clock->advance(32min);  // past ttl + stale_if_error
  const auto failed = read();
  if (failed) return 1;
  std::cout << "62 minutes into the outage: " << failed.error().message() << '\n';

  const auto stats = rates.stats().total;
  return stats.stale_served == 1 && stats.load_failures == 2 ? 0 : 1;
}

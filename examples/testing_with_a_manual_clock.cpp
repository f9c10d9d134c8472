// How to test code that caches: hand in a clock and an executor of your own, and no test ever sleeps.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

// The code under test takes its clock and executor as the cache does: null means the real ones.
class weather {
 public:
  explicit weather(std::shared_ptr<seawall::clock> clock = {}, std::shared_ptr<seawall::executor> background = {})
      : forecasts_{{.name = "forecasts",
                    .ttl = 15min,
                    .jitter = 0,
                    .stale_for = 1h,
                    .loader = [this](const std::string& city) { return ask_service(city); },
                    .clock = std::move(clock),
                    .executor = std::move(background)}} {}

  void fetch(const std::string& city) { forecasts_.put(city, ask_service(city)); }
  std::string today(const std::string& city) { return **forecasts_.get_or_load(city); }

 private:
  std::string ask_service(const std::string& city) { return city + ": sunny, report " + std::to_string(++reports_); }

  int reports_ = 0;
  seawall::cache<std::string, std::string> forecasts_;
};

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  const auto background = std::make_shared<seawall::manual_executor>();
  weather service{clock, background};

  service.fetch("Oslo");
  const auto expect = [&](const std::string& wanted) {
    const std::string got = service.today("Oslo");
    std::cout << got << (got == wanted ? "\n" : "   WRONG\n");
    return got == wanted;
  };

  bool right = expect("Oslo: sunny, report 1");
  clock->advance(16min);                        // the TTL passes
  right &= expect("Oslo: sunny, report 1");     // stale, served at once
  right &= background->pending() == 1;          // one refresh waits
  background->run_all();                        // it runs, on this thread
  right &= expect("Oslo: sunny, report 2");
  return right ? 0 : 1;
}

// After its TTL a value is still served, at once, while one refresh runs in the background.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  const auto background = std::make_shared<seawall::manual_executor>();  // a thread pool, if you give none
  int version = 0;

  seawall::cache<std::string, std::string> pages{
      {.name = "pages",
       .ttl = 1min,
       .jitter = 0,
       .stale_for = 10min,
       .loader = [&](const std::string& url) { return url + " v" + std::to_string(++version); },
       .clock = clock,
       .executor = background}};

  const auto first = [&] {  // nothing there yet: the caller waits for the executor, here driven by hand
    std::jthread executor{[&] { while (!background->run_one()) std::this_thread::yield(); }};
    return pages.get_or_load("/home");
  }();
  if (!first || **first != "/home v1") return 1;

  clock->advance(2min);  // stale
  for (int i = 0; i < 3; ++i) {
    const auto page = pages.get_or_load("/home");  // returns at once
    if (!page || **page != "/home v1") return 1;
  }
  std::cout << "3 callers got v1 at once, " << background->pending() << " refresh waits for the executor\n";
  if (background->pending() != 1) return 1;

  background->run_all();
  const auto fresh = pages.get("/home");
  std::cout << "after the refresh: " << *fresh << '\n';
  return *fresh == "/home v2" && pages.stats().total.stale_served == 3 ? 0 : 1;
}

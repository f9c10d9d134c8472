// A bulkhead caps the loads in progress: the overflow gets a stale value where there is one, and an error at once where
// there is none. It never queues in front of a source that is slow already.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <latch>
#include <memory>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  const auto database = std::make_shared<seawall::bulkhead>(1);  // shared by all caches in front of one source

  seawall::cache<int, std::string> users{
      {.name = "users", .ttl = 1min, .stale_if_error = 1h, .source_bulkhead = database, .clock = clock}};
  seawall::cache<int, std::string> orders{{.name = "orders", .max_concurrent_loads = 8, .source_bulkhead = database}};

  users.put(7, "Ada");
  clock->advance(2min);  // user 7 is past its TTL

  std::latch loading{1};
  std::latch may_end{1};
  std::jthread slow{[&] {
    (void)orders.get_or_load(1, [&](int) {
      loading.count_down();
      may_end.wait();
      return std::string{"an order"};
    });
  }};
  loading.wait();  // the one permit of the database is taken

  const auto find = [](int) { return std::string{"from the database"}; };
  const auto refused = users.get_or_load(8, find);  // nothing cached: an error, at once
  const auto stale = users.get_or_load(7, find);    // something old cached, and stale_if_error allows it
  may_end.count_down();
  slow.join();
  const auto later = users.get_or_load(8, find);

  if (refused || refused.error() != seawall::errc::overloaded) return 1;
  std::cout << refused.error().message() << '\n' << "user 7: " << **stale << ", user 8 later: " << **later << '\n';
  return **stale == "Ada" && later && users.stats().total.overload_rejections == 2 ? 0 : 1;
}

// A write-behind whose log is a stream in Redis: any process may put, one of them applies, and another goes on when
// that one is gone.
#include "seawall/redis.hpp"
#include "seawall/write_behind.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <span>
#include <string>

namespace {

using namespace std::chrono_literals;

using order_operation = seawall::write_operation<int, std::string>;

// In place of a database: a row that is newer is left alone, and one that another process has taken over is refused.
class order_table {
 public:
  seawall::result<void> apply(std::span<const order_operation> batch) {
    const std::lock_guard lock{mutex_};
    for (const order_operation& each : batch) {
      row& at = rows_[each.key];
      if (each.fence < at.fence) return seawall::fail(seawall::errc::closed, "another process has taken over");
      if (each.sequence > at.version) at = {each.value.value_or("(removed)"), each.sequence, each.fence};
    }
    return {};
  }
  std::string find(int id) {
    const std::lock_guard lock{mutex_};
    return rows_[id].text;
  }

 private:
  struct row {
    std::string text;
    std::uint64_t version = 0;
    std::uint64_t fence = 0;
  };
  std::mutex mutex_;
  std::map<int, row> rows_;
};

}  // namespace

int main() {
  const char* const url = std::getenv("REDIS_URL");
  auto redis = seawall::redis::client::connect({.url = url != nullptr ? url : "redis://127.0.0.1:6379"});
  if (!redis) {
    std::cerr << redis.error().message() << '\n';
    return 1;
  }
  order_table orders;
  auto writes = seawall::write_behind<int, std::string>::open({
      .name = "orders",
      .write = [&](std::span<const order_operation> batch) { return orders.apply(batch); },
      .acknowledged = seawall::acknowledged::redis,  // or redis_replicated, with .redis.replicas
      .redis = {.client = *redis, .stream = "orders", .partitions = 4},
  });
  if (!writes) {
    std::cerr << writes.error().message() << '\n';
    return 1;
  }
  const auto done = writes->put(7, "2 lamps");
  if (!done) {
    std::cerr << "not saved: " << done.error().message() << '\n';
    return 1;
  }
  if (const auto flushed = writes->flush(30s); !flushed) {
    std::cerr << flushed.error().message() << '\n';
    return 1;
  }
  std::cout << "order 7: " << orders.find(7) << '\n';
  return orders.find(7) == "2 lamps" ? 0 : 1;
}

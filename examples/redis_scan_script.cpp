// Walks over keys and members as ranges, and Lua scripts.
#include <seawall/redis.hpp>

#include <cstdlib>
#include <iostream>
#include <set>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;

int main() {
  const char* url = std::getenv("REDIS_URL");
  auto db = redis::client::connect({.url = url ? url : "redis://127.0.0.1:6379"});
  if (!db) return 1;

  for (int i = 0; i < 500; ++i) db->run(cmd::set("user:" + std::to_string(i), i));
  std::set<std::string> found;  // a key may come twice
  for (const auto& key : cmd::scan(db->target(), {.match = "user:*", .count = 100})) {
    if (!key) {
      std::cout << key.error().message() << '\n';  // the walk ends here
      break;
    }
    found.insert(*key);
  }
  std::cout << found.size() << " keys\n";

  db->run(cmd::zadd("board", "ada", 36), cmd::zadd("board", "grace", 85));
  double sum = 0;
  for (const auto& one : cmd::zscan(db->target(), "board")) sum += one ? one->score : 0;

  static const cmd::script take{R"(
    local left = tonumber(redis.call('GET', KEYS[1]) or '0')
    if left < tonumber(ARGV[1]) then return -1 end
    return redis.call('DECRBY', KEYS[1], ARGV[1])
  )"};
  db->run(cmd::set("stock:42", 5));
  const auto left = db->run(cmd::eval<std::int64_t>(take, "stock:42", 3));   // 2
  const auto short_of = db->run(cmd::eval<std::int64_t>(take, "stock:42", 3));  // -1
  return found.size() == 500 && sum == 121 && left == 2 && short_of == -1 ? 0 : 1;
}

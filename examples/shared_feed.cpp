// Two processes that hear of each other's changes by a channel, over the Redis whose URL is the first argument or in
// REDIS_URL. docs/guide/feeds.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/redis.hpp>
#include <seawall/tier.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const char* given = argc > 1 ? argv[1] : std::getenv("REDIS_URL");
  const auto redis = seawall::redis::client::connect({.url = given ? given : "redis://127.0.0.1:6379"});
  if (!redis) return std::cerr << redis.error().message() << '\n', 1;
  const seawall::tier_options by_channel{
      .bound = 5s, .heartbeat = 500ms, .budget = 500ms, .feed = seawall::tier::feed_mode::pub_sub};
  const auto tier = seawall::redis_tier(*redis, by_channel);
  const auto second = seawall::redis_tier(*redis, by_channel);  // what another process would have
  if (!tier || !second) return 1;
  seawall::cache<int, std::string> here{{.name = "prices", .shared = *tier}};
  seawall::cache<int, std::string> there{{.name = "prices", .shared = *second}};

  std::string price = "5.00";
  const auto find = [&](int) { return price; };
  here.invalidate(1);  // what an earlier run may have left
  while (!there.contains(1)) there.get_or_load(1, find);  // the message of that may come late
  price = "6.00";
  here.invalidate(1);
  while (there.contains(1)) std::this_thread::yield();  // until the message has come, 5 s at most
  const auto now = there.get_or_load(1, find);
  return now && **now == "6.00" ? 0 : 1;
}

// Removes all keys that begin with a prefix, from the Redis whose URL is the first argument or in REDIS_URL, from this
// process and from those that share it. docs/guide/prefixes.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/redis.hpp>
#include <seawall/tier.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const char* given = argc > 1 ? argv[1] : std::getenv("REDIS_URL");
  const auto redis = seawall::redis::client::connect({.url = given ? given : "redis://127.0.0.1:6379"});
  if (!redis) return std::cerr << redis.error().message() << '\n', 1;
  const auto tier = seawall::redis_tier(*redis, {.budget = 500ms});
  if (!tier) return std::cerr << tier.error().message() << '\n', 1;
  seawall::cache<std::string, std::string> pages{{.name = "pages", .ttl = 5min, .shared = *tier}};

  std::string text = "old";
  const auto render = [&](const std::string& path) { return path + ": " + text; };
  const auto fill = [&] {
    for (int i = 0; i < 1000; ++i) pages.get_or_load("list:" + std::to_string(i), render);
  };
  fill();
  pages.get_or_load("imprint", render);

  text = "new";
  const auto forgotten = pages.invalidate_prefix("list:");  // after the commit
  if (!forgotten) return std::cerr << forgotten.error().message() << '\n', 1;
  std::cout << forgotten->removed_here << " entries here, " << forgotten->removed << " keys in Redis\n";

  fill();
  text = "newer";
  std::stop_source stop;  // for another thread: a signal, the end of the program
  const auto gone = (*tier)->remove_prefix("pages:list:", {
      .count = 200,
      .pause = 1ms,
      .on_progress = [](const seawall::prefix_removal& so_far) {
        std::cout << so_far.removed << " removed, " << so_far.scanned << " of " << so_far.total << " looked at\n";
      },
      .stop = stop.get_token(),
  });
  if (!gone) return std::cerr << gone.error().message() << '\n', 1;  // may be called again

  const auto listed = pages.get_or_load("list:7", render);
  const auto imprint = pages.get_or_load("imprint", render);
  if (!listed || !imprint) return 1;
  return **listed == "list:7: newer" && **imprint == "imprint: old" && gone->done && forgotten->removed == 1000 ? 0 : 1;
}

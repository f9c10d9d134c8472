// A family of entries in two caches, retired at once in all processes, over the Redis whose URL is the first argument
// or in REDIS_URL. docs/guide/keys.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/cache/shared_family.hpp>
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

  std::string edition = "spring";
  seawall::cache<int, std::string> products{{.name = "products", .ttl = 5min, .shared = *tier}};
  seawall::cache<std::string, std::string> lists{{.name = "lists", .ttl = 5min, .shared = *tier}};

  const seawall::shared_family catalog{"catalog", products, lists};
  const auto find_product = [&](int id) { return edition + ' ' + std::to_string(id); };
  const auto find_list = [&](const std::string& name) { return edition + ' ' + name; };
  catalog.retire();  // what another run has left there
  auto product = products.get_or_load(7, find_product, {.tags = {catalog}});
  auto list = lists.get_or_load("new", find_list, {.tags = {catalog}});

  edition = "autumn";  // import the new catalog, commit,
  catalog.retire();    // and no process serves what was loaded before

  product = products.get_or_load(7, find_product, {.tags = {catalog}});
  list = lists.get_or_load("new", find_list, {.tags = {catalog}});
  if (!product || !list) return 1;
  std::cout << **product << ", " << **list << '\n';
  return **product == "autumn 7" && **list == "autumn new" ? 0 : 1;
}

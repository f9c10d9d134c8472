// Two processes in one program: a tier and a cache each, and one Redis between them, whose URL is the first argument or
// in REDIS_URL. docs/guide/shared.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/redis.hpp>
#include <seawall/tier.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const char* given = argc > 1 ? argv[1] : std::getenv("REDIS_URL");
  const std::string url = given ? given : "redis://127.0.0.1:6379";

  const auto redis = seawall::redis::client::connect({.url = url});
  if (!redis) return std::cerr << redis.error().message() << '\n', 1;  // a wrong option: nothing is connected yet
  const auto tier = seawall::redis_tier(*redis, {.budget = 500ms});
  if (!tier) return std::cerr << tier.error().message() << '\n', 1;
  seawall::cache<int, std::string> here{{.name = "users", .ttl = 5min, .shared = *tier}};

  const auto second = seawall::redis_tier(*redis, {.budget = 500ms});  // what another process would have
  if (!second) return 1;
  seawall::cache<int, std::string> there{{.name = "users", .ttl = 5min, .shared = *second}};

  std::map<int, std::string> table{{1, "Ada"}};
  int queries = 0;
  const auto find_user = [&](int id) -> std::optional<std::string> {
    ++queries;
    const auto row = table.find(id);
    return row == table.end() ? std::nullopt : std::optional{row->second};
  };
  here.invalidate(1);  // what an earlier run may have left

  const auto loaded = here.get_or_load(1, find_user);   // loads it, and stores it in Redis
  const auto shared = there.get_or_load(1, find_user);  // finds it there
  if (!loaded || !shared || **shared != "Ada") return 1;
  std::cout << "two processes have " << **shared << " after " << queries << " query\n";

  table[1] = "Ada Lovelace";  // commit first,
  here.invalidate(1);         // then invalidate: this process, Redis, and all others

  while (there.contains(1)) std::this_thread::yield();  // until the news has come: microseconds, D at most
  const auto changed = there.get_or_load(1, find_user);
  const auto now = here.get_or_load(1, find_user, {.consistency = seawall::consistency::fresh});  // asks Redis
  if (!changed || !now) return 1;
  std::cout << "then they have " << **changed << " and " << **now << " after " << queries << " queries\n";

  // A version of the program to which the entries mean something else: it neither sees nor replaces the others', and
  // what it writes removes theirs.
  seawall::cache<int, std::string> next{
      {.name = "users", .shared = *second, .shared_version = "2", .also_invalidates = {""}}};
  next.invalidate(1);

  const seawall::tier_stats told = (*second)->stats();
  std::cout << told.totals.changes_told << " changes were told to the other process\n";
  return **changed == "Ada Lovelace" && **now == "Ada Lovelace" && queries == 2 ? 0 : 1;
}

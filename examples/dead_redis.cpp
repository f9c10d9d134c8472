// A Redis that is not there costs time, and little of it; it fails no request, and no invalidation is forgotten.
#include <seawall/cache.hpp>
#include <seawall/redis.hpp>
#include <seawall/tier.hpp>

#include <iostream>
#include <map>
#include <string>

int main() {
  const auto redis = seawall::redis::client::connect({.url = "redis://127.0.0.1:1"});  // nobody listens there
  if (!redis) return 1;
  const auto tier = seawall::redis_tier(*redis);
  if (!tier) return 1;
  seawall::cache<int, std::string> users{{.name = "users", .shared = *tier}};

  std::map<int, std::string> table;
  for (int id = 1; id <= 20; ++id) table[id] = "user " + std::to_string(id);
  const auto find_user = [&](int id) { return table.at(id); };

  for (int id = 1; id <= 20; ++id) {
    const auto user = users.get_or_load(id, find_user);  // no error: the database has answered
    if (!user || **user != table[id]) return 1;
  }

  table[7] = "Grace";
  users.invalidate(7);  // this process at once; Redis as soon as it is there
  if (**users.get_or_load(7, find_user) != "Grace") return 1;

  const seawall::tier_stats seen = (*tier)->stats();
  std::cout << "calls that failed: " << seen.breaker_counters.failed
            << ", not even tried: " << seen.totals.failures_breaker
            << ", invalidations that wait: " << seen.undelivered << '\n';
  return seen.breaker_counters.opened >= 1 && seen.undelivered == 1 ? 0 : 1;
}

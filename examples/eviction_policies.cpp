// Choosing an eviction policy by its name, as from a configuration file. docs/guide/eviction.md quotes it.
#include <seawall/local_cache.hpp>

#include <iostream>
#include <string>
#include <string_view>

int main() {
  const auto hits_of = [](std::string_view name) {
    const auto policy = seawall::parse_eviction_policy(name);
    if (!policy) return std::string(policy.error().message());  // it names those that there are

    seawall::local_cache<int, int> cache{{.name = "cache", .capacity = 100, .policy = *policy, .seed = 1}};
    for (int i = 0; i < 40'000; ++i) {
      const int key = i % 3 == 0 ? i / 3 % 50 : 1000 + i;  // fifty keys in a circle, among twice as many new ones
      if (!cache.get(key)) cache.put(key, i);
    }
    return std::to_string(cache.stats().total.hits) + " hits";
  };

  for (const char* name : {"adaptive", "allkeys-lru", "s3-fifo", "random"}) {
    std::cout << name << ": " << hits_of(name) << '\n';
  }
  const std::string mistake = hits_of("least-recently-used");
  std::cout << mistake << '\n';

  seawall::local_cache<int, int> seats{
      {.name = "seats", .capacity = 2, .policy = seawall::eviction_policy::noeviction}};
  seats.put(1, 10);
  seats.put(2, 20);
  const bool refused = seats.put(3, 30) == seawall::put_result::refused;    // full, and nothing may go
  const bool replaced = seats.put(2, 21) == seawall::put_result::replaced;  // takes no more room

  return refused && replaced && seats.size() == 2 && mistake.starts_with("unknown eviction policy") ? 0 : 1;
}

// Absence is cached, with a TTL of its own; an insert shows at once.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  std::map<int, std::string> table;
  int queries = 0;

  seawall::cache<int, std::string> users{
      {.name = "users", .ttl = 1h, .jitter = 0, .negative_ttl = 30s, .clock = clock}};

  const auto find_user = [&](int id) -> seawall::loaded<std::string> {
    ++queries;
    if (const auto row = table.find(id); row != table.end()) return row->second;
    return seawall::not_found;  // an empty std::optional says the same
  };

  // A flood of requests for a user that does not exist costs one query.
  for (int i = 0; i < 1000; ++i) {
    const auto user = users.get_or_load(42, find_user);
    if (!user || *user) return 1;
  }
  std::cout << "1000 reads of nobody: " << queries << " query\n";
  if (queries != 1) return 1;

  // The insert invalidates, so the new row is seen at once, not 30 seconds later.
  table[42] = "Douglas";
  users.invalidate(42);
  const auto born = users.get_or_load(42, find_user);
  if (!born || !*born || **born != "Douglas") return 1;
  std::cout << "after the insert: " << **born << '\n';

  // Without the insert, the source would have been asked again after negative_ttl.
  users.put_absent(43);
  clock->advance(31s);
  if (users.contains(43)) return 1;

  const auto stats = users.stats().total;
  std::cout << stats.negative_hits << " negative hits, " << stats.misses << " misses\n";
  return stats.negative_hits == 999 ? 0 : 1;
}

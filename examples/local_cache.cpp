// The in-process engine by itself: values that the program puts, reads, and looks at without a copy.
// docs/guide/local_cache.md quotes it.
#include <seawall/local_cache.hpp>

#include <iostream>
#include <optional>
#include <string>

int main() {
  seawall::local_cache<int, std::string> names{{.name = "names", .capacity = 10'000}};

  names.put(1, "Ada");
  names.put(2, "Grace");

  const std::optional<std::string> name = names.get(1);  // a copy, or nothing
  if (!name) return 1;

  std::size_t length = 0;
  const bool there = names.visit(2, [&](const std::string& value) { length = value.size(); });  // no copy

  std::string buffer;  // keeps its memory from one read to the next
  if (names.get(3, buffer)) return 1;

  names.remove(1);

  const seawall::cache_stats stats = names.stats();
  std::cout << *name << ", " << length << " letters in the other name; " << stats.entries << " entry, "
            << stats.total.hits << " hits, " << stats.total.misses << " miss\n";
  return there && length == 5 && stats.entries == 1 && stats.total.hits == 2 && stats.total.misses == 1 ? 0 : 1;
}

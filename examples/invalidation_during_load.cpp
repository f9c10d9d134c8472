// The classic race: a read loads the old row, a write commits and invalidates, the read stores the old row. Not here.
#include <seawall/cache.hpp>

#include <iostream>
#include <string>

int main() {
  seawall::cache<int, std::string> users{{.name = "users"}};
  std::string row = "old";
  int loads = 0;

  const auto answer = users.get_or_load(1, [&](int id) {
    const std::string read = row;  // the query is answered,
    if (++loads == 1) {
      row = "new";                 // and before its answer arrives, a writer commits
      users.invalidate(id);        // and invalidates
    }
    return read;
  });

  std::cout << "answered: " << **answer << ", cached: " << *users.get(1) << ", loads: " << loads << '\n';
  const auto stats = users.stats().total;
  return **answer == "new" && *users.get(1) == "new" && loads == 2 && stats.superseded == 1 ? 0 : 1;
}

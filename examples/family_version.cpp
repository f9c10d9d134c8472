// A version in the key retires a whole family of entries at once, in constant time.
#include <seawall/cache.hpp>
#include <seawall/key.hpp>

#include <iostream>
#include <string>

int main() {
  int edition = 1;
  seawall::cache<std::string, int> entries{{.name = "shop"}};

  seawall::family catalog{"catalog"};
  const auto product_key = [&](int id) { return seawall::key("product").version(catalog).id(id).str(); };
  std::cout << product_key(7) << '\n';  // product:catalog@5f0c6a1be98d3372:7, with digits of its own

  const auto product = [&](int id) { return **entries.get_or_load(product_key(id), [&](auto&) { return edition; }); };
  for (int id = 0; id < 1000; ++id) {
    if (product(id) != 1) return 1;
  }

  edition = 2;       // import the new catalog, commit,
  catalog.retire();  // and every product:catalog@... from before is out of reach
  for (int id = 0; id < 1000; ++id) {
    if (product(id) != 2) return 1;
  }

  const auto stats = entries.stats();
  std::cout << stats.total.loads << " loads for two editions; " << stats.entries
            << " entries, the old thousand of which age out by themselves\n";
  return stats.total.loads == 2000 && stats.total.misses == 2000 ? 0 : 1;
}

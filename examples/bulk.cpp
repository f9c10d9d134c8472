// Many keys at once: what is cached is taken from the cache, the rest is loaded by one query.
#include <seawall/cache.hpp>

#include <iostream>
#include <map>
#include <span>
#include <string>
#include <vector>

int main() {
  const std::map<int, std::string> table{{1, "anvil"}, {2, "bucket"}, {3, "candle"}, {5, "drum"}};
  std::vector<std::size_t> batches;

  // SELECT id, name FROM products WHERE id IN (...): ids without a row are not in the map, and cached as absent.
  const auto find_products = [&](std::span<const int> ids) {
    batches.push_back(ids.size());
    std::map<int, std::string> rows;
    for (const int id : ids) {
      if (const auto row = table.find(id); row != table.end()) rows.insert(*row);
    }
    return rows;
  };

  seawall::cache<int, std::string> products{{.name = "products"}};
  products.put(1, "anvil");

  const std::vector<int> wanted{1, 2, 3, 4, 5};
  const auto found = products.get_many(wanted, find_products);  // one outcome for each key, in their order
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::cout << wanted[i] << ": ";
    if (!found[i]) std::cout << found[i].error().message() << '\n';
    else std::cout << (*found[i] ? **found[i] : "no such product") << '\n';
  }

  (void)products.get_many(wanted, find_products);  // all cached, the absence too
  const bool right = found.size() == 5 && *found[1] && **found[1] == "bucket" && found[3] && !*found[3];
  return right && batches == std::vector<std::size_t>{4} ? 0 : 1;
}

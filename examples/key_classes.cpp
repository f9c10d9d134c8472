// One cache, several kinds of keys: the statistics are kept for each kind.
#include <seawall/cache.hpp>

#include <cstddef>
#include <iostream>
#include <string>

int main() {
  seawall::cache<std::string, int> entries{
      {.name = "shop",
       .key_classes = {.names = {"user", "product"}, .of = [](const std::string& key) -> std::size_t {
                         if (key.starts_with("user:")) return 0;
                         if (key.starts_with("product:")) return 1;
                         return 2;  // past the names: counted as "other"
                       }}}};

  for (int i = 0; i < 100; ++i) {
    (void)entries.get_or_load("user:" + std::to_string(i % 2), [](auto&) { return 1; });
    (void)entries.get_or_load("product:" + std::to_string(i), [](auto&) { return 2; });
  }
  (void)entries.get("cart:1");

  const auto stats = entries.stats();
  for (const auto& one : stats.classes) {
    std::cout << one.name << ": " << one.lookups() << " lookups, " << one.hit_rate() * 100 << " % hits\n";
  }
  return stats.classes.at(0).hits == 98 && stats.classes.at(1).hits == 0 && stats.classes.at(2).misses == 1 ? 0 : 1;
}

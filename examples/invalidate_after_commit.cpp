// A write collects the keys it changes, lists and derived keys included, and drops them after the commit.
#include <seawall/cache.hpp>
#include <seawall/cache/pending_invalidations.hpp>

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

struct database {
  std::map<int, int> prices{{1, 100}, {2, 200}};

  struct transaction {
    database& db;
    std::map<int, int> changes{};
    void set_price(int id, int price) { changes[id] = price; }
    void commit() {
      for (const auto& [id, price] : changes) {
        if (price < 0) throw std::invalid_argument{"a price below zero"};  // nothing is changed
      }
      for (const auto& [id, price] : changes) db.prices[id] = price;
    }
  };
};

int main() {
  database db;
  seawall::cache<int, int> products{{.name = "products"}};
  seawall::cache<std::string, int> totals{{.name = "totals"}};
  const auto price = [&](int id) { return **products.get_or_load(id, [&](int key) { return db.prices.at(key); }); };
  const auto total = [&] {
    return **totals.get_or_load("all", [&](const std::string&) { return price(1) + price(2); });
  };

  const auto change_price = [&](int id, int to) {
    seawall::pending_invalidations stale;
    database::transaction transaction{db};
    transaction.set_price(id, to);
    stale.add(products, id);
    stale.add(totals, "all");  // derived from it
    transaction.commit();      // throws: `stale` is forgotten, nothing was invalidated
    stale.apply();             // committed: from here on nobody gets the old price
  };

  const int before = total();
  change_price(1, 150);
  const int after = total();
  try {
    change_price(2, -1);
  } catch (const std::invalid_argument& refused) {
    std::cout << "rolled back: " << refused.what() << '\n';
  }
  std::cout << "total before " << before << ", after " << after << '\n';
  return before == 300 && after == 350 && products.contains(2) ? 0 : 1;
}

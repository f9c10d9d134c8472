// A cache in front of a "database": load on a miss, keep, invalidate after a change. The README quotes it.
#include <seawall/cache.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <optional>
#include <string>

using namespace std::chrono_literals;

int main() {
  std::map<int, std::string> table{{1, "Ada"}, {2, "Grace"}};
  int queries = 0;
  const auto find_user = [&](int id) -> std::optional<std::string> {
    ++queries;
    const auto row = table.find(id);
    if (row == table.end()) return std::nullopt;
    return row->second;
  };

  seawall::cache<int, std::string> users{{.name = "users", .capacity = 10'000, .ttl = 5min}};

  const auto show = [&](int id) {
    const auto user = users.get_or_load(id, find_user);  // calls find_user only if it must
    if (!user) std::cout << "the database failed: " << user.error().message() << '\n';
    else if (!*user) std::cout << "there is no user " << id << '\n';  // this is cached, too
    else std::cout << "user " << id << " is " << **user << '\n';
  };

  for (const int id : {1, 1, 2, 3, 3}) show(id);
  std::cout << queries << " queries for 5 reads\n";

  table[1] = "Ada Lovelace";  // commit the change first,
  users.invalidate(1);        // then invalidate: nobody gets the old name from here on
  show(1);

  return queries == 4 && *users.get(1) == "Ada Lovelace" ? 0 : 1;
}

// Versions of rows: a read that must not be behind, a writer that stores its value, and a report of how an answer came.
// docs/guide/consistency.md, invalidation.md and reading.md quote it. Over a shared tier it reads the same.
#include <seawall/cache.hpp>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>

struct row {
  std::string name;
  std::uint64_t version;
};

int main() {
  std::map<int, row> primary{{1, {"Ada", 7}}};
  std::map<int, row> replica = primary;
  seawall::cache<int, std::string> users{{.name = "users"}};

  const auto find_user = [&](int id, seawall::load_context<std::string>& context) {
    const row& read = context.at_least() > replica.at(id).version ? primary.at(id) : replica.at(id);
    return seawall::loaded<std::string>{read.name}.with({.version = read.version});
  };
  (void)users.get_or_load(1, find_user);

  // A request that wrote the row answers with its new version, and the next request of that user brings it along.
  primary[1] = {"Ada Lovelace", 8};
  const std::uint64_t seen = primary[1].version;
  const auto own = users.get_or_load(1, find_user, {.consistency = seawall::consistency::at_least(seen)});
  bool right = own && **own == "Ada Lovelace";

  primary[1] = {"Countess of Lovelace", 9};  // commit first, with a new version,
  users.put(1, "Countess of Lovelace", {.version = 9});
  users.put(1, "Ada Lovelace", {.version = 8});  // a writer that was held up: the newer one stays
  right &= **users.get_or_load(1, find_user) == "Countess of Lovelace";

  seawall::served how;
  (void)users.get_or_load(1, find_user, {.report = &how});
  std::cout << "version " << how.version << (how.from == seawall::served_from::process ? " of this process" : "")
            << (how.why == seawall::served_why::hit ? ", fresh\n" : "\n");
  return right && how.version == 9 && how.from == seawall::served_from::process ? 0 : 1;
}

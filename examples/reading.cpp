// The four ways to read: get_or_load, get, peek and contains; and put for what is known already.
#include <seawall/cache.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

int main() {
  seawall::cache<int, std::string> users{{.name = "users", .ttl = 5min}};
  bool right = true;

  // Load on a miss. Any value is a hit: the empty string, zero and false too.
  const auto empty = users.get_or_load(1, [](int) { return std::string{}; });
  right &= empty && *empty && (*empty)->empty() && users.contains(1);

  // Look only. Null: not there, or known not to exist.
  if (const seawall::value_ptr<std::string> user = users.get(2)) std::cout << *user << '\n';
  else std::cout << "user 2 is not cached\n";

  // Store what is known to be right now, for example a row just read for another reason.
  users.put(2, "Grace");
  users.put(3, "Edsger", {.ttl = 1h, .jitter = 0.0});
  right &= *users.get(2) == "Grace";

  // Look without counting a use, stale entries included.
  if (const auto seen = users.peek(3)) {
    std::cout << *seen->value << (seen->fresh ? ", fresh for " : ", stale, ")
              << std::chrono::ceil<std::chrono::minutes>(seen->fresh_for).count() << " minutes\n";
    right &= seen->fresh && seen->fresh_for > 59min;
  }

  // A value is shared and immutable: it stays valid and unchanged as long as you hold it.
  const auto held = users.get(2);
  users.put(2, "Grace Hopper");
  right &= *held == "Grace" && *users.get(2) == "Grace Hopper";

  const auto stats = users.stats().total;
  std::cout << stats.hits << " hits, " << stats.misses << " misses\n";
  return right ? 0 : 1;
}

// seawall::cache on the same engine: another eviction policy, a listener, and limits that change while it works.
// docs/guide/local_cache.md quotes it.
#include <seawall/cache.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <string>

using namespace std::chrono_literals;

int main() {
  std::map<seawall::removal_cause, int> left;

  seawall::cache<int, std::string> users{
      {.name = "users",
       .capacity = 100,
       .eviction = seawall::eviction_policy::s3_fifo,
       .ttl = 5min,
       .on_removal = [&](const int&, const seawall::value_ptr<std::string>& value,
                         seawall::removal_cause cause) { left[cause] += value ? 1 : 0; }}};  // null: a cached absence

  for (int id = 0; id < 100; ++id) {
    const auto user = users.get_or_load(id, [](int wanted) { return "user " + std::to_string(wanted); });
    if (!user) return 1;
  }
  users.put(1, "Ada");  // replaced
  users.invalidate(2);  // invalidated

  users.resize(40);  // the others are evicted before it returns
  for (const auto& why : seawall::removal_cause_table) std::cout << why.name << ": " << left[why.id] << '\n';
  std::cout << users.size() << " are left\n";

  return users.size() == 40 && left[seawall::removal_cause::capacity] == 59 &&
                 left[seawall::removal_cause::replaced] == 1 && left[seawall::removal_cause::invalidated] == 1
             ? 0
             : 1;
}

// A listener hears of every entry that leaves, and why. docs/guide/local_cache.md quotes it.
#include <seawall/local_cache.hpp>
#include <seawall/testing.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  std::vector<std::string> heard;  // one thread here; a listener may be called by several at once

  seawall::local_cache<int, std::string> files{
      {.name = "files",
       .capacity = 3,
       .policy = seawall::eviction_policy::lru,
       .on_removal =
           [&](const int& id, const std::string& path, seawall::removal_cause cause) {
             const auto& why = seawall::removal_cause_table[static_cast<std::size_t>(cause)];
             heard.push_back(std::to_string(id) + ' ' + path + ' ' + std::string(why.name));
           },
       .clock = clock}};

  files.put(1, "a");
  files.put(1, "b");                 // replaced
  files.remove(1);                   // invalidated
  files.put(2, "c", {.ttl = 1min});
  clock->advance(2min);              // expired: the timer's thread tells it
  for (int id = 3; id <= 6; ++id) files.put(id, "d");  // the fourth is one too many: capacity
  files.clear();                     // cleared, three times
  files.tidy();                      // whatever is due and not told yet

  for (const std::string& line : heard) std::cout << line << '\n';
  const std::vector<std::string> first{"1 a replaced", "1 b invalidated", "2 c expired", "3 d capacity"};
  return heard.size() == 7 && std::equal(first.begin(), first.end(), heard.begin()) ? 0 : 1;
}

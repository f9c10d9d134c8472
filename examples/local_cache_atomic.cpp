// Changes of one key that no other thread can get in between of. docs/guide/local_cache.md quotes it.
#include <seawall/local_cache.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

int main() {
  seawall::local_cache<std::string, int> counts{{.name = "counts"}};

  const auto count = [&](const std::string& page) {
    return counts.compute(page, [](const int* current) -> std::optional<int> {
      return current == nullptr ? 1 : *current + 1;  // called again when another thread got in between
    });
  };

  {
    std::vector<std::jthread> visitors;
    for (int i = 0; i < 4; ++i) {
      visitors.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) count("/home");
      });
    }
  }
  std::cout << "visits: " << *counts.get("/home") << '\n';

  const bool first = counts.put_if_absent("/about", 10);
  const bool again = counts.put_if_absent("/about", 20);  // there is one: nothing changes

  const bool swapped = counts.replace_if_equal("/about", 10, 11);  // compare and swap
  const bool missed = counts.replace_if_equal("/about", 10, 12);

  const bool kept = counts.remove_if("/home", [](int visits) { return visits < 100; });
  const bool gone = counts.remove_if("/about", [](int visits) { return visits < 100; });

  // An answer of nothing removes the entry.
  counts.compute("/home", [](const int*) -> std::optional<int> { return std::nullopt; });

  return first && !again && swapped && !missed && !kept && gone && counts.size() == 0 ? 0 : 1;
}

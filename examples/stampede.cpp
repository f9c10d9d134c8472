// Sixteen threads miss the same key at the same moment: one load, sixteen answers.
#include <seawall/cache.hpp>

#include <atomic>
#include <barrier>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

int main() {
  constexpr int callers = 16;
  seawall::cache<std::string, int> prices{{.name = "prices"}};
  std::atomic<int> loads{0};
  std::atomic<int> right{0};
  std::barrier start{callers};

  const auto load_price = [&](const std::string&) {
    ++loads;
    // Slow enough that everybody else arrives meanwhile: the counter says when they have.
    while (prices.stats().total.coalesced != callers - 1) std::this_thread::yield();
    return 1299;
  };

  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const auto price = prices.get_or_load("book", load_price);
        if (price && *price && **price == 1299) ++right;
      });
    }
  }

  std::cout << callers << " callers, " << loads << " load, " << right << " right answers\n";
  return loads == 1 && right == callers ? 0 : 1;
}

// Looking around in a cache, and changing its limits while it is used. docs/guide/local_cache.md quotes it.
#include <seawall/local_cache.hpp>

#include <iostream>
#include <string>

int main() {
  seawall::local_cache<int, std::string> squares{
      {.name = "squares", .capacity = 100, .policy = seawall::eviction_policy::lru}};
  for (int i = 0; i < 100; ++i) squares.put(i, std::to_string(i * i));
  (void)squares.get(7);

  std::size_t letters = 0;
  squares.for_each([&](const int&, const std::string& value) { letters += value.size(); });

  const auto hottest = squares.hottest(1);  // copies, from the one that would stay longest on
  const auto coldest = squares.coldest(3);  // from the one that would be evicted first on
  for (const auto& [number, square] : coldest) std::cout << number << " squared is " << square << '\n';
  if (hottest.size() != 1 || coldest.size() != 3 || coldest.front().first != 0) return 1;

  squares.resize(10);  // evicts at once what is too much
  const std::size_t left = squares.size();

  squares.clear();
  std::cout << letters << " letters; " << left << " entries after resize, " << squares.size() << " after clear\n";
  return hottest.front().first == 7 && left == 10 && squares.size() == 0 && squares.capacity() == 10 ? 0 : 1;
}

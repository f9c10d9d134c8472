// A limit in bytes beside the limit in entries. The cache estimates what an entry takes; a weigher says it better.
#include <seawall/cache.hpp>

#include <cstddef>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

struct image {
  std::shared_ptr<std::vector<std::byte>> pixels;  // kept in a pool elsewhere
};

int main() {
  constexpr std::size_t mebibyte = 1 << 20;

  // Estimated: strings, containers, smart pointers and described structs, with what they own on the heap.
  seawall::cache<int, std::string> pages{{.name = "pages", .max_bytes = 2 * mebibyte}};
  for (int id = 0; id < 1000; ++id) pages.put(id, std::string(10'000, 'x'));
  const auto estimated = pages.stats();
  std::cout << estimated.entries << " pages in " << estimated.bytes << " bytes, "
            << estimated.evicted(seawall::removal_cause::capacity) << " evicted\n";

  // Weighed: whatever unit suits you, as long as max_bytes means the same.
  seawall::cache<std::string, image> thumbnails{
      {.name = "thumbnails",
       .max_bytes = 64 * mebibyte,
       .weigher = [](const std::string& name, const image& one) { return name.size() + one.pixels->size(); }}};
  thumbnails.put("cat.png", {std::make_shared<std::vector<std::byte>>(mebibyte)});
  thumbnails.put("poster.png", {std::make_shared<std::vector<std::byte>>(80 * mebibyte)});  // too big to keep
  const auto weighed = thumbnails.stats();
  std::cout << weighed.entries << " thumbnail in " << weighed.bytes << " bytes\n";

  const bool within = estimated.bytes <= 2 * mebibyte && estimated.entries > 150 && estimated.entries < 210;
  const bool kept = weighed.entries == 1 && weighed.bytes >= mebibyte + 7;  // large weights are rounded up a little
  return within && kept && !thumbnails.contains("poster.png") ? 0 : 1;
}

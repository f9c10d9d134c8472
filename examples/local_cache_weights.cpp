// A limit on weights beside the one on entries, and entries that are never evicted.
// docs/guide/local_cache.md quotes it.
#include <seawall/local_cache.hpp>

#include <iostream>
#include <string>

int main() {
  constexpr std::size_t mebibyte = 1024 * 1024;

  seawall::local_cache<std::string, std::string> pages{
      {.name = "pages",
       .max_weight = 4 * mebibyte,
       .weigher = [](const std::string& url, const std::string& html) { return url.size() + html.size(); }}};

  pages.put("/help", std::string(mebibyte, 'h'), {.pinned = true});  // weighs nothing, is never evicted
  for (int i = 0; i < 1000; ++i) pages.put("/article/" + std::to_string(i), std::string(10'000, 'a'));

  const auto too_heavy = pages.put("/dump", std::string(5 * mebibyte, 'd'));
  if (too_heavy != seawall::put_result::refused) return 1;

  const seawall::cache_stats stats = pages.stats();
  std::cout << stats.entries << " pages that weigh " << stats.bytes << " of " << stats.max_bytes << '\n';

  // Without a weigher an entry weighs its bytes: key, value, what they own on the heap, and the bookkeeping.
  seawall::local_cache<int, std::string> notes{{.name = "notes", .max_weight = mebibyte}};
  notes.put(1, std::string(1000, 'n'));
  const std::size_t weight = notes.stats().bytes;
  std::cout << "a note of 1000 characters weighs " << weight << '\n';

  const bool fits = stats.bytes <= 4 * mebibyte && stats.entries > 300 && pages.contains("/help");
  return fits && weight > 1000 && weight < 1300 ? 0 : 1;
}

// Entries that are invalidated together, by what they have in common.
#include <seawall/cache.hpp>

#include <iostream>
#include <string>

int main() {
  seawall::cache<std::string, std::string> pages{{.name = "pages"}};

  const auto render = [](const std::string& path) { return "<h1>" + path + "</h1>"; };
  pages.get_or_load("/books", render, {.tags = {"catalog", "tenant 5"}});
  pages.get_or_load("/books/7", render, {.tags = {"catalog", "book 7", "tenant 5"}});
  pages.get_or_load("/imprint", render, {.tags = {"tenant 5"}});

  // Only the loader knows the author.
  pages.get_or_load("/authors/3", [&](const std::string& path) {
    const std::string author = "author 3";
    return seawall::loaded<std::string>{render(path)}.with({.tags = {author}});
  });

  pages.invalidate_tag("catalog");  // after the commit, as always
  std::cout << "after the catalog has changed: " << pages.contains("/books") << pages.contains("/books/7")
            << pages.contains("/imprint") << pages.contains("/authors/3") << '\n';
  if (pages.contains("/books") || pages.contains("/books/7") || !pages.contains("/imprint")) return 1;

  pages.invalidate_tag("author 3");
  if (pages.contains("/authors/3")) return 1;

  pages.get_or_load("/books", render, {.tags = {"catalog"}});  // stored again, and valid until the next change
  return pages.contains("/books") ? 0 : 1;
}

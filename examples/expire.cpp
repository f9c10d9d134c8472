// Two ways to say "this has changed": invalidate removes, expire keeps the old value for those who may have it stale.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

int main() {
  const auto background = std::make_shared<seawall::manual_executor>();
  std::string article = "first edition";

  seawall::cache<int, std::string> articles{{.name = "articles",
                                             .ttl = 1h,
                                             .stale_for = 1h,
                                             .loader = [&](int) { return article; },
                                             .executor = background}};
  articles.put(1, article);
  article = "second edition";

  articles.expire(1);                               // stale from now on
  const auto old = articles.get_or_load(1);         // served at once, and one refresh is started
  const bool stale = !articles.contains(1) && **old == "first edition" && background->pending() == 1;
  std::cout << "after expire: " << **old << '\n';

  background->run_all();
  std::cout << "after the refresh: " << *articles.get(1) << '\n';
  const bool refreshed = *articles.get(1) == "second edition";

  articles.invalidate(1);                           // gone
  std::cout << "after invalidate: " << (articles.peek(1) ? "still there" : "nothing") << '\n';
  return stale && refreshed && !articles.peek(1) ? 0 : 1;
}

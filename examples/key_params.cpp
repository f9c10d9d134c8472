// Parameters of an expensive call as one digest for its key. docs/guide/keys.md quotes it.
#include <seawall/key.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

struct Range { int low, high; };
seawall::params seawall_params(const Range& r) { return seawall::params().add("low", r.low).add("high", r.high); }

int main() {
  auto query = seawall::params()
                   .add("page", 2)
                   .add("sort", "price")
                   .add("tags", std::vector<std::string>{"a", "b"})
                   .add("from", std::optional<int>{});
  std::string key = seawall::key("products").hashed(query);  // products:#a8be2d0627abd49ea9538ac0883e5cff
  std::cout << key << '\n';

  // The order of add() does not matter, the types do.
  const bool same = query.digest() == seawall::params()
                                          .add("from", std::nullopt)
                                          .add("tags", std::vector<std::string>{"a", "b"})
                                          .add("sort", std::string{"price"})
                                          .add("page", 2L)
                                          .digest();
  const bool different = seawall::params().add("page", 2).digest() != seawall::params().add("page", "2").digest();

  auto priced = seawall::params().add("price", Range{10, 20});
  std::cout << seawall::key("products").hashed(priced).str() << '\n';

  return same && different && key == "products:#a8be2d0627abd49ea9538ac0883e5cff" ? 0 : 1;
}

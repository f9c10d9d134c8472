// Keys from parts that no user input can forge. docs/guide/keys.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/key.hpp>

#include <cstdint>
#include <iostream>
#include <string>

struct OrderId { std::uint64_t value; };
std::uint64_t seawall_key_part(OrderId id) { return id.value; }

int main() {
  bool right = true;
  const auto expect = [&](const std::string& key, const std::string& wanted) {
    std::cout << key << (key == wanted ? "\n" : "   WRONG\n");
    right &= key == wanted;
  };

  std::string profile = seawall::key("user").id(42).part("profile");  // user:42:profile

  const seawall::key_space shop{"shop"};
  std::string user = shop.key("user").id(42);                         // shop:user:42
  std::string eu = shop.space("eu").key("user").id(42);               // shop:eu:user:42

  expect(profile, "user:42:profile");
  expect(user, "shop:user:42");
  expect(eu, "shop:eu:user:42");

  const auto find_user = [](int id) { return "user " + std::to_string(id); };

  seawall::cache<std::string, std::string> users{{.name = "users"}};
  auto found = users.get_or_load(shop.key("user").id(42), [&](const std::string&) { return find_user(42); });
  right &= found && **found == "user 42" && users.contains("shop:user:42");

  const auto stem = shop.key("user").id(42);
  users.invalidate(stem.part("profile"));
  users.invalidate(stem.part("orders"));
  expect(stem, "shop:user:42");

  std::string order = seawall::key("order").id(OrderId{7});           // order:7
  expect(order, "order:7");

  std::string forged = seawall::key("user").id("42:profile");         // user:42%3Aprofile, not user:42:profile
  std::string empty = seawall::key("a").part("");                     // a:    (an empty part is a part)
  expect(forged, "user:42%3Aprofile");
  expect(empty, "a:");

  const seawall::key_space small{"shop", {.max_length = 250}};
  right &= small.key(std::string(1000, 'x')).str().size() == 250;

  std::string below = seawall::key("user").id(1).prefix();            // user:1:
  expect(below, "user:1:");
  return right ? 0 : 1;
}

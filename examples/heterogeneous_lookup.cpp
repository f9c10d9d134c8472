// A cache of strings is asked with a string_view, and a key of your own needs == and a hash: no key is built to look.
#include <seawall/cache.hpp>

#include <cstddef>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <tuple>

struct UserId {
  int value;
  bool operator==(const UserId&) const = default;
};
template <> struct std::hash<UserId> {
  std::size_t operator()(UserId id) const noexcept { return std::hash<int>{}(id.value); }
};

// A key that is dear to make: the program sees whenever one is.
struct path {
  static inline int made = 0;
  std::string text;
  explicit path(std::string_view from) : text(from) { ++made; }
  bool operator==(std::string_view other) const { return text == other; }
  bool operator==(const path&) const = default;
};
struct path_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return seawall::hash<std::string>{}(text); }
  std::size_t operator()(const path& one) const { return (*this)(one.text); }
};

int main() {
  seawall::cache<std::string, int> by_name{{.name = "users"}};
  by_name.put("ada", 1);
  constexpr std::string_view request = "GET ada";
  const bool by_view = by_name.contains(request.substr(4));  // no copy, no allocation

  seawall::cache<UserId, int> by_id{{.name = "users"}};
  seawall::cache<std::tuple<std::string, int>, int> by_name_and_year{{.name = "users"}};
  by_id.put({7}, 1);
  by_name_and_year.put({"ada", 1815}, 1);
  const bool by_tuple = by_name_and_year.contains(std::tuple<std::string_view, int>{"ada", 1815});

  // A hash with `is_transparent` says itself what may be looked up in place of a key; == must accept it, too.
  seawall::cache<path, int, path_hash> files{{.name = "files"}};
  files.put(path{"/etc/hosts"}, 1);
  const int made = path::made;
  const bool found = files.get(std::string_view{"/etc/hosts"}) && !files.get(std::string_view{"/etc/passwd"});
  std::cout << path::made - made << " keys made for two lookups\n";
  return by_view && by_id.contains(UserId{7}) && by_tuple && found && path::made == made ? 0 : 1;
}

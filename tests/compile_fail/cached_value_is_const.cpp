// expect-error: binding reference of type 'user
#include <seawall/cache.hpp>

#include <string>

struct user {
  std::string name;
};

// Whoever reads a value shares it with all other readers.
void rename(seawall::cache<int, user>& users) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  user copy = *users.get(1);
  copy.name = "new";
  users.put(1, std::move(copy));
#else
  user& shared = *users.get(1);
  shared.name = "new";
#endif
}

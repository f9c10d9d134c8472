// expect-error: shared_ptr<user>
#include <seawall/cache.hpp>

#include <memory>
#include <string>

struct user {
  std::string name;
};

// Neither the answer of a load nor what peek shows is a pointer to change the value through.
void rename(seawall::cache<int, user>& users) {
#ifdef SEAWALL_COMPILE_FAIL_GOOD
  std::shared_ptr<const user> mine = users.get_or_load(1, [](int) { return user{"old"}; }).value();
  std::shared_ptr<const user> seen = users.peek(1)->value;
#else
  std::shared_ptr<user> mine = users.get_or_load(1, [](int) { return user{"old"}; }).value();
#endif
}

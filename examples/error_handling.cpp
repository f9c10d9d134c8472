// Errors are values. A loader's own error keeps its code, an exception becomes one, and a failing key backs off: until
// then its callers get the same error without another attempt.
#include <seawall/cache.hpp>
#include <seawall/testing.hpp>

#include <boost/system/error_code.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
namespace sys = boost::system;

struct deadlock : std::runtime_error {
  using runtime_error::runtime_error;
};

int main() {
  const auto clock = std::make_shared<seawall::manual_clock>();
  seawall::cache<int, std::string> users{
      {.name = "users", .backoff = {.initial = 100ms, .max = 5s}, .clock = clock}};
  int calls = 0;

  const auto find_user = [&](int id) -> seawall::result<std::string> {
    ++calls;
    if (id == 1) return seawall::fail(seawall::errc::loader_failed, "the replica is behind");
    if (id == 2) return std::unexpected(seawall::error{make_error_code(sys::errc::connection_refused), "no database"});
    throw deadlock{"deadlock detected"};
  };

  const auto refused = users.get_or_load(2, find_user);
  if (refused || refused.error().code() != sys::errc::connection_refused) return 1;

  const auto thrown = users.get_or_load(3, find_user);
  if (thrown || thrown.error() != seawall::errc::loader_failed) return 1;
  std::cout << thrown.error().message() << '\n';
  try {
    std::rethrow_exception(thrown.error().cause());  // what it was, if you must know
  } catch (const deadlock& cause) {
    std::cout << "a deadlock: " << cause.what() << '\n';
  }

  calls = 0;
  for (int i = 0; i < 100; ++i) (void)users.get_or_load(1, find_user);
  clock->advance(100ms);
  (void)users.get_or_load(1, find_user);  // fails again: the next pause is 200 ms
  clock->advance(199ms);
  (void)users.get_or_load(1, find_user);
  std::cout << "102 reads of a failing key: " << calls << " attempts\n";

  users.invalidate(1);  // an invalidation, a put or a success ends the back-off
  (void)users.get_or_load(1, find_user);
  return calls == 3 ? 0 : 1;
}

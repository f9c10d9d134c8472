// Shares keys with programs that know nothing of Seawall: Redis, whose URL is the first argument or in REDIS_URL, holds
// the bare values. docs/guide/plain.md quotes it.
#include <seawall/cache.hpp>
#include <seawall/cmd.hpp>
#include <seawall/json.hpp>
#include <seawall/redis.hpp>
#include <seawall/tier.hpp>

#include <boost/describe.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace shop {

struct user {
  std::string name;
  int age = 0;
};
BOOST_DESCRIBE_STRUCT(user, (), (name, age))

}  // namespace shop

template <>
struct seawall::codec<shop::user> : seawall::json_codec<shop::user> {};

namespace {

// Until the news have come, which are under way for some microseconds.
template <class Condition>
bool soon(Condition&& holds) {
  for (int i = 0; i < 500; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const char* given = argc > 1 ? argv[1] : std::getenv("REDIS_URL");
  const auto redis = seawall::redis::client::connect({.url = given ? given : "redis://127.0.0.1:6379"});
  if (!redis) return std::cerr << redis.error().message() << '\n', 1;
  const auto tier = seawall::redis_tier(*redis, {.budget = 500ms});
  if (!tier) return std::cerr << tier.error().message() << '\n', 1;
  seawall::cache<int, shop::user> users{
      {.name = "users", .ttl = 5min, .shared = *tier, .shared_format = seawall::shared_format::plain}};

  const auto load = [](int) { return shop::user{"Ada", 36}; };
  const auto age = [&] {
    const auto user = users.get_or_load(1, load);
    return user && *user ? (*user)->age : 0;
  };
  if (age() != 36) return 1;

  auto other = *redis;  // stands for a program in another language
  const bool stored = soon([&] { return other.run(seawall::cmd::exists("users:1")).value_or(0) == 1; });
  const auto seen = other.run(seawall::cmd::get("users:1"));
  if (!stored || !seen || !*seen) return 1;
  std::cout << **seen << '\n';  // {"name":"Ada","age":36}

  // It writes: SETEX users:1 300 '{"name":"Ada","age":37}'
  const auto set = other.run(seawall::cmd::raw("SETEX", "users:1", "300", R"({"name":"Ada","age":37})"));
  if (!set || !soon([&] { return age() == 37; })) return 1;

  // It invalidates, after its commit: UNLINK users:1 {users:1}:l
  const auto gone = other.run(seawall::cmd::unlink("users:1", "{users:1}:l"));
  return gone && soon([&] { return age() == 36; }) ? 0 : 1;
}

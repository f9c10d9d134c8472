// Values and commands of one's own: a codec, a typed command made with the builder, a command that Seawall lacks.
#include <seawall/redis.hpp>

#include <cstdlib>
#include <iostream>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;
using namespace std::chrono_literals;

struct user {
  std::string name;
  int age = 0;
};

template <>
struct seawall::codec<user> {
  static void encode(const user& u, std::string& out) { out += std::to_string(u.age) + ' ' + u.name; }  // appends
  static seawall::result<user> decode(std::string_view bytes) {
    const auto space = bytes.find(' ');
    if (space == bytes.npos) return seawall::undecodable("user", bytes);
    const auto age = seawall::codec<int>::decode(bytes.substr(0, space));
    if (!age) return std::unexpected(age.error());
    return user{std::string{bytes.substr(space + 1)}, *age};
  }
};

// A command with a name and a result type of its own.
cmd::command<std::tuple<std::string, int>> name_and_age(int id) {
  return cmd::builder{"HMGET"}.key("person:" + std::to_string(id)).text("name").text("age");
}

// A command that is not in the table: what it does is said here.
cmd::command<std::string> json_get(std::string_view key, std::string_view path) {
  const cmd::traits about{.effect = cmd::effect::read, .first_key = 1, .last_key = 1};
  return cmd::builder{"JSON.GET", about}.key(key).text(path);
}

int main() {
  const char* url = std::getenv("REDIS_URL");
  auto db = redis::client::connect({.url = url ? url : "redis://127.0.0.1:6379"});
  if (!db) return 1;

  db->run(cmd::set("user:42", user{"Ada Lovelace", 36}, {.ex = 10min}));
  const auto found = db->run(cmd::get<user>("user:42"));  // result<std::optional<user>>
  if (found && *found) std::cout << (**found).name << ", " << (**found).age << '\n';

  db->run(cmd::set("user:43", "nonsense"));
  const auto broken = db->run(cmd::get<user>("user:43"));
  if (!broken) std::cout << broken.error().message() << '\n';  // names the command, the type and the bytes

  db->run(cmd::hset("person:1", "name", "Grace", "age", 85));
  const auto person = db->run(name_and_age(1));
  const auto module = db->run(json_get("doc", "$"));  // an error where the server has no such module
  if (!module) std::cout << module.error().message() << '\n';

  const bool right = found && *found && (**found).age == 36 && !broken && broken.error() == seawall::errc::undecodable;
  return right && person && std::get<1>(*person) == 85 ? 0 : 1;
}

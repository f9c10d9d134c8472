// The first commands of the Redis client. REDIS_URL says where the server is. docs/guide/redis.md quotes it.
#include <seawall/redis.hpp>

#include <cstdlib>
#include <iostream>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;
using namespace std::chrono_literals;

int main() {
  const char* given = std::getenv("REDIS_URL");
  const std::string url = given ? given : "redis://127.0.0.1:6379";

  auto connected = redis::client::connect({.url = url, .client_name = "shop", .command_timeout = 500ms});
  if (!connected) {
    std::cerr << connected.error().message() << '\n';  // a wrong option; nothing has been connected yet
    return 1;
  }
  redis::client db = *connected;                       // a handle: copies share one client
  if (const auto up = db.check(); !up) {
    std::cerr << up.error().message() << '\n';         // names the address and the cause
    return 1;
  }

  db.run(cmd::set("user:42:name", "Ada Lovelace", {.ex = 10min}));
  const seawall::result<std::optional<std::string>> name = db.run(cmd::get("user:42:name"));
  if (!name) std::cout << "no answer: " << name.error().message() << '\n';
  else if (!*name) std::cout << "there is no such key\n";
  else std::cout << "user 42 is " << **name << '\n';

  const auto hits = db.run(cmd::incr("hits"));                      // result<std::int64_t>
  const auto same = db.run(cmd::get<int>("hits"));                  // result<std::optional<int>>
  const auto slow = db.run(cmd::get("hits").with_timeout(5s));      // this one may take longer

  const auto encoding = db.command({"OBJECT", "ENCODING", "hits"});  // any command: result<resp::value>
  if (encoding) std::cout << "stored as " << (*encoding)->text() << '\n';

  const auto wrong = db.run(cmd::lpush("hits", "x"));
  if (!wrong && wrong.error().code() == cmd::errc::wrong_type) std::cout << wrong.error().message() << '\n';

  db.run(cmd::rpush("jobs", "resize", "mail"));
  const auto job = db.run(cmd::blpop<std::string>("jobs", 5s));     // waits at the server for 5 s at most
  if (job && *job) std::cout << "from " << (**job).first << ": " << (**job).second << '\n';

  const redis::stats counted = db.stats();
  std::cout << counted.commands << " commands, " << counted.writes << " writes\n";
  const bool right = name && *name == "Ada Lovelace" && hits == 1 && same && *same == 1 && slow && encoding && !wrong;
  return right && job && *job && (**job).second == "resize" ? 0 : 1;
}

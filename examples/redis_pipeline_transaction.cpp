// Several Redis commands at once: pipelines, which save round trips, and transactions, which are all or nothing.
#include <seawall/redis.hpp>

#include <cstdlib>
#include <iostream>
#include <vector>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;

int main() {
  const char* url = std::getenv("REDIS_URL");
  auto db = redis::client::connect({.url = url ? url : "redis://127.0.0.1:6379"});
  if (!db) return 1;

  db->run(cmd::set("name", "Ada"));
  const auto [hits, name, wrong] = db->run(cmd::incr("hits"), cmd::get("name"), cmd::incr("name"));
  if (hits && name && *name) std::cout << **name << " has " << *hits << " hits\n";
  if (!wrong) std::cout << wrong.error().message() << '\n';  // of this command alone

  std::vector<cmd::command<bool>> sets;  // as many as there are, of one kind
  for (int i = 0; i < 1000; ++i) sets.push_back(cmd::set("k:" + std::to_string(i), i));
  std::size_t done = 0;
  for (const seawall::result<bool>& one : db->run(sets)) done += one == true;

  const auto moved = db->transaction(cmd::decr_by("account:1", 30), cmd::incr_by("account:2", 30));
  if (!moved) {
    std::cout << moved.error().message() << '\n';  // nothing was applied, or nobody knows: connection_lost
    return 1;
  }
  const auto& [from, to] = *moved;                 // each a result<std::int64_t>
  std::cout << *from << " and " << *to << '\n';

  const auto refused = db->transaction(cmd::incr_by("account:2", 1), cmd::raw("NOSUCH"));
  const auto kept = db->run(cmd::get<int>("account:2"));
  std::cout << (refused ? "applied" : refused.error().message()) << '\n';

  const bool apart = hits == 1 && name && !wrong && done == sets.size();
  return apart && from == -30 && to == 30 && !refused && kept && *kept == 30 ? 0 : 1;
}

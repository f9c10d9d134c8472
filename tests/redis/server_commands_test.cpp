// What Seawall's table says of commands, against what the server at hand says of them.
#include "client_support.hpp"
#include "seawall/cmd/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using servers::redis_server;

struct told {
  std::string name;
  std::set<std::string> flags;
  int first_key = 0, last_key = 0, key_step = 0;
};

// An answer to COMMAND: name, arity, flags, first key, last key, step, ..., in the tenth place the subcommands.
void collect(const servers::reply& command, std::vector<told>& into) {
  const auto number = [&](std::size_t i) { return std::stoi(command.elements.at(i).text); };
  told one{command.elements.at(0).text, {}, number(3), number(4), number(5)};
  std::ranges::replace(one.name, '|', ' ');
  for (const auto& flag : command.elements.at(2).elements) one.flags.insert(flag.text);
  into.push_back(std::move(one));
  if (command.elements.size() <= 9) return;
  for (const auto& sub : command.elements[9].elements) collect(sub, into);
}

std::vector<told> commands_of(const redis_server& server) {
  std::vector<told> all;
  for (const auto& command : server.run({"COMMAND"}).elements) collect(command, all);
  return all;
}

void expect_same(const told& server, const cmd::traits& known) {
  SCOPED_TRACE(server.name);
  const bool reads = known.effect == cmd::effect::read;
  if (server.flags.contains("readonly")) { EXPECT_TRUE(reads); }
  if (server.flags.contains("write")) { EXPECT_FALSE(reads); }
  // They wait for the writes of their own connection, so another one, as blocking commands get, would be of no use.
  if (server.name != "wait" && server.name != "waitaof") {
    EXPECT_EQ(known.blocking, server.flags.contains("blocking"));
  }
  if (server.first_key == 0) {
    // Keys that are counted or behind a keyword; the server's short form has no word for them.
    EXPECT_EQ(known.first_key != 0, known.count_at != 0);
    if (known.count_at != 0) { EXPECT_TRUE(server.flags.contains("movablekeys")); }
    return;
  }
  EXPECT_EQ(known.first_key, server.first_key);
  EXPECT_EQ(known.last_key, server.last_key);
  EXPECT_EQ(known.key_step, server.key_step);
}

// A newer server may know more than the table: then it is told, for the next one who adds to the table.
void expect_agreement(const redis_server& server, std::size_t at_least) {
  std::vector<std::string> unknown;
  const auto all = commands_of(server);
  for (const told& one : all) {
    const cmd::traits* known = cmd::find_traits(one.name);
    if (known == nullptr) {
      unknown.push_back(one.name);
    } else {
      expect_same(one, *known);
    }
  }
  EXPECT_GE(all.size() - unknown.size(), at_least);
  if (!unknown.empty()) fmt::print("[ not in the table ] {}\n", fmt::join(unknown, ", "));
}

TEST(server_commands, are_what_the_table_says) {
  SEAWALL_NEEDS_SERVER();
  expect_agreement(*redis_server::start(), 200);
}

TEST(server_commands, of_a_sentinel_are_what_the_table_says) {
  SEAWALL_NEEDS_SERVER();
  expect_agreement(*redis_server::start({.sentinel = true}), 30);
}

}  // namespace
}  // namespace seawall::redis

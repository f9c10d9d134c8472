#include "seawall/cmd/table.hpp"

#include "seawall/cmd/raw.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace seawall::cmd {
namespace {

struct row {
  std::string name;
  std::string flags;
  int first = 0, last = 0, step = 0;
  bool has(std::string_view flag) const {
    return (',' + flags + ',').find(',' + std::string{flag} + ',') != std::string::npos;
  }
};

/// What redis-server 7.0 answers to COMMAND.
std::vector<row> redis_7_0() {
  std::ifstream file{SEAWALL_CMD_TESTDATA "/commands_7_0.txt"};
  std::vector<row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields{line};
    row read;
    std::string arity;
    std::getline(fields, read.name, '|');
    std::getline(fields, arity, '|');
    std::getline(fields, read.flags, '|');
    char bar = 0;
    fields >> read.first >> bar >> read.last >> bar >> read.step;
    rows.push_back(read);
  }
  return rows;
}

TEST(Table, IsSortedAndWithoutDuplicates) {
  const auto sorted = std::adjacent_find(std::begin(detail::rows::all), std::end(detail::rows::all),
                                         [](const auto& a, const auto& b) { return a.name >= b.name; });
  EXPECT_EQ(sorted, std::end(detail::rows::all)) << sorted->name;
}

TEST(Table, KnowsEveryCommandOfRedis7AsTheServerDoes) {
  const std::vector<row> rows = redis_7_0();
  ASSERT_EQ(rows.size(), 366U);
  for (const row& server : rows) {
    const traits* known = find_traits(server.name);
    ASSERT_NE(known, nullptr) << server.name;
    if (server.has("readonly")) { EXPECT_EQ(known->effect, effect::read) << server.name; }
    if (server.has("write")) { EXPECT_NE(known->effect, effect::read) << server.name; }
    EXPECT_EQ(known->blocking, server.has("blocking")) << server.name;
    if (server.first == 0) {
      // Keys that are counted or behind a keyword; the server's short form has no word for them.
      EXPECT_EQ(known->first_key != 0, known->count_at != 0) << server.name;
      if (known->count_at != 0) { EXPECT_TRUE(server.has("movablekeys")) << server.name; }
      continue;
    }
    EXPECT_EQ(known->first_key, server.first) << server.name;
    EXPECT_EQ(known->last_key, server.last) << server.name;
    EXPECT_EQ(known->key_step, server.step) << server.name;
  }
}

TEST(Table, FindsNamesInAnyCase) {
  EXPECT_EQ(find_traits("get"), find_traits("GET"));
  EXPECT_EQ(find_traits("Config gEt"), find_traits("CONFIG GET"));
  EXPECT_EQ(find_traits("GE"), nullptr);
  EXPECT_EQ(find_traits("GETT"), nullptr);
  EXPECT_EQ(find_traits(""), nullptr);
  EXPECT_NE(find_traits("hpexpireat"), nullptr);
}

TEST(Table, NamesAreLookedUpWhenTheyAreCompiled) {
  static constexpr command_name name{"XINFO STREAM"};
  static_assert(name.first() == "XINFO" && name.second() == "STREAM");
  static_assert(name.about().first_key == 2 && name.about().effect == effect::read);
}

struct key_case {
  std::vector<std::string_view> arguments;
  int first, last;
  effect what;
  bool blocking = false;
};

TEST(Table, LooksAtArguments) {
  const key_case cases[] = {
      {{"GET", "k"}, 1, 1, effect::read},
      {{"set", "k", "v"}, 1, 1, effect::write_last},
      {{"SET", "k", "nx"}, 1, 1, effect::write_last},
      {{"SET", "k", "v", "nx"}, 1, 1, effect::write_once},
      {{"SET", "k", "v", "EX", "1", "GET"}, 1, 1, effect::write_once},
      {{"ZADD", "k", "INCR", "1", "m"}, 1, 1, effect::write_once},
      {{"ZADD", "k", "1", "m"}, 1, 1, effect::write_last},
      {{"object", "encoding", "k"}, 2, 2, effect::read},
      {{"CONFIG", "GET", "x"}, 0, 0, effect::read},
      {{"CONFIG", "NEW", "x"}, 0, 0, effect::admin},
      {{"EVAL", "s", "1", "k"}, 3, 3, effect::write_once},
      {{"EVAL", "s", "0"}, 0, 0, effect::write_once},
      {{"ZUNIONSTORE", "to", "2", "a", "b"}, 1, 1, effect::write_once},
      {{"XREAD", "STREAMS", "a", "b", "0", "0"}, 2, 3, effect::read},
      {{"xread", "block", "0", "streams", "a", "0"}, 4, 4, effect::read, true},
      {{"XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", ">"}, 5, 5, effect::write_once},
      {{"SORT", "k"}, 1, 1, effect::read},
      {{"SORT", "k", "STORE", "to"}, 1, 1, effect::write_once},
      {{"SPEC.IAL", "k", "x"}, 1, 1, effect::write_once},
      {{"SPECIAL"}, 0, 0, effect::write_once},
      {{"PING"}, 0, 0, effect::read},
  };
  for (const key_case& one : cases) {
    const traits about = traits_of_arguments(one.arguments);
    EXPECT_EQ(about.first_key, one.first) << one.arguments[0];
    if (one.first != 0) { EXPECT_EQ(about.last_key, one.last) << one.arguments[0]; }
    EXPECT_EQ(about.effect, one.what) << one.arguments[0];
    EXPECT_EQ(about.blocking, one.blocking) << one.arguments[0];
    EXPECT_EQ(raw(std::span{one.arguments}).about(), about) << one.arguments[0];
  }
}

TEST(Table, RawCommandsTakeAnyValue) {
  const auto what = raw("OBJECT", "FREQ", "user:42");
  EXPECT_EQ(what.about(), *find_traits("OBJECT FREQ"));
  EXPECT_EQ(raw("ANY", 3, true, 1.5).encoded().bytes(), "*4\r\n$3\r\nANY\r\n$1\r\n3\r\n$1\r\n1\r\n$3\r\n1.5\r\n");
  EXPECT_FALSE(raw(std::span<const std::string_view>{}).valid());
}

}  // namespace
}  // namespace seawall::cmd

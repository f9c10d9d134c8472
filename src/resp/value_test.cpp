#include "seawall/resp/value.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace seawall::resp {
namespace {

std::string described(std::string_view frame, std::size_t most = 64) { return describe(view{frame}, most); }

TEST(Value, OwnsItsBytes) {
  std::string frame = "*2\r\n$1\r\na\r\n|1\r\n+x\r\n:1\r\n:7\r\n";
  const value kept{view{std::string_view{frame}}};
  const value element{kept->operator[](1)};
  frame.assign(frame.size(), 'x');
  EXPECT_EQ(kept->size(), 2U);
  EXPECT_EQ((*kept)[0].text(), "a");
  EXPECT_EQ(element->integer(), 7);
  EXPECT_EQ(element->attributes().find("x").integer(), 1);
}

TEST(Value, EqualityIsThatOfTheBytes) {
  const std::string_view one = ":1\r\n";
  EXPECT_EQ(value{view{one}}, value{view{one}});
  EXPECT_NE(value{view{one}}, value{view{std::string_view{"+1\r\n"}}});
  EXPECT_TRUE(value{}->is_null());
}

TEST(Value, CopiesAndMoves) {
  value first{view{std::string_view{"$40\r\n0123456789012345678901234567890123456789\r\n"}}};
  const value copy = first;
  const value moved = std::move(first);
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(moved->text().size(), 40U);
}

TEST(Describe, ScalarsAsRedisCli) {
  const std::pair<const char*, const char*> cases[] = {
      {"+OK\r\n", "OK"}, {"-ERR no\r\n", "(error) ERR no"}, {"!2\r\nE\n\r\n", "(error) E\\n"},
      {":5\r\n", "(integer) 5"}, {"$3\r\na\"\x01\r\n", "\"a\\\"\\x01\""}, {"_\r\n", "(nil)"}, {"$-1\r\n", "(nil)"},
      {"#t\r\n", "(true)"}, {"#f\r\n", "(false)"}, {",1.5\r\n", "(double) 1.5"}, {"(99\r\n", "(big number) 99"},
      {"=6\r\ntxt:ab\r\n", "\"ab\""}, {"*0\r\n", "(empty array)"}, {"%0\r\n", "(empty hash)"},
      {"~0\r\n", "(empty set)"}, {">0\r\n", "(empty push)"},
  };
  for (const auto& [frame, text] : cases) EXPECT_EQ(described(frame), text) << frame;
}

TEST(Describe, AggregatesAsRedisCli) {
  EXPECT_EQ(described("*3\r\n+a\r\n*2\r\n:1\r\n%2\r\n+k\r\n*2\r\n:2\r\n:3\r\n+l\r\n_\r\n$1\r\nb\r\n"),
            "1) a\n"
            "2) 1) (integer) 1\n"
            "   2) 1# k => 1) (integer) 2\n"
            "         2) (integer) 3\n"
            "      2# l => (nil)\n"
            "3) \"b\"");
  std::string ten = "~10\r\n";
  for (int i = 0; i != 10; ++i) ten += ":1\r\n";
  EXPECT_TRUE(described(ten).starts_with(" 1~ (integer) 1\n 2~ "));
  EXPECT_TRUE(described(ten).ends_with("\n10~ (integer) 1"));
}

TEST(Describe, LongStringsAreCut) {
  EXPECT_EQ(described("$5\r\nabcde\r\n", 5), "\"abcde\"");
  EXPECT_EQ(described("$6\r\nabcdef\r\n", 5), "\"abcde\"... (6 bytes)");
  EXPECT_EQ(described("+abcdef\r\n", 5), "abcde... (6 bytes)");
}

}  // namespace
}  // namespace seawall::resp

#include "seawall/resp/writer.hpp"

#include "seawall/resp/scanner.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace seawall::resp {
namespace {

using write = std::function<void(reply_writer&)>;

std::string written(const write& how, int protocol) {
  std::string out;
  reply_writer writer{out, protocol};
  how(writer);
  return out;
}

TEST(ReplyWriter, EveryTypeInBothProtocols) {
  const struct {
    write how;
    std::string three;
    std::string two;
  } cases[] = {
      {[](auto& w) { w.simple_string("OK"); }, "+OK\r\n", "+OK\r\n"},
      {[](auto& w) { w.error("ERR no"); }, "-ERR no\r\n", "-ERR no\r\n"},
      {[](auto& w) { w.integer(INT64_MIN); }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
      {[](auto& w) { w.bulk_string("a\r\nb"); }, "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"},
      {[](auto& w) { w.bulk_string(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {[](auto& w) { w.null(); }, "_\r\n", "$-1\r\n"},
      {[](auto& w) { w.null_array(); }, "_\r\n", "*-1\r\n"},
      {[](auto& w) { w.boolean(true); }, "#t\r\n", ":1\r\n"},
      {[](auto& w) { w.boolean(false); }, "#f\r\n", ":0\r\n"},
      {[](auto& w) { w.number(1.5); }, ",1.5\r\n", "$3\r\n1.5\r\n"},
      {[](auto& w) { w.number(-INFINITY); }, ",-inf\r\n", "$4\r\n-inf\r\n"},
      {[](auto& w) { w.number(INFINITY); }, ",inf\r\n", "$3\r\ninf\r\n"},
      {[](auto& w) { w.number(-NAN); }, ",nan\r\n", "$3\r\nnan\r\n"},
      {[](auto& w) { w.number(0.1); }, ",0.1\r\n", "$3\r\n0.1\r\n"},
      {[](auto& w) { w.big_number("-123"); }, "(-123\r\n", "$4\r\n-123\r\n"},
      {[](auto& w) { w.bulk_error("ERR\r\nx"); }, "!6\r\nERR\r\nx\r\n", "-ERR  x\r\n"},
      {[](auto& w) { w.verbatim("mkd", "hi"); }, "=6\r\nmkd:hi\r\n", "$2\r\nhi\r\n"},
      {[](auto& w) { w.verbatim("html", "hi"); }, "=6\r\ntxt:hi\r\n", "$2\r\nhi\r\n"},
      {[](auto& w) { w.array(12); }, "*12\r\n", "*12\r\n"},
      {[](auto& w) { w.set(123); }, "~123\r\n", "*123\r\n"},
      {[](auto& w) { w.map(2); }, "%2\r\n", "*4\r\n"},
      {[](auto& w) { w.push(1); }, ">1\r\n", "*1\r\n"},
  };
  for (const auto& [how, three, two] : cases) {
    EXPECT_EQ(written(how, 3), three);
    EXPECT_EQ(written(how, 2), two);
  }
}

TEST(ReplyWriter, LineEndsCannotBreakOutOfALine) {
  EXPECT_EQ(written([](auto& w) { w.simple_string("a\r\n+b"); }, 3), "+a  +b\r\n");
  EXPECT_EQ(written([](auto& w) { w.error("ERR '\n'"); }, 3), "-ERR ' '\r\n");
}

TEST(ReplyWriter, Resp2LeavesAttributesOut) {
  const write how = [](reply_writer& w) {
    w.array(2);
    w.attribute(2);
    w.simple_string("key");
    w.map(1);
    w.attribute(1);
    w.null();
    w.null_array();
    w.boolean(true);
    w.array(0);
    w.verbatim("txt", "key");
    w.set(2);
    w.bulk_error("x");
    w.number(1);
    w.integer(7);
    w.attribute(0);
    w.big_number("8");
  };
  EXPECT_EQ(written(how, 2), "*2\r\n:7\r\n$1\r\n8\r\n");
  const std::string three = written(how, 3);
  EXPECT_EQ(scanner{}.scan(three).value(), three.size());
}

TEST(WriteHeader, CountsOfEveryLength) {
  for (const std::uint64_t count : {0ULL, 9ULL, 10ULL, 99ULL, 100ULL, 12345ULL, ~0ULL}) {
    std::array<char, max_header> out;
    const char* const end = write_header(out.data(), kind::array, count);
    EXPECT_EQ((std::string_view{out.data(), end}), "*" + std::to_string(count) + "\r\n");
  }
}

TEST(Normalized, StreamedFormsBecomeDefinite) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n", "$5\r\nHello\r\n"},
      {"$?\r\n;0\r\n", "$0\r\n\r\n"},
      {"*?\r\n.\r\n", "*0\r\n"},
      {"~?\r\n:1\r\n:2\r\n.\r\n", "~2\r\n:1\r\n:2\r\n"},
      {"%?\r\n+a\r\n:1\r\n+b\r\n*?\r\n.\r\n.\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n"},
      {"*2\r\n*?\r\n*1\r\n$?\r\n;1\r\nx\r\n;0\r\n*0\r\n.\r\n$1\r\n.\r\n",
       "*2\r\n*2\r\n*1\r\n$1\r\nx\r\n*0\r\n$1\r\n.\r\n"},
      {"*?\r\n|1\r\n+a\r\n*?\r\n:1\r\n.\r\n:2\r\n|0\r\n_\r\n.\r\n", "*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:2\r\n|0\r\n_\r\n"},
      {"|1\r\n+a\r\n+b\r\n*?\r\n:1\r\n.\r\n", "|1\r\n+a\r\n+b\r\n*1\r\n:1\r\n"},
  };
  for (const auto& [frame, definite] : cases) {
    EXPECT_EQ(scanner{}.scan(frame).value(), frame.size()) << frame;
    EXPECT_EQ(normalized(frame), definite) << frame;
  }
}

TEST(Normalized, LeavesEverythingElseAsItIs) {
  for (const std::string_view frame : {"+?\r\n", "-?\r\n", "$-1\r\n", "*-1\r\n", "*2\r\n$1\r\n?\r\n#t\r\n", "_\r\n",
                                       "|1\r\n+a\r\n:1\r\n>1\r\n+.\r\n", "=5\r\ntxt:?\r\n", ":-1\r\n"}) {
    EXPECT_EQ(scanner{}.scan(frame).value(), frame.size()) << frame;
    EXPECT_EQ(normalized(frame), frame);
  }
}

}  // namespace
}  // namespace seawall::resp

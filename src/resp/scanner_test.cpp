#include "seawall/resp/scanner.hpp"

#include "seawall/resp/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace seawall::resp {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

/// The lengths of the frames in `stream`, one after the other; -1 for what is not complete.
std::vector<int> lengths(scanner& scan, std::string_view stream) {
  std::vector<int> found;
  while (!stream.empty()) {
    const auto length = scan.scan(stream);
    if (!length) {
      ADD_FAILURE() << length.error().message();
      return found;
    }
    found.push_back(*length == 0 ? -1 : static_cast<int>(*length));
    if (*length == 0) return found;
    stream.remove_prefix(*length);
  }
  return found;
}

/// Scans whole, and byte by byte; the message of the error, or "" and a failure.
std::string refusal(std::string_view stream, const limits& most = {}, errc code = errc::protocol) {
  scanner slow{most};
  for (std::size_t there = 0; there <= stream.size(); ++there) {
    const auto found = slow.scan(stream.substr(0, there));
    if (!found) break;
    EXPECT_EQ(*found, 0U) << "a frame of " << *found << " bytes";
    EXPECT_NE(there, stream.size()) << "not refused byte by byte: " << stream;
  }
  const auto found = scanner{most}.scan(stream);
  if (found) {
    ADD_FAILURE() << "not refused: " << stream;
    return {};
  }
  EXPECT_EQ(found.error().code(), make_error_code(code)) << found.error().message();
  return found.error().message();
}

std::string nested(std::string_view header, int levels) {
  std::string stream;
  for (int i = 0; i != levels; ++i) stream += header;
  return stream;
}

struct accepted {
  std::string stream;
  std::vector<int> frames{static_cast<int>(stream.size())};
};

TEST(Scanner, FindsFramesOfEveryTypeCutAnywhere) {
  const accepted cases[] = {
      {"+OK\r\n"}, {"+\r\n"}, {"+" + std::string(5000, 'x') + "\r\n"}, {"-ERR no\r\n"},
      {":0\r\n"}, {":-1\r\n"}, {":+7\r\n"}, {":9223372036854775807\r\n"}, {":-9223372036854775808\r\n"},
      {"$0\r\n\r\n"}, {"$5\r\nhello\r\n"}, {"$2\r\n\r\n\r\n"}, {"$100\r\n" + std::string(100, '\0') + "\r\n"},
      {"$-1\r\n"}, {"*-1\r\n"}, {"_\r\n"}, {"#t\r\n"}, {"#f\r\n"},
      {",1\r\n"}, {",-1.25\r\n"}, {",1e9\r\n"}, {",1.5E-300\r\n"}, {",inf\r\n"}, {",-inf\r\n"}, {",nan\r\n"},
      {",-nan\r\n"}, {"(123456789012345678901234567890\r\n"}, {"(-1\r\n"},
      {"!5\r\nERR x\r\n"}, {"=8\r\ntxt:some\r\n"}, {"=4\r\ntxt:\r\n"},
      {"*0\r\n"}, {"*2\r\n:1\r\n$1\r\na\r\n"}, {"~2\r\n:1\r\n:2\r\n"}, {"%1\r\n+k\r\n*1\r\n_\r\n"}, {"%0\r\n"},
      {">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n"}, {"*2\r\n*2\r\n*0\r\n*-1\r\n$-1\r\n"},
      {"$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n"}, {"$?\r\n;0\r\n"}, {"*?\r\n.\r\n"}, {"*?\r\n:1\r\n~?\r\n.\r\n.\r\n"},
      {"%?\r\n+a\r\n$?\r\n;1\r\nb\r\n;0\r\n.\r\n"}, {"*1\r\n*?\r\n*1\r\n:1\r\n.\r\n"},
      {"+a\r\n:1\r\n*1\r\n_\r\n$-1\r\n", {4, 4, 7, 5}},
      {"*2\r\n:1\r\n", {-1}}, {"$5\r\nhello\r", {-1}}, {"|1\r\n+a\r\n:1\r\n", {-1}},
  };
  for (const auto& [stream, frames] : cases) {
    scanner scan;
    EXPECT_EQ(lengths(scan, stream), frames) << stream;
    const std::size_t last = frames[0] < 0 ? stream.size() : static_cast<std::size_t>(frames[0]);
    for (std::size_t cut = 0; cut <= last; ++cut) {
      scanner twice;
      const auto first = twice.scan(std::string_view{stream}.substr(0, cut));
      ASSERT_TRUE(first) << first.error().message();
      if (*first != 0) continue;
      EXPECT_EQ(lengths(twice, stream), frames) << stream << " cut at " << cut;
    }
  }
}

TEST(Scanner, RefusesWhatIsMalformedAndSaysWhichByteCameInsteadOfWhat) {
  const struct {
    std::string stream;
    const char* said;
  } cases[] = {
      {"x", "byte 0 of the reply: \"x\" where the type of a value"},
      {"\r\n", "byte 0 of the reply: \"\\r\\n\""},
      {";1\r\n", "type of a value"},
      {"+a\nb\r\n", "byte 2 of the reply: \"\\nb\\r\\n\" where CR before LF"},
      {"+a\rb", "byte 3 of the reply: \"b\" where LF after CR"},
      {"$a", "byte 1 of the reply: \"a\" where a length in decimal"},
      {"$+1\r\n", "a length in decimal"}, {"$ 1\r\n", "a length in decimal"}, {"$-2\r\n", "-1, the only negative"},
      {"$-11\r\n", "CR LF"}, {"$01\r\n", "CR LF"}, {"$1\n", "CR LF"}, {"$1\rx", "byte 3"},
      {"$1 \r\n", "CR LF"}, {"$18446744073709551616\r\n", "64 bits"}, {"$?x", "CR LF"},
      {"!-1\r\n", "a length in decimal"}, {"!?\r\n", "a length in decimal"}, {"=-1\r\n", "a length in decimal"},
      {"%-1\r\n", "a length in decimal"}, {"~-1\r\n", "a length in decimal"}, {">-1\r\n", "a length in decimal"},
      {">?\r\n", "a length in decimal"}, {"|?\r\n", "a length in decimal"}, {"*1\r\n>1\r\n", "no push"},
      {"=3\r\n", "a length of 4 or more"}, {"=5\r\ntextx\r\n", "byte 7 of the reply: \"tx\\r\\n\" where ':'"},
      {":\r\n", "a digit"}, {":1a", "byte 2"}, {":01\r\n", "CR LF"}, {":--1", "a digit"}, {":1.5\r\n", "CR LF"},
      {":9223372036854775808\r\n", "64 bits"}, {":-9223372036854775809\r\n", "64 bits"}, {":1\rx", "LF after CR"},
      {"_x", "CR LF"}, {"#x", "t or f"}, {"#true\r\n", "CR LF"}, {"#\r\n", "t or f"},
      {",\r\n", "a double"}, {",1.\r\n", "a double"}, {",.5\r\n", "a double"}, {",1e\r\n", "a double"},
      {",1,5\r\n", "byte 2 of the reply"}, {",infinity\r\n", "a double"}, {",INF\r\n", "a double"},
      {",0x10\r\n", "byte 2 of the reply"}, {",1 \r\n", "a double"},
      {"(\r\n", "big number"}, {"(1.5\r\n", "byte 2"}, {"(-\r\n", "big number"}, {"(1e5\r\n", "big number"},
      {"*?\r\n:1\r\n.x", "CR LF"}, {".\r\n", "no end of a streamed"}, {"*1\r\n.\r\n", "no end of a streamed"},
      {"%?\r\n+a\r\n.\r\n", "the value of a key"}, {"*?\r\n|1\r\n+a\r\n+b\r\n.\r\n", "value that an attribute"},
      {"$?\r\n:1\r\n", "byte 4 of the reply: \":1\\r\\n\" where ';'"}, {"$?\r\n;-1\r\n", "a length in decimal"},
      {"$?\r\n;1\r\nabc", "CR LF at the end of a string"},
      {"*2\r\n$1\r\na\r\n$1\r\nbb\r\n", "byte 16 of the reply"},
      {"\x80\xff", "\\x80\\xff"},
  };
  for (const auto& [stream, said] : cases) EXPECT_THAT(refusal(stream), HasSubstr(said)) << stream;
}

TEST(Scanner, KnowsServersOfOtherProtocols) {
  EXPECT_THAT(scanner{}.scan("HTTP/1.1 400 Bad Request\r\n").error().message(), HasSubstr("speaks HTTP, not RESP"));
  EXPECT_THAT(scanner{}.scan("\x15\x03\x01\x00\x02\x02\x46").error().message(), HasSubstr("rediss://"));
  EXPECT_THAT(scanner{}.scan("SSH-2.0-x\r\n").error().message(), HasSubstr("SSH"));
  EXPECT_THAT(scanner{}.scan("*1\r\nHTTP/1.1 400").error().message(), HasSubstr("byte 4 of the reply"));
}

TEST(Scanner, MeetsALimitAsSoonAsTheHeaderIsThere) {
  const limits most{.depth = 2, .elements = 5, .bulk = 10, .frame = 60, .line = 8};
  const struct {
    std::string within;
    std::string beyond;
    const char* limit;
  } cases[] = {
      {"$10\r\n0123456789\r\n", "$11\r\n", "limits::bulk (10)"},
      {"!10\r\n0123456789\r\n", "!11\r\n", "limits::bulk"},
      {"=10\r\ntxt:456789\r\n", "=11\r\n", "limits::bulk"},
      {"$?\r\n;9\r\n012345678\r\n;1\r\n9\r\n;0\r\n", "$?\r\n;9\r\n012345678\r\n;2\r\n", "limits::bulk"},
      {"*1\r\n*1\r\n:1\r\n", "*1\r\n*1\r\n*0\r\n", "3 announced, which exceeds limits::depth (2)"},
      {"|1\r\n+a\r\n*0\r\n:1\r\n", "|1\r\n+a\r\n*1\r\n%0\r\n", "limits::depth"},
      {"*?\r\n~?\r\n.\r\n.\r\n", "*?\r\n~?\r\n%?\r\n", "limits::depth"},
      {"*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n", "*6\r\n", "limits::elements (5)"},
      {"%2\r\n:1\r\n:2\r\n:3\r\n:4\r\n", "%3\r\n", "limits::elements"},
      {"*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n:4\r\n", "*2\r\n*4\r\n", "limits::elements"},
      {"*?\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n.\r\n", "*?\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n", "limits::elements"},
      {"+12345678\r\n", "+123456789", "limits::line (8)"},
      {"-12345678\r\n", "-123456789", "limits::line"},
      {":12345678\r\n", ":123456789", "limits::line"},
      {":-1234567\r\n", ":-12345678", "limits::line"},
      {",1.234567\r\n", ",1.2345678", "limits::line"},
      {"*3\r\n" + nested("$10\r\n0123456789\r\n", 3), "*4\r\n" + nested("$10\r\n0123456789\r\n", 3) + "$3\r\n",
       "limits::frame (60)"},
      {"*4\r\n" + nested("$10\r\n0123456789\r\n", 3) + ":12\r\n",
       "*4\r\n" + nested("$10\r\n0123456789\r\n", 3) + ":123\r\n", "limits::frame"},
  };
  for (const auto& [within, beyond, limit] : cases) {
    scanner scan{most};
    EXPECT_EQ(lengths(scan, within), std::vector{static_cast<int>(within.size())}) << within;
    EXPECT_THAT(refusal(beyond, most, errc::limit), HasSubstr(limit)) << beyond;
  }
}

TEST(Scanner, DeepNestingWithinTheLimitTakesNoStack) {
  limits deep;
  deep.depth = 2'000'000;
  const std::string stream = nested("*1\r\n", 1'000'000) + ":1\r\n";
  EXPECT_EQ(scanner{deep}.scan(stream).value(), stream.size());
  EXPECT_THAT(refusal(nested("*1\r\n", 33), {}, errc::limit), HasSubstr("limits::depth (32)"));
}

TEST(Scanner, NeededIsTheEndOfTheBulkStringThatArrives) {
  scanner scan;
  EXPECT_EQ(scan.scan("*2\r\n:1\r\n$10").value(), 0U);
  EXPECT_EQ(scan.needed(), 0U);
  EXPECT_EQ(scan.scan("*2\r\n:1\r\n$1000\r\nx").value(), 0U);
  EXPECT_EQ(scan.needed(), 8 + 7 + 1000 + 2);
  const std::string whole = "*2\r\n:1\r\n$1000\r\nx" + std::string(999, 'y') + "\r\n";
  EXPECT_EQ(scan.scan(whole).value(), whole.size());
  EXPECT_EQ(scan.needed(), 0U);
}

TEST(Scanner, StreamedTellsOfTheLastFrameOnly) {
  scanner scan;
  for (const auto& [stream, streamed] : std::vector<std::pair<std::string, bool>>{
           {"*?\r\n.\r\n", true}, {"+OK\r\n", false}, {"*1\r\n$?\r\n;0\r\n", true}, {"*1\r\n:1\r\n", false},
           {"*?\r\n.\r\n", true}, {"-ERR ?\r\n", false}}) {
    EXPECT_EQ(scan.scan(stream).value(), stream.size());
    EXPECT_EQ(scan.streamed(), streamed) << stream;
  }
}

TEST(Scanner, ResetForgetsAFrameThatWasBegun) {
  for (const char* begun : {"*3\r\n:1\r\n", "$100\r\nabc", "$?\r\n;2\r\n", "|1\r\n:1\r\n:1\r\n", "+abcdefgh"}) {
    scanner scan;
    EXPECT_EQ(scan.scan(begun).value(), 0U);
    scan.reset();
    EXPECT_EQ(scan.needed(), 0U);
    EXPECT_EQ(scan.scan("$1\r\na\r\n").value(), 7U) << begun;
  }
}

}  // namespace
}  // namespace seawall::resp

// Parser bugs that other clients had; the number is that of the list in issue 4's report on clients.
#include "seawall/resp/error.hpp"
#include "seawall/resp/scanner.hpp"
#include "seawall/resp/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace seawall::resp {
namespace {

using ::testing::HasSubstr;

/// Scans `stream` in one piece, and cut at each of its bytes: the answer must be the same.
result<std::size_t> scan(std::string_view stream) {
  const auto whole = scanner{}.scan(stream);
  scanner bytewise;
  for (std::size_t there = 0; there <= stream.size(); ++there) {
    const auto found = bytewise.scan(stream.substr(0, there));
    if (found && *found == 0) continue;
    EXPECT_EQ(found.has_value(), whole.has_value()) << stream;
    if (found && whole) {
      EXPECT_EQ(*found, *whole) << stream;
    }
    break;
  }
  return whole;
}

std::string refused(std::string_view stream) {
  const auto found = scan(stream);
  return found ? "accepted" : found.error().message();
}

// A push among the elements of a reply (Redis 6.0 to 6.2) must not be counted as one of them.
TEST(bug11, APushInsideAnAggregateIsRefused) {
  EXPECT_THAT(refused("*2\r\n$1\r\na\r\n>2\r\n+invalidate\r\n_\r\n$1\r\nb\r\n"), HasSubstr("no push"));
  EXPECT_THAT(refused("*?\r\n>0\r\n.\r\n"), HasSubstr("no push"));
  EXPECT_THAT(refused("|1\r\n+a\r\n>1\r\n+b\r\n:1\r\n"), HasSubstr("no push"));
}

TEST(bug11, APushBetweenRepliesIsAFrameOfItsOwn) {
  const std::string_view stream = ">1\r\n+x\r\n*1\r\n:1\r\n";
  EXPECT_EQ(scan(stream).value(), 8U);
  EXPECT_EQ(scan(stream.substr(8)).value(), 8U);
}

// A subscription of N channels is N pushes and no reply; a push of one element, or none, was read beyond its end.
TEST(bug13, PushesOfAnyLengthAreReadWithinTheirBounds) {
  const std::string_view one = ">1\r\n$9\r\nsubscribe\r\n";
  ASSERT_EQ(scan(one).value(), one.size());
  const view push{one};
  EXPECT_EQ(push.kind(), kind::push);
  EXPECT_EQ(push[0].text(), "subscribe");
  EXPECT_TRUE(push[1].is_null());
  EXPECT_TRUE(push[2].is_null());
  ASSERT_EQ(scan(">0\r\n").value(), 4U);
  EXPECT_TRUE(view{std::string_view{">0\r\n"}}[0].is_null());
}

TEST(bug13, EachChannelOfASubscriptionIsAPushOfItsOwn) {
  const std::string push = ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
  const std::string stream = push + push + "+OK\r\n";
  scanner scan;
  EXPECT_EQ(scan.scan(stream).value(), push.size());
  EXPECT_EQ(scan.scan(std::string_view{stream}.substr(push.size())).value(), push.size());
  EXPECT_EQ(scan.scan(std::string_view{stream}.substr(2 * push.size())).value(), 5U);
}

TEST(bug14, AnEmptyLengthIsRefused) {
  EXPECT_THAT(refused("$\r\n"), HasSubstr("byte 1 of the reply: \"\\r\\n\" where a length in decimal was expected"));
  for (const char* stream : {"*\r\n", "%\r\n", "~\r\n", ">\r\n", "|\r\n", "=\r\n", "!\r\n"}) {
    EXPECT_THAT(refused(stream), HasSubstr("a length in decimal")) << stream;
  }
}

TEST(bug14, AnAttributeIsNoReplyOfItsOwn) {
  const std::string_view stream = "|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n";
  ASSERT_EQ(scan(stream).value(), stream.size());
  const view reply{stream};
  EXPECT_EQ(reply.text(), "v");
  EXPECT_EQ(reply.attributes().find("ttl").integer(), 3);
  EXPECT_EQ(scan("|1\r\n+ttl\r\n:3\r\n").value(), 0U);
  EXPECT_EQ(scan("|0\r\n").value(), 0U);
  EXPECT_EQ(scan("|0\r\n_\r\n").value(), 7U);
}

TEST(bug14, AnAttributeBeforeAPushOrAnElementBelongsToIt) {
  const std::string_view push = "|1\r\n+a\r\n:1\r\n>1\r\n+x\r\n";
  ASSERT_EQ(scan(push).value(), push.size());
  EXPECT_EQ(view{push}.kind(), kind::push);
  const std::string_view array = "*2\r\n|1\r\n+a\r\n*1\r\n|0\r\n:1\r\n:2\r\n|1\r\n+b\r\n_\r\n|0\r\n:3\r\n";
  ASSERT_EQ(scan(array).value(), array.size());
  EXPECT_EQ(view{array}.size(), 2U);
  EXPECT_EQ(view{array}[0].integer(), 2);
  EXPECT_EQ(view{array}[1].integer(), 3);
}

TEST(bug14, BytesBehindABulkStringThatAreNotCrLfAreRefused) {
  EXPECT_THAT(refused("$2\r\nokXY"), HasSubstr("byte 6 of the reply: \"XY\" where CR LF"));
  EXPECT_THAT(refused("$2\r\nok\rY"), HasSubstr("CR LF"));
}

TEST(bug14, AMapWhoseDoubleOverflowsIsRefusedAtOnce) {
  for (const char* stream : {"%9223372036854775808\r\n", "%18446744073709551615\r\n", "|9223372036854775809\r\n"}) {
    const auto found = scan(stream);
    ASSERT_FALSE(found) << stream;
    EXPECT_EQ(found.error().code(), make_error_code(errc::limit)) << stream;
  }
}

TEST(bug14, NoLimitAtAllIsNoOverflowEither) {
  constexpr auto most = static_cast<std::size_t>(-1);
  const limits none{.depth = most, .elements = most, .bulk = most, .frame = most, .line = most};
  EXPECT_FALSE(scanner{none}.scan("%9223372036854775808\r\n"));
  EXPECT_EQ(scanner{none}.scan("%9223372036854775807\r\n").value(), 0U);
  EXPECT_FALSE(scanner{none}.scan("$18446744073709551615\r\nx"));
  EXPECT_FALSE(scanner{none}.scan("*2\r\n*18446744073709551615\r\n"));
}

TEST(bug14, NestingBeyondTheLimitIsRefusedAndNotRecursedInto) {
  std::string stream;
  for (int i = 0; i != 100'000; ++i) stream += "*1\r\n";
  EXPECT_THAT(refused(stream.substr(0, 4000)), HasSubstr("limits::depth"));
  EXPECT_FALSE(scanner{}.scan(stream));
}

}  // namespace
}  // namespace seawall::resp

#include "seawall/resp/command_bytes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace seawall::resp {
namespace {

static_assert(std::is_nothrow_move_constructible_v<command_bytes> && !std::is_copy_constructible_v<command_bytes>);

bool is_inline(const command_bytes& command) {
  const auto* const begin = reinterpret_cast<const char*>(&command);
  return command.bytes().data() >= begin && command.bytes().data() < begin + sizeof command;
}

TEST(CommandBytes, EncodesAnArrayOfBulkStrings) {
  EXPECT_EQ((command_bytes{"GET", "k"}.bytes()), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  EXPECT_EQ((command_bytes{"SET", "", "a\r\n"}.bytes()), "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\na\r\n\r\n");
  const std::vector<std::string_view> ping{"PING"};
  EXPECT_EQ(command_bytes{std::span{ping}}.bytes(), "*1\r\n$4\r\nPING\r\n");
  command_bytes appended;
  appended.append("INCRBY").append("k").append(std::int64_t{-17}).append(INT64_MIN);
  EXPECT_EQ(appended.bytes(), "*4\r\n$6\r\nINCRBY\r\n$1\r\nk\r\n$3\r\n-17\r\n$20\r\n-9223372036854775808\r\n");
  EXPECT_EQ(appended.arguments(), 4U);
}

TEST(CommandBytes, IsEmptyBeforeItsFirstArgument) {
  command_bytes none;
  EXPECT_EQ(none.bytes(), "");
  EXPECT_EQ(none.arguments(), 0U);
  EXPECT_EQ(command_bytes(std::span<const std::string_view>{}).bytes(), "");
  EXPECT_EQ(std::move(none).clone().bytes(), "");
}

TEST(CommandBytes, IsCompleteAfterEveryArgumentAndTheHeaderGrowsInPlace) {
  command_bytes command;
  std::string body;
  for (int i = 1; i <= 1200; ++i) {
    const std::string argument(static_cast<std::size_t>(i % 130), 'x');
    command.append(argument);
    body += "$" + std::to_string(argument.size()) + "\r\n" + argument + "\r\n";
    ASSERT_EQ(command.bytes(), "*" + std::to_string(i) + "\r\n" + body);
  }
  EXPECT_EQ(command.argument(0), "x");
  EXPECT_EQ(command.argument(129), "");
  EXPECT_EQ(command.argument(1199), std::string(1200 % 130, 'x'));
}

TEST(CommandBytes, ShortOnesLieInTheObject) {
  EXPECT_TRUE(is_inline(command_bytes{"GET", "user:12345678"}));
  // 13 bytes for the header, "$92", two CR LF.
  EXPECT_TRUE(is_inline(command_bytes{std::string(command_bytes::inline_size - 13 - 7, 'x')}));
  EXPECT_FALSE(is_inline(command_bytes{std::string(command_bytes::inline_size - 13 - 6, 'x')}));
}

TEST(CommandBytes, MovesLeaveTheSourceEmptyAndUsable) {
  for (const std::size_t size : {5U, 5000U}) {
    const std::string argument(size, 'a');
    command_bytes first{"SET", argument};
    const std::string bytes{first.bytes()};
    command_bytes second{std::move(first)};
    EXPECT_EQ(second.bytes(), bytes);
    EXPECT_EQ(second.arguments(), 2U);
    EXPECT_EQ(first.bytes(), "");
    first.append("PING");
    EXPECT_EQ(first.bytes(), "*1\r\n$4\r\nPING\r\n");
    first = std::move(second);
    EXPECT_EQ(first.bytes(), bytes);
    EXPECT_EQ(second.arguments(), 0U);
    auto& same = first;
    first = std::move(same);
    EXPECT_EQ(first.bytes(), bytes);
    EXPECT_EQ(first.argument(1), argument);
  }
}

TEST(CommandBytes, ClonesAreIndependent) {
  for (const std::size_t size : {5U, 5000U}) {
    command_bytes command{"SET", std::string(size, 'a')};
    command_bytes copy = command.clone();
    EXPECT_EQ(copy.bytes(), command.bytes());
    copy.append("NX");
    EXPECT_EQ(command.arguments(), 2U);
    EXPECT_EQ(copy.arguments(), 3U);
    EXPECT_EQ(copy.argument(2), "NX");
    EXPECT_EQ(copy.argument(1), command.argument(1));
  }
}

TEST(CommandBytes, EncodedCommandsFollowAndDoNotCount) {
  command_bytes transaction{"MULTI"};
  transaction.append_encoded(command_bytes{"INCR", "a"}.bytes()).append_encoded(command_bytes{"EXEC"}.bytes());
  EXPECT_EQ(transaction.bytes(), "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n");
  EXPECT_EQ(transaction.arguments(), 1U);
  command_bytes only;
  only.append_encoded("*1\r\n$4\r\nPING\r\n").append_encoded("");
  EXPECT_EQ(only.bytes(), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(only.arguments(), 0U);
}

TEST(CommandBytes, ReservedRoomIsNotMovedOutOf) {
  command_bytes command{"MSET"};
  command.reserve(100 * 10, 100);
  const char* const before = command.bytes().data();
  for (int i = 0; i != 8; ++i) command.append("0123456789");
  EXPECT_EQ(command.bytes().data(), before);
  for (int i = 0; i != 92; ++i) command.append("0123456789");
  // Two digits more in the header.
  EXPECT_EQ(command.bytes().data(), before - 2);
  EXPECT_EQ(command.argument(100), "0123456789");
  command.reserve(static_cast<std::size_t>(-1), static_cast<std::size_t>(-1));
  EXPECT_EQ(command.arguments(), 101U);
}

TEST(CommandBytes, WhatWouldExceedOneGibibyteIsDroppedForGood) {
  // Never read: the size alone decides.
  static const char none = 0;
  const std::string_view huge{&none, command_bytes::max_size};
  command_bytes command{"SET", "k"};
  const std::string before{command.bytes()};
  command.append(huge);
  EXPECT_TRUE(command.too_large());
  command.append("small");
  EXPECT_EQ(command.bytes(), before);
  EXPECT_EQ(command.arguments(), 2U);
  EXPECT_TRUE(command.clone().too_large());
  command_bytes moved{std::move(command)};
  EXPECT_TRUE(moved.too_large());
  EXPECT_FALSE(command.too_large());

  EXPECT_TRUE(command_bytes{}.append_encoded(huge).too_large());
  const std::array<std::string_view, 3> sum{huge.substr(0, 1 << 29), huge.substr(0, 1 << 29), "x"};
  EXPECT_TRUE(command_bytes{std::span<const std::string_view>{sum}}.too_large());
  EXPECT_TRUE((command_bytes{"SET", std::string_view{&none, static_cast<std::size_t>(-1)}}.too_large()));
}

}  // namespace
}  // namespace seawall::resp

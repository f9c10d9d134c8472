#include "seawall/base/codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

namespace seawall {
namespace {

template <class T>
std::string written(const T& value) {
  std::string scratch;
  return std::string{encode(value, scratch)};
}

template <class T>
std::string why_not(std::string_view bytes) {
  const result<T> given = codec<T>::decode(bytes);
  EXPECT_FALSE(given);
  return given ? "" : given.error().message();
}

TEST(Codec, WritesTextAndNumbersAsTheyRead) {
  EXPECT_EQ(written(std::string{"a\0b", 3}), (std::string{"a\0b", 3}));
  EXPECT_EQ(written(std::string_view{"text"}), "text");
  EXPECT_EQ(written(std::vector{std::byte{0}, std::byte{255}}), (std::string{"\0\xff", 2}));
  EXPECT_EQ(written(std::int8_t{-128}), "-128");
  EXPECT_EQ(written(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(written(true), "1");
  EXPECT_EQ(written(false), "0");
}

TEST(Codec, RefusesWhatItDidNotWrite) {
  EXPECT_EQ(why_not<int>("12x"), "cannot read 3 bytes as int32_t: \"12x\"");
  EXPECT_EQ(why_not<int>(""), "cannot read 0 bytes as int32_t: \"\"");
  EXPECT_EQ(why_not<std::uint16_t>("65536"), "cannot read 5 bytes as uint16_t: \"65536\"");
  EXPECT_EQ(why_not<std::uint8_t>("-1"), "cannot read 2 bytes as uint8_t: \"-1\"");
  EXPECT_EQ(why_not<std::int64_t>(" 1"), "cannot read 2 bytes as int64_t: \" 1\"");
  EXPECT_EQ(why_not<double>("1.5.5"), "cannot read 5 bytes as double: \"1.5.5\"");
  EXPECT_EQ(why_not<float>("\n\xff"), "cannot read 2 bytes as float: \"\\x0a\\xff\"");
  EXPECT_EQ(why_not<bool>("true"), "cannot read 4 bytes as bool: \"true\"");
  EXPECT_EQ(why_not<int>(std::string(40, 'x')), "cannot read 40 bytes as int32_t: \"" + std::string(32, 'x') + "\"...");
  EXPECT_EQ(codec<int>::decode("x").error(), errc::undecodable);
}

RC_GTEST_PROP(Codec, ReadsWhatItWrote, (std::int64_t a, std::uint32_t b, double c, const std::string& d, bool e)) {
  RC_ASSERT(codec<std::int64_t>::decode(written(a)).value() == a);
  RC_ASSERT(codec<std::uint32_t>::decode(written(b)).value() == b);
  RC_ASSERT(codec<double>::decode(written(c)).value() == c);
  RC_ASSERT(codec<std::string>::decode(written(d)).value() == d);
  RC_ASSERT(codec<bool>::decode(written(e)).value() == e);
}

enum class colour { red };
static_assert(!encodable<colour> && !decodable<colour> && !encodable<char> && !decodable<std::string_view>);

}  // namespace
}  // namespace seawall

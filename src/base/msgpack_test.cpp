#include "seawall/msgpack.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test_document.hpp"

namespace seawall::documents {
namespace {

struct photo {
  std::uint16_t id = 0;
  std::vector<std::byte> pixels;
  std::optional<float> scale;
  money price;
  friend bool operator==(const photo&, const photo&) = default;
};
BOOST_DESCRIBE_STRUCT(photo, (), (id, pixels, scale, price))

template <class T>
std::string packed(const T& value) {
  return written<msgpack_codec<T>>(value);
}

/// Bytes of a literal, zeros included.
template <std::size_t N>
std::string raw(const char (&literal)[N]) {
  return {literal, N - 1};
}

template <class T>
T unpacked(std::string_view bytes) {
  auto given = msgpack_codec<T>::decode(bytes);
  EXPECT_TRUE(given) << given.error().message();
  return given ? *std::move(given) : T{};
}

TEST(MessagePack, WritesIntegersInTheirShortestForm) {
  struct {
    std::int64_t value;
    std::string bytes;
  } const cases[] = {
      {0, raw("\x00")},
      {127, raw("\x7f")},
      {128, raw("\xcc\x80")},
      {255, raw("\xcc\xff")},
      {256, raw("\xcd\x01\x00")},
      {65535, raw("\xcd\xff\xff")},
      {65536, raw("\xce\x00\x01\x00\x00")},
      {4294967295, raw("\xce\xff\xff\xff\xff")},
      {4294967296, raw("\xcf\x00\x00\x00\x01\x00\x00\x00\x00")},
      {-1, raw("\xff")},
      {-32, raw("\xe0")},
      {-33, raw("\xd0\xdf")},
      {-128, raw("\xd0\x80")},
      {-129, raw("\xd1\xff\x7f")},
      {-32768, raw("\xd1\x80\x00")},
      {-32769, raw("\xd2\xff\xff\x7f\xff")},
      {-2147483648, raw("\xd2\x80\x00\x00\x00")},
      {-2147483649, raw("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff")},
  };
  for (const auto& [value, bytes] : cases) {
    EXPECT_EQ(packed(value), bytes) << value;
    EXPECT_EQ(unpacked<std::int64_t>(bytes), value);
  }
  EXPECT_EQ(packed(std::numeric_limits<std::uint64_t>::max()), raw("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(MessagePack, WritesSizesInTheirShortestForm) {
  const auto begins = [](const auto& value, const std::string& bytes) {
    EXPECT_TRUE(packed(value).starts_with(bytes)) << value.size();
    EXPECT_EQ(unpacked<std::remove_cvref_t<decltype(value)>>(packed(value)), value);
  };
  begins(std::string(31, 'x'), raw("\xbfx"));
  begins(std::string(32, 'x'), raw("\xd9\x20x"));
  begins(std::string(255, 'x'), raw("\xd9\xffx"));
  begins(std::string(256, 'x'), raw("\xda\x01\x00x"));
  begins(std::string(65536, 'x'), raw("\xdb\x00\x01\x00\x00x"));
  begins(std::vector<std::byte>(1), raw("\xc4\x01\x00"));
  begins(std::vector<std::byte>(256), raw("\xc5\x01\x00\x00"));
  begins(std::vector<std::byte>(65536), raw("\xc6\x00\x01\x00\x00\x00"));
  begins(std::vector<int>(15, 7), raw("\x9f\x07"));
  begins(std::vector<int>(16, 7), raw("\xdc\x00\x10\x07"));
  begins(std::vector<int>(65536, 7), raw("\xdd\x00\x01\x00\x00\x07"));
  begins(std::map<std::string, int>{{"a", 1}}, raw("\x81\xa1" "a\x01"));
  std::map<std::string, int> many;
  for (int i = 0; i < 65536; ++i) {
    many.emplace(std::to_string(i), i);
    if (i == 15) begins(many, raw("\xde\x00\x10\xa1" "0"));
  }
  begins(many, raw("\xdf\x00\x01\x00\x00\xa1" "0"));
}

TEST(MessagePack, WritesStructsAsMaps) {
  const photo small{1, {std::byte{0xff}}, {}, {5}};
  EXPECT_EQ(packed(small), raw("\x83\xa2id\x01\xa6pixels\xc4\x01\xff\xa5price\xc4\x01" "5"));
  EXPECT_EQ(unpacked<photo>(packed(small)), small);
  EXPECT_EQ(packed(1.5f), raw("\xca\x3f\xc0\x00\x00"));
  EXPECT_EQ(packed(-1.5), raw("\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00"));
  EXPECT_EQ(packed(std::vector<std::optional<bool>>{true, std::nullopt, false}), raw("\x93\xc3\xc0\xc2"));
  EXPECT_EQ(packed(colour::red), raw("\xa3red"));
}

TEST(MessagePack, ReadsWhatOthersWrite) {
  EXPECT_EQ(unpacked<std::uint8_t>(raw("\xd3\x00\x00\x00\x00\x00\x00\x00\x05")), 5);
  EXPECT_EQ(unpacked<std::int8_t>(raw("\xcf\x00\x00\x00\x00\x00\x00\x00\x05")), 5);
  EXPECT_EQ(unpacked<double>(raw("\x05")), 5.0);
  EXPECT_EQ(unpacked<float>(raw("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a")), 0.1f);
  EXPECT_TRUE(std::isnan(unpacked<double>(raw("\xca\x7f\xc0\x00\x00"))));
  // Unknown members, keys that are no text, all extension types.
  const auto read = unpacked<photo>(
      raw("\xde\x00\x0c\x01\x02\xa1x\x91\x81\xa1y\xc0\xa1" "a\xd4\x01z\xa1" "b\xd5\x01zz\xa1" "c\xd6\x01zzzz"
          "\xa1" "d\xd7\x01zzzzzzzz\xa1" "e\xd8\x01zzzzzzzzzzzzzzzz\xa1" "f\xc7\x03\xffzzz\xa1gs"
          "\xa2id\x09\xa6pixels\xc4\x00\xa5price\xa1" "7"));
  EXPECT_EQ(read, (photo{9, {}, {}, {7}}));
}

TEST(MessagePack, SaysWhatIsWrongWhere) {
  struct {
    std::string bytes;
    std::string why;
  } const cases[] = {
      {"", "cannot read photo as MessagePack: ends early, after 0 bytes"},
      {raw("\x81\xa2i"), "cannot read photo as MessagePack: ends early, after 3 bytes"},
      {raw("\xdf\xff\xff\xff\xff\xc0"), "cannot read photo as MessagePack: ends early, after 6 bytes"},
      {raw("\xc6\xff\xff\xff\xff"), "cannot read photo as MessagePack: ends early, after 5 bytes"},
      {raw("\xc9\xff\xff\xff\xff\x01"), "cannot read photo as MessagePack: ends early, after 6 bytes"},
      {raw("\xcd\x01"), "cannot read photo as MessagePack: ends early, after 2 bytes"},
      {raw("\x91\xc1"), "cannot read photo as MessagePack: 0xc1 at byte 1 begins no value"},
      {raw("\x80\x80\x80"), "cannot read photo as MessagePack: 2 more bytes after the value"},
      {raw("\xc0"), "cannot read photo: found null"},
      {raw("\xc4\x02zz"), "cannot read photo: found 2 bytes"},
      {raw("\xd4\x01z"), "cannot read photo: found an extension type"},
      {raw("\x80"), "cannot read photo.id: it is missing"},
      {raw("\x81\xa2id\x01"), "cannot read photo.pixels: it is missing"},
      {raw("\x81\xa2id\xff"), "cannot read photo.id as uint16_t: found -1"},
      {raw("\x81\xa2id\xce\x00\x01\x00\x00"), "cannot read photo.id as uint16_t: found 65536"},
      {raw("\x81\xa2id\xca\x3f\xc0\x00\x00"), "cannot read photo.id as uint16_t: found 1.5"},
      {raw("\x81\xa6pixels\xa1x"), "cannot read photo.pixels as bytes: found \"x\""},
      {raw("\x81\xa5scale\xc3"), "cannot read photo.scale as float: found true"},
      {raw("\x81\xa5scale\xa3NaN"), "cannot read photo.scale as float: found \"NaN\""},
      {raw("\x81\xa5scale\xcb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"), "cannot read photo.scale as float: found 1e+300"},
      {raw("\x81\xa5price\x01"), "cannot read photo.price as money: found 1"},
  };
  for (const auto& [bytes, why] : cases) EXPECT_EQ(why_not<msgpack_codec<photo>>(bytes), why);
  EXPECT_EQ(why_not<msgpack_codec<std::string>>(raw("\xc4\x01x")), "cannot read text: found 1 bytes");
  EXPECT_EQ((why_not<msgpack_codec<std::map<std::string, int>>>(raw("\x81\x01\x02"))),
            "cannot read map: a key is not text");
  EXPECT_EQ(why_not<msgpack_codec<std::int64_t>>(raw("\xcf\x80\x00\x00\x00\x00\x00\x00\x00")),
            "cannot read int64_t: found 9223372036854775808");
}

TEST(MessagePack, NestsSoDeepAndNoDeeper) {
  const std::string deepest = std::string(31, '\x91') + '\x90';
  EXPECT_EQ(why_not<msgpack_codec<bool>>(deepest), "cannot read bool: found an array of 1");
  EXPECT_EQ(why_not<msgpack_codec<bool>>('\x91' + deepest), "cannot read bool as MessagePack: nested deeper than 32");
  EXPECT_EQ(why_not<msgpack_codec<bool>>(std::string(1'000'000, '\x91')),
            "cannot read bool as MessagePack: nested deeper than 32");
  node chain;
  for (int i = 1; i < 16; ++i) chain = node{{chain}};
  EXPECT_EQ(unpacked<node>(packed(chain)), chain);
  EXPECT_THROW(packed(node{{chain}}), std::length_error);
}

RC_GTEST_PROP(MessagePack, ReadsBackEverything, ()) {
  const everything value = any_of_everything();
  const auto read = msgpack_codec<everything>::decode(packed(value));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == value);
}

RC_GTEST_PROP(MessagePack, SurvivesDamage, ()) {
  std::string bytes = packed(any_of_everything());
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
    const std::size_t at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const char with = *rc::gen::arbitrary<char>();
    if (*rc::gen::arbitrary<bool>()) bytes[at] = with;
    else bytes.insert(at, 1, with);
  }
  bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
  const std::vector<char> exact(bytes.begin(), bytes.end());  // no byte behind it, for the address sanitizer
  const auto read = msgpack_codec<everything>::decode({exact.data(), exact.size()});
  if (!read) RC_ASSERT(read.error() == errc::undecodable);
  else RC_ASSERT(msgpack_codec<everything>::decode(packed(*read)).has_value());
}

RC_GTEST_PROP(MessagePack, ReadsAnyBytesAsSomethingOrNothing, (const std::vector<char>& bytes)) {
  const auto read = msgpack_codec<std::vector<std::optional<int>>>::decode({bytes.data(), bytes.size()});
  if (!read) RC_ASSERT(read.error() == errc::undecodable);
  else RC_ASSERT(msgpack_codec<std::vector<std::optional<int>>>::decode(packed(*read)).value() == *read);
}

}  // namespace
}  // namespace seawall::documents

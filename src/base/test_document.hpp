// A struct with a member of every kind, and generated ones, for the tests of json_codec and msgpack_codec.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/describe/operators.hpp>
#include <rapidcheck/gtest.h>

#include "seawall/json.hpp"
#include "seawall/msgpack.hpp"

namespace seawall::documents {

using boost::describe::operators::operator==;

BOOST_DEFINE_ENUM_CLASS(colour, red, green, blue)

/// A type with a codec of its own.
struct money {
  std::int64_t cents = 0;
  friend bool operator==(const money&, const money&) = default;
};

struct address {
  std::string street;
  std::uint32_t zip = 0;
};
BOOST_DESCRIBE_STRUCT(address, (), (street, zip))

/// What plain JSON of other libraries can hold: no text of any bytes, no absent members, no reals.
struct plain {
  std::string name;
  bool flag = false;
  std::int8_t small = 0;
  std::int64_t large = 0;
  std::uint64_t huge = 0;
  colour paint = colour::red;
  address home;
  std::vector<address> others;
  std::map<std::string, std::vector<int>> scores;
};
BOOST_DESCRIBE_STRUCT(plain, (), (name, flag, small, large, huge, paint, home, others, scores))

struct everything : plain {
  float single_real = 0;
  double real = 0;
  std::optional<int> perhaps;
  std::optional<address> perhaps_home;
  std::vector<std::optional<bool>> gaps;
  std::vector<bool> bits;
  std::deque<double> reals;
  std::set<int> ordered;
  std::unordered_map<std::string, colour> paints;
  std::array<std::uint16_t, 3> triple{};
  std::pair<std::string, int> pair;
  std::tuple<int, std::string, bool> tuple;
  std::chrono::milliseconds wait{};
  std::chrono::sys_time<std::chrono::microseconds> at{};
  money price;
};
BOOST_DESCRIBE_STRUCT(everything, (plain),
                      (single_real, real, perhaps, perhaps_home, gaps, bits, reals, ordered, paints, triple, pair,
                       tuple, wait, at, price))

struct node {
  std::vector<node> children;
};
BOOST_DESCRIBE_STRUCT(node, (), (children))

}  // namespace seawall::documents

template <>
struct seawall::codec<seawall::documents::money> {
  static constexpr std::uint32_t schema = 7;
  static void encode(const documents::money& value, std::string& out) { codec<std::int64_t>::encode(value.cents, out); }
  static result<documents::money> decode(std::string_view bytes) {
    const auto cents = codec<std::int64_t>::decode(bytes);
    if (!cents) return undecodable("money", bytes);
    return documents::money{*cents};
  }
};

namespace seawall::documents {

/// Of any bits, but NaN, which equals nothing.
inline double any_real() {
  const double value = std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
  return value == value ? value : -0.0;
}

inline std::int64_t any_integer() {
  using limits = std::numeric_limits<std::int64_t>;
  return *rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange<std::int64_t>(-300, 300),
                         rc::gen::element(limits::min(), limits::max(), std::int64_t{1} << 31, std::int64_t{1} << 53));
}

inline std::string any_text() { return *rc::gen::string<std::string>(); }

inline std::string any_ascii() {
  return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
}

inline address any_address(const std::string& street) { return {street, *rc::gen::arbitrary<std::uint32_t>()}; }

inline void fill(plain& out, std::string (*text)()) {
  out.name = text();
  out.flag = *rc::gen::arbitrary<bool>();
  out.small = *rc::gen::arbitrary<std::int8_t>();
  out.large = any_integer();
  out.huge = static_cast<std::uint64_t>(any_integer());
  out.paint = *rc::gen::element(colour::red, colour::green, colour::blue);
  out.home = any_address(text());
  for (int i = *rc::gen::inRange(0, 20); i > 0; --i) out.others.push_back(any_address(text()));
  for (int i = *rc::gen::inRange(0, 20); i > 0; --i) out.scores[text()] = *rc::gen::arbitrary<std::vector<int>>();
}

inline everything any_of_everything() {
  everything out;
  fill(out, &any_text);
  out.real = any_real();
  out.single_real = static_cast<float>(any_real());
  if (*rc::gen::arbitrary<bool>()) out.perhaps = *rc::gen::arbitrary<int>();
  if (*rc::gen::arbitrary<bool>()) out.perhaps_home = any_address(any_text());
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    out.gaps.push_back(*rc::gen::element(std::optional<bool>{}, std::optional{true}, std::optional{false}));
  }
  out.bits = *rc::gen::arbitrary<std::vector<bool>>();
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) out.reals.push_back(any_real());
  out.ordered = *rc::gen::arbitrary<std::set<int>>();
  out.paints[any_text()] = colour::blue;
  out.triple = *rc::gen::arbitrary<std::array<std::uint16_t, 3>>();
  out.pair = {any_text(), *rc::gen::arbitrary<int>()};
  out.tuple = {*rc::gen::arbitrary<int>(), any_text(), *rc::gen::arbitrary<bool>()};
  out.wait = std::chrono::milliseconds{any_integer()};
  out.at = std::chrono::sys_time<std::chrono::microseconds>{std::chrono::microseconds{any_integer()}};
  out.price = money{any_integer()};
  return out;
}

template <class Codec, class T>
std::string written(const T& value) {
  std::string out;
  Codec::encode(value, out);
  return out;
}

/// The message of bytes that are no T.
template <class Codec>
std::string why_not(std::string_view bytes) {
  const auto given = Codec::decode(bytes);
  if (given) return "decoded";
  return given.error() == errc::undecodable ? given.error().message() : "another code";
}

}  // namespace seawall::documents

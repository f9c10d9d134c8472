#include "seawall/base/params.hpp"

#include <boost/describe/class.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace {

using namespace std::chrono_literals;
using seawall::params;

struct town {
  std::string city;
  int code = 0;
};
BOOST_DESCRIBE_STRUCT(town, (), (city, code))

enum class order : short { up = 1, down = -1 };

}  // namespace

namespace shop {

struct filter {
  int low = 0, high = 0;
};
seawall::params seawall_params(const filter& f) { return params().add("low", f.low).add("high", f.high); }

}  // namespace shop

namespace {

template <class T>
std::string hex(const T& value) {
  return params().add("x", value).digest().hex();
}

// The expected digests were computed by an independent encoder (Python, with the hash from libxxhash). They must never
// change: entries in shared tiers are found by them.
TEST(params_golden, of_documented_examples) {
  EXPECT_EQ(params().digest().hex(), "fa3f5392c40387fb428516d12156e7b6");
  EXPECT_EQ(params().add("page", 2).digest().hex(), "f592a9c11b1d134ecfd519bebfbbe6a9");
  EXPECT_EQ(params()
                .add("page", 2)
                .add("sort", "price")
                .add("tags", std::vector<std::string>{"a", "b"})
                .add("from", std::optional<int>{})
                .digest()
                .hex(),
            "a8be2d0627abd49ea9538ac0883e5cff");
}

TEST(params_golden, of_a_name_added_twice) {
  EXPECT_EQ(params().add("tag", "a").add("tag", "b").digest().hex(), "41d429f6358e489a373c4e5fb64920bc");
}

TEST(params_golden, of_every_type) {
  const params every = params()
                           .add("absent", std::nullopt)
                           .add("bool", true)
                           .add("min", std::numeric_limits<std::int64_t>::min())
                           .add("max", std::numeric_limits<std::uint64_t>::max())
                           .add("double", -2.5)
                           .add("text", std::string_view("\xc3\xa9\0", 3))
                           .add("list", std::array{1, -1})
                           .add("tuple", std::pair(1, "x"))
                           .add("set", std::set{3, 1})
                           .add("map", std::map<std::string, int>{{"k", 1}, {"j", 2}})
                           .add("period", 1500ms)
                           .add("at", std::chrono::sys_seconds(-1s))
                           .add("object", town{"Rome", 7});
  EXPECT_EQ(every.canonical().size(), 431u);
  EXPECT_EQ(every.digest().hex(), "2442b6ce25298417653d65bbc642920b");
}

TEST(params_test, order_of_adding_does_not_matter) {
  EXPECT_EQ(params().add("a", 1).add("b", 2).digest(), params().add("b", 2).add("a", 1).digest());
  EXPECT_NE(params().add("a", 1).add("b", 2).digest(), params().add("a", 2).add("b", 1).digest());
}

TEST(params_test, a_name_added_twice_keeps_both_values_in_order) {
  const auto both = params().add("tag", "a").add("tag", "b").digest();
  EXPECT_NE(both, params().add("tag", "a").digest());
  EXPECT_NE(both, params().add("tag", "b").digest());
  EXPECT_NE(both, params().add("tag", "b").add("tag", "a").digest());
  EXPECT_EQ(params().add("tag", "a").add("tag", "b").add("z", 1).digest(),
            params().add("tag", "a").add("z", 1).add("tag", "b").digest());
}

TEST(params_test, add_changes_an_object_and_extends_a_temporary) {
  params query;
  query.add("a", 1);
  query.add("b", 2).add("c", std::nullopt);
  EXPECT_EQ(query.size(), 3u);
  EXPECT_EQ(query.digest(), params().add("a", 1).add("b", 2).add("c", std::nullopt).digest());
}

TEST(params_test, integers_agree_by_value) {
  EXPECT_EQ(hex(1), hex(std::int64_t{1}));
  EXPECT_EQ(hex(1), hex(std::uint8_t{1}));
  EXPECT_EQ(hex(-1), hex(std::int8_t{-1}));
  EXPECT_NE(hex(-1), hex(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_NE(hex(-1), hex(1));
  EXPECT_EQ(hex(order::down), hex(-1));
}

TEST(params_test, types_differ) {
  const std::vector<std::string> all{
      hex(0),   hex(1),     hex(0.0),   hex(1.0),           hex(""),           hex("1"),         hex(std::nullopt),
      hex(0ns), hex(false), hex(true),  hex("true"),        hex(params()),     hex(std::set{1}), hex(std::vector{1}),
      hex(1ns), hex("0"),   hex("0.0"), hex(std::tuple{1}), params().digest().hex()};
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

TEST(params_test, doubles_are_canonical) {
  EXPECT_EQ(hex(0.0), hex(-0.0));
  EXPECT_EQ(hex(0.5F), hex(0.5));
  EXPECT_EQ(hex(std::numeric_limits<double>::quiet_NaN()), hex(-std::numeric_limits<float>::signaling_NaN()));
  EXPECT_NE(hex(std::numeric_limits<double>::infinity()), hex(-std::numeric_limits<double>::infinity()));
  EXPECT_NE(hex(0.1), hex(0.1F));
}

TEST(params_test, absence_is_one_thing_and_not_emptiness) {
  EXPECT_EQ(hex(std::nullopt), hex(std::optional<std::string>{}));
  EXPECT_EQ(hex(std::nullopt), hex(static_cast<const char*>(nullptr)));
  EXPECT_EQ(hex(std::nullopt), hex(std::variant<std::monostate, int>{}));
  EXPECT_NE(hex(std::nullopt), hex(""));
  EXPECT_NE(hex(std::nullopt), params().digest().hex());
  EXPECT_EQ(hex(std::optional(2)), hex(2));
  EXPECT_EQ(hex(std::variant<std::monostate, int>(2)), hex(2));
}

TEST(params_test, texts_of_all_types_agree_and_lists_keep_their_borders) {
  EXPECT_EQ(hex("ab"), hex(std::string("ab")));
  EXPECT_EQ(hex("ab"), hex(std::string_view("ab")));
  using list = std::vector<std::string>;
  EXPECT_NE(hex(list{"a", "b"}), hex(list{"ab"}));
  EXPECT_NE(hex(list{"a", "b"}), hex(list{"b", "a"}));
  EXPECT_NE(hex(list{}), hex(list{""}));
  EXPECT_NE(hex(std::vector<list>{{"a"}, {"b"}}), hex(std::vector<list>{{"a", "b"}}));
}

TEST(params_test, containers_agree_by_content) {
  const std::vector<int> numbers{3, 1, 2};
  EXPECT_EQ(hex(numbers), hex(std::array{3, 1, 2}));
  EXPECT_EQ(hex(numbers), hex(std::span(numbers)));
  EXPECT_EQ(hex(numbers), hex(std::list{3, 1, 2}));
  EXPECT_EQ(hex(numbers), hex(std::deque<long>{3, 1, 2}));
  EXPECT_EQ(hex(std::vector{true, false}), hex(std::array{true, false}));
  EXPECT_EQ(hex(std::set{1, 2, 3}), hex(std::unordered_set{3, 2, 1}));
  EXPECT_EQ(hex(std::set{1, 2, 3}), hex(std::set<int, std::greater<>>{3, 2, 1}));
  EXPECT_EQ(hex(std::map<int, int>{{1, 1}, {2, 2}}), hex(std::map<int, int, std::greater<>>{{1, 1}, {2, 2}}));
  EXPECT_EQ(hex(std::map<std::string, int>{{"a", 1}, {"b", 2}}),
            hex(std::unordered_map<std::string, int>{{"b", 2}, {"a", 1}}));
  EXPECT_NE(hex(std::map<std::string, int>{{"a", 1}}), hex(std::map<std::string, int>{{"a", 2}}));
}

TEST(params_test, times_agree_whatever_their_unit) {
  using namespace std::chrono;
  EXPECT_EQ(hex(1min), hex(60s));
  EXPECT_EQ(hex(1ms), hex(1'000'000ns));
  EXPECT_NE(hex(1ns), hex(2ns));
  EXPECT_NE(hex(-1ns), hex(1ns));
  EXPECT_EQ(hex(sys_days(2024y / January / 1)), hex(sys_time<milliseconds>(sys_days(2024y / January / 1))));
  EXPECT_NE(hex(sys_seconds(60s)), hex(60s));
  EXPECT_NO_THROW(hex(years(200'000)));
}

TEST(params_test, structs_by_description_or_hook) {
  EXPECT_EQ(hex(town{"Rome", 7}), hex(params().add("code", 7).add("city", "Rome")));
  EXPECT_EQ(hex(shop::filter{1, 9}), hex(params().add("high", 9).add("low", 1)));
  EXPECT_EQ(hex(std::vector{shop::filter{1, 9}}), hex(std::vector{params().add("low", 1).add("high", 9)}));
}

using pairs = std::vector<std::pair<std::string, std::string>>;

params of(const pairs& list) {
  params result;
  for (const auto& [name, value] : list) result.add(name, value);
  return result;
}

/// The meaning of a list: the values of every name, in the order of adding.
std::map<std::string, std::vector<std::string>> meaning(const pairs& list) {
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& [name, value] : list) result[name].push_back(value);
  return result;
}

rc::Gen<std::string> awkward_text() {
  using rc::gen::arbitrary;
  const auto bytes = rc::gen::element('\0', '\1', 's', 'a');
  return rc::gen::oneOf(arbitrary<std::string>(), rc::gen::container<std::string>(bytes));
}

rc::Gen<pairs> awkward_pairs() { return rc::gen::container<pairs>(rc::gen::pair(awkward_text(), awkward_text())); }

RC_GTEST_PROP(params_property, the_encoding_is_injective, ()) {
  const pairs a = *awkward_pairs();
  const pairs b = *awkward_pairs();
  RC_ASSERT((of(a).canonical() == of(b).canonical()) == (meaning(a) == meaning(b)));
  RC_ASSERT((of(a).digest() == of(b).digest()) == (meaning(a) == meaning(b)));
}

RC_GTEST_PROP(params_property, any_order_of_different_names_agrees, (const std::map<std::string, int>& named)) {
  params forward, backward;
  for (auto it = named.begin(); it != named.end(); ++it) forward.add(it->first, it->second);
  for (auto it = named.rbegin(); it != named.rend(); ++it) backward.add(it->first, it->second);
  RC_ASSERT(forward.canonical() == backward.canonical());
}

using nested = std::vector<std::variant<std::monostate, bool, int, std::string, std::vector<std::string>>>;

RC_GTEST_PROP(params_property, nested_lists_are_injective, ()) {
  const auto element = rc::gen::oneOf(
      rc::gen::construct<nested::value_type>(rc::gen::arbitrary<bool>()),
      rc::gen::construct<nested::value_type>(rc::gen::inRange(-1, 2)),
      rc::gen::construct<nested::value_type>(awkward_text()),
      rc::gen::construct<nested::value_type>(rc::gen::container<std::vector<std::string>>(awkward_text())));
  const nested a = *rc::gen::container<nested>(element);
  const nested b = *rc::gen::container<nested>(element);
  RC_ASSERT((params().add("x", a).canonical() == params().add("x", b).canonical()) == (a == b));
}

}  // namespace

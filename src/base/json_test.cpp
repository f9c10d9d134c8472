#include "seawall/json.hpp"

#include <bit>
#include <cmath>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "test_document.hpp"

namespace seawall::documents {
namespace {

struct user {
  std::string name;
  std::uint8_t age = 0;
  std::optional<std::string> mail;
  std::vector<address> homes;
};
BOOST_DESCRIBE_STRUCT(user, (), (name, age, mail, homes))

class secret {
 public:
  secret() = default;
  explicit secret(int value) : value_(value) {}
  int value() const { return value_; }

 private:
  int value_ = 0;
  BOOST_DESCRIBE_CLASS(secret, (), (), (), (value_))
};

struct palette {
  colour paint = colour::red;
  std::map<std::string, double> weights;
  std::array<int, 2> pair{};
  money price;
};
BOOST_DESCRIBE_STRUCT(palette, (), (paint, weights, pair, price))

template <class T>
std::string json(const T& value) {
  return written<json_codec<T>>(value);
}

template <class T>
T parsed(std::string_view text) {
  auto given = json_codec<T>::decode(text);
  EXPECT_TRUE(given) << text << ": " << given.error().message();
  return given ? *std::move(given) : T{};
}

TEST(Json, WritesMembersByName) {
  EXPECT_EQ(json(user{"Ada", 36, {}, {}}), R"({"name":"Ada","age":36,"homes":[]})");
  EXPECT_EQ(json(user{"\"\\\n\x01\xc3\xa9", 0, "m", {{"s", 1}, {"t", 2}}}),
            "{\"name\":\"\\\"\\\\\\n\\u0001\xc3\xa9\",\"age\":0,\"mail\":\"m\","
            R"("homes":[{"street":"s","zip":1},{"street":"t","zip":2}]})");
  EXPECT_EQ(json(palette{colour::blue, {{"a", 0.1}, {"b", -INFINITY}}, {1, -2}, {250}}),
            R"({"paint":"blue","weights":{"a":0.1,"b":"-Infinity"},"pair":[1,-2],"price":"250"})");
  EXPECT_EQ(json(secret{3}), R"({"value_":3})");
  EXPECT_EQ(json(std::vector<std::optional<bool>>{true, std::nullopt, false}), "[true,null,false]");
  EXPECT_EQ(json(std::chrono::sys_seconds{std::chrono::seconds{-5}}), "-5");
}

TEST(Json, ReadsWhatOthersWrite) {
  const auto ada = parsed<user>(" { \"age\" : 3, \"new\":[{\"x\":[1,{}]},null], \"homes\":[], \"age\":36,\r\n"
                                "\"mail\":null,\"name\":\"\\u0041\\ud83d\\ude00da\" } ");
  EXPECT_EQ(ada.name, "A\xf0\x9f\x98\x80" "da");
  EXPECT_EQ(ada.age, 36);
  EXPECT_EQ(ada.mail, std::nullopt);
  EXPECT_EQ(parsed<double>("5"), 5.0);
  EXPECT_EQ(parsed<double>("1E2"), 100.0);
  EXPECT_EQ(parsed<double>("9007199254740993.5"), 9007199254740994.0);
  EXPECT_TRUE(std::isnan(parsed<double>("\"NaN\"")));
  EXPECT_TRUE(std::signbit(parsed<double>("-0")));
  EXPECT_EQ(parsed<float>("0.1"), 0.1f);
  EXPECT_EQ(parsed<secret>(R"({"value_":3})").value(), 3);
  EXPECT_EQ(parsed<std::string>("\"\xff\\n\xfe\""), "\xff\n\xfe");
}

TEST(Json, SaysWhatIsWrongWhere) {
  const auto with = [](std::string_view member) {
    return R"({"name":"Ada","age":36,"homes":[{"street":"s","zip":1}])" + std::string{member} + '}';
  };
  struct {
    std::string text;
    std::string why;
  } const cases[] = {
      {"", "cannot read user as JSON: incomplete JSON at byte 0"},
      {"{", "cannot read user as JSON: incomplete JSON at byte 1"},
      {"{} x", "cannot read user as JSON: extra data at byte 3"},
      {"{\"name\":}", "cannot read user as JSON: syntax error at byte 8"},
      {"[1,]", "cannot read user as JSON: syntax error at byte 3"},
      {"/**/{}", "cannot read user as JSON: syntax error at byte 0"},
      {"null", "cannot read user: found null"},
      {"[1]", "cannot read user: found an array of 1"},
      {"{}", "cannot read user.name: it is missing"},
      {R"({"name":"a","homes":[]})", "cannot read user.age: it is missing"},
      {with(R"(,"age":"36")"), R"(cannot read user.age as uint8_t: found "36")"},
      {with(R"(,"age":256)"), "cannot read user.age as uint8_t: found 256"},
      {with(R"(,"age":-1)"), "cannot read user.age as uint8_t: found -1"},
      {with(R"(,"age":1.0)"), "cannot read user.age as uint8_t: found 1.0"},
      {with(R"(,"age":1e99)"), "cannot read user.age as uint8_t: found 1e99"},
      {with(R"(,"age":null)"), "cannot read user.age as uint8_t: found null"},
      {with(R"(,"name":7)"), "cannot read user.name as text: found 7"},
      {with(R"(,"name":true)"), "cannot read user.name as text: found true"},
      {with(R"(,"mail":[])"), "cannot read user.mail as text: found an array of 0"},
      {with(R"(,"homes":{})"), "cannot read user.homes as array: found a map of 0"},
      {with(R"(,"homes":[{"street":"s","zip":1},5])"), "cannot read user.homes[1] as address: found 5"},
      {with(R"(,"homes":[{"street":"s"}])"), "cannot read user.homes[0].zip: it is missing"},
  };
  EXPECT_EQ(why_not<json_codec<user>>(with("")), "decoded");
  for (const auto& [text, why] : cases) EXPECT_EQ(why_not<json_codec<user>>(text), why) << text;
}

TEST(Json, SaysWhatIsWrongInOtherTypes) {
  const auto with = [](std::string_view member) {
    return R"({"paint":"red","weights":{},"pair":[1,2],"price":"1")" + std::string{member} + '}';
  };
  EXPECT_EQ(why_not<json_codec<palette>>(with(R"(,"paint":"pink")")),
            R"(cannot read palette.paint as colour: found "pink")");
  EXPECT_EQ(why_not<json_codec<palette>>(with(R"(,"paint":0)")), "cannot read palette.paint as colour: found 0");
  EXPECT_EQ(why_not<json_codec<palette>>(with(R"(,"weights":{"a":1,"b\n":"x"})")),
            R"(cannot read palette.weights["b\x0a"] as double: found "x")");
  EXPECT_EQ(why_not<json_codec<palette>>(with(R"(,"weights":{"a":1e400})")),
            R"(cannot read palette.weights["a"] as double: found 1e400)");
  EXPECT_EQ(why_not<json_codec<palette>>(with(R"(,"pair":[1])")),
            "cannot read palette.pair as array of 2: found an array of 1");
  EXPECT_EQ(why_not<json_codec<palette>>(with(R"(,"price":"x")")),
            R"(cannot read palette.price as money: cannot read 1 bytes as money: "x")");
  EXPECT_EQ(why_not<json_codec<std::uint64_t>>("18446744073709551616"),
            "cannot read uint64_t: found 18446744073709551616");
  EXPECT_EQ(why_not<json_codec<std::vector<int>>>("[1,2,true]"), "cannot read array[2] as int32_t: found true");
}

TEST(Json, NestsSoDeepAndNoDeeper) {
  const std::string deepest = std::string(32, '[') + std::string(32, ']');
  EXPECT_EQ(why_not<json_codec<bool>>(deepest), "cannot read bool: found an array of 1");
  EXPECT_EQ(why_not<json_codec<bool>>('[' + deepest + ']'), "cannot read bool as JSON: nested deeper than 32");
  EXPECT_EQ(why_not<json_codec<bool>>(std::string(1'000'000, '[')), "cannot read bool as JSON: nested deeper than 32");
  node chain;  // each is a map and an array
  for (int i = 1; i < 16; ++i) chain = node{{chain}};
  EXPECT_EQ(parsed<node>(json(chain)), chain);
  EXPECT_THROW(json(node{{chain}}), std::length_error);
  EXPECT_THROW(json(static_cast<colour>(9)), std::invalid_argument);
}

RC_GTEST_PROP(Json, ReadsBackEverything, ()) {
  const everything value = any_of_everything();
  const auto read = json_codec<everything>::decode(json(value));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == value);
}

RC_GTEST_PROP(Json, AgreesWithBoostJson, ()) {
  plain value;
  fill(value, &any_ascii);
  const boost::json::value tree = boost::json::value_from(value);
  RC_ASSERT(boost::json::parse(json(value)) == tree);
  const auto read = json_codec<plain>::decode(boost::json::serialize(tree));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == value);
}

RC_GTEST_PROP(Json, ReadsRealsOfOthersExactly, ()) {
  const double value = any_real();
  if (std::isinf(value)) return;
  RC_ASSERT(json_codec<double>::decode(boost::json::serialize(boost::json::value(value))).value() == value);
}

RC_GTEST_PROP(Json, SurvivesDamage, ()) {
  std::string text = json(any_of_everything());
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
    const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
    const std::string telling = R"([]{},:"\-01eE.tnu)";
    const char with = *rc::gen::oneOf(rc::gen::arbitrary<char>(), rc::gen::elementOf(telling));
    if (*rc::gen::arbitrary<bool>()) text[at] = with;
    else text.insert(at, 1, with);
  }
  text.resize(*rc::gen::inRange<std::size_t>(0, text.size() + 1));
  const std::vector<char> exact(text.begin(), text.end());  // no byte behind it, for the address sanitizer
  const auto read = json_codec<everything>::decode({exact.data(), exact.size()});
  if (!read) RC_ASSERT(read.error() == errc::undecodable);
  else RC_ASSERT(json_codec<everything>::decode(json(*read)).has_value());
}

}  // namespace
}  // namespace seawall::documents

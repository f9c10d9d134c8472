#include "seawall/resp/view.hpp"

#include "seawall/resp/value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace seawall::resp {
namespace {

static_assert(std::is_trivially_copyable_v<view> && sizeof(view) == 2 * sizeof(void*));
static_assert(std::forward_iterator<view::iterator>);

view of(std::string_view frame) { return view{frame}; }

TEST(View, KindIsTheTypeAndEveryNullIsANull) {
  const std::pair<const char*, kind> cases[] = {
      {"+a\r\n", kind::simple_string}, {"-a\r\n", kind::simple_error}, {":1\r\n", kind::integer},
      {"$1\r\na\r\n", kind::bulk_string}, {"*0\r\n", kind::array}, {"_\r\n", kind::null}, {"$-1\r\n", kind::null},
      {"*-1\r\n", kind::null}, {"#t\r\n", kind::boolean}, {",1\r\n", kind::number}, {"(1\r\n", kind::big_number},
      {"!1\r\na\r\n", kind::bulk_error}, {"=4\r\ntxt:\r\n", kind::verbatim}, {"%0\r\n", kind::map},
      {"~0\r\n", kind::set}, {">0\r\n", kind::push}, {"|0\r\n:1\r\n", kind::integer}, {"", kind::null},
  };
  for (const auto& [frame, expected] : cases) {
    EXPECT_EQ(of(frame).kind(), expected) << frame;
    EXPECT_EQ(of(frame).is_null(), expected == kind::null) << frame;
    EXPECT_EQ(of(frame).is_error(), expected == kind::simple_error || expected == kind::bulk_error) << frame;
    EXPECT_EQ(of(frame).is_aggregate(), expected == kind::array || expected == kind::map || expected == kind::set ||
                                            expected == kind::push) << frame;
    EXPECT_EQ(of(frame).empty(), true) << frame;
  }
  EXPECT_TRUE(view{}.is_null());
  EXPECT_EQ(view{}.raw(), "_\r\n");
}

TEST(View, TextAndFormat) {
  const struct {
    std::string frame;
    std::string_view text;
    std::string_view format = "";
  } cases[] = {
      {"+OK\r\n", "OK"}, {"-ERR no\r\n", "ERR no"}, {"$0\r\n\r\n", ""}, {"$4\r\na\r\nb\r\n", "a\r\nb"},
      {"$12\r\n0123456789ab\r\n", "0123456789ab"}, {"!6\r\nERR no\r\n", "ERR no"},
      {"=8\r\nmkd:*hi*\r\n", "*hi*", "mkd"},
      {"=4\r\ntxt:\r\n", "", "txt"}, {":-5\r\n", "-5"}, {",1.50\r\n", "1.50"}, {"(-12\r\n", "-12"}, {"#t\r\n", ""},
      {"_\r\n", ""}, {"$-1\r\n", ""}, {"*-1\r\n", ""}, {"*1\r\n+a\r\n", ""}, {"%0\r\n", ""},
      {"|1\r\n+a\r\n+b\r\n+c\r\n", "c"},
  };
  for (const auto& [frame, text, format] : cases) {
    EXPECT_EQ(of(frame).text(), text) << frame;
    EXPECT_EQ(of(frame).format(), format) << frame;
  }
}

TEST(View, Integer) {
  const std::pair<const char*, std::optional<std::int64_t>> cases[] = {
      {":0\r\n", 0}, {":-17\r\n", -17}, {":+17\r\n", 17}, {":9223372036854775807\r\n", INT64_MAX},
      {":-9223372036854775808\r\n", INT64_MIN}, {"#t\r\n", 1}, {"#f\r\n", 0}, {"$3\r\n-42\r\n", -42}, {"+7\r\n", 7},
      {"=5\r\ntxt:7\r\n", 7}, {"$19\r\n9223372036854775808\r\n", std::nullopt}, {"$2\r\n7x\r\n", std::nullopt},
      {"$2\r\n 7\r\n", std::nullopt}, {"$2\r\n+7\r\n", std::nullopt}, {"$0\r\n\r\n", std::nullopt},
      {"$3\r\n1.0\r\n", std::nullopt}, {",1\r\n", std::nullopt}, {"(1\r\n", std::nullopt}, {"-1\r\n", std::nullopt},
      {"_\r\n", std::nullopt}, {"*1\r\n:1\r\n", std::nullopt},
  };
  for (const auto& [frame, expected] : cases) EXPECT_EQ(of(frame).integer(), expected) << frame;
}

TEST(View, Number) {
  const std::pair<const char*, std::optional<double>> cases[] = {
      {",1.5\r\n", 1.5}, {",+1.5\r\n", 1.5}, {",-2e-3\r\n", -0.002}, {",inf\r\n", INFINITY}, {",-inf\r\n", -INFINITY},
      {":3\r\n", 3.0}, {":+3\r\n", 3.0}, {"$4\r\n2.25\r\n", 2.25}, {"+-1\r\n", -1.0}, {"$3\r\ninf\r\n", INFINITY},
      {",1e999\r\n", std::nullopt}, {"$3\r\n1,5\r\n", std::nullopt}, {"$0\r\n\r\n", std::nullopt},
      {"$2\r\n+-\r\n", std::nullopt}, {"$3\r\n+-1\r\n", std::nullopt}, {"#t\r\n", std::nullopt},
      {"(1\r\n", std::nullopt}, {"_\r\n", std::nullopt}, {"-1\r\n", std::nullopt},
  };
  for (const auto& [frame, expected] : cases) EXPECT_EQ(of(frame).number(), expected) << frame;
  for (const char* nan : {",nan\r\n", ",-nan\r\n", "$3\r\nnan\r\n"}) EXPECT_TRUE(std::isnan(*of(nan).number())) << nan;
}

TEST(View, Boolean) {
  EXPECT_EQ(of("#t\r\n").boolean(), true);
  EXPECT_EQ(of("#f\r\n").boolean(), false);
  EXPECT_EQ(of(":1\r\n").boolean(), true);
  EXPECT_EQ(of(":0\r\n").boolean(), false);
  for (const char* none : {":2\r\n", ":-1\r\n", "+t\r\n", "$1\r\n1\r\n", "_\r\n"}) {
    EXPECT_EQ(of(none).boolean(), std::nullopt) << none;
  }
}

constexpr std::string_view nested_array =
    "*5\r\n:1\r\n*2\r\n%1\r\n+k\r\n$3\r\nv\r\n\r\n$-1\r\n|1\r\n+a\r\n*1\r\n:9\r\n$1\r\nb\r\n*-1\r\n~12\r\n"
    ":0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:10\r\n:11\r\n";

TEST(View, ElementsAreWalkedAndIndexedAcrossInnerAggregates) {
  const view array = of(nested_array);
  std::vector<std::string> raw;
  for (const view element : array) raw.emplace_back(element.raw());
  ASSERT_EQ(raw.size(), 5U);
  EXPECT_EQ(array.size(), 5U);
  EXPECT_EQ(raw[0], ":1\r\n");
  EXPECT_EQ(raw[1], "*2\r\n%1\r\n+k\r\n$3\r\nv\r\n\r\n$-1\r\n");
  EXPECT_EQ(raw[2], "|1\r\n+a\r\n*1\r\n:9\r\n$1\r\nb\r\n");
  EXPECT_EQ(raw[3], "*-1\r\n");
  for (std::size_t i = 0; i != raw.size(); ++i) EXPECT_EQ(array[i].raw(), raw[i]);
  EXPECT_EQ(array[1][0].size(), 2U);
  EXPECT_EQ(array[1][0][1].text(), "v\r\n");
  EXPECT_EQ(array[4].size(), 12U);
  EXPECT_EQ(array[4][11].integer(), 11);
  EXPECT_TRUE(array[5].is_null());
  EXPECT_TRUE(array[1][0][7][3].is_null());
  EXPECT_EQ(array.raw(), nested_array);
}

TEST(View, IteratorsCanBeKept) {
  const view array = of(nested_array);
  const auto first = array.begin();
  auto second = first;
  EXPECT_EQ(second++, first);
  EXPECT_EQ((*first).integer(), 1);
  EXPECT_EQ((*second).size(), 2U);
  EXPECT_EQ(std::distance(array.begin(), array.end()), 5);
  EXPECT_EQ(of(":1\r\n").begin(), of(":1\r\n").end());
  EXPECT_EQ(of("*-1\r\n").begin(), of("*-1\r\n").end());
}

TEST(View, FindWorksInMapsAndFlatArrays) {
  for (const char* frame : {"%3\r\n:1\r\n+a\r\n$1\r\nk\r\n*1\r\n:5\r\n+j\r\n_\r\n",
                            "*6\r\n:1\r\n+a\r\n$1\r\nk\r\n*1\r\n:5\r\n+j\r\n_\r\n",
                            "*7\r\n:1\r\n+a\r\n$1\r\nk\r\n*1\r\n:5\r\n+j\r\n_\r\n+odd\r\n"}) {
    EXPECT_EQ(of(frame).find("k")[0].integer(), 5) << frame;
    EXPECT_TRUE(of(frame).find("j").is_null()) << frame;
    for (const char* none : {"a", "1", "odd", ""}) EXPECT_TRUE(of(frame).find(none).is_null()) << frame << none;
  }
  EXPECT_TRUE(of("~2\r\n+a\r\n+b\r\n").find("a").is_null());
  EXPECT_TRUE(of("+a\r\n").find("a").is_null());
  EXPECT_EQ(of("%1\r\n|1\r\n+x\r\n+y\r\n+a\r\n|1\r\n+x\r\n+y\r\n+b\r\n").find("a").text(), "b");
}

TEST(View, AttributesAreAMapOfTheirOwn) {
  const view reply = of("|1\r\n+first\r\n:1\r\n|2\r\n+ttl\r\n:3\r\n+l\r\n|1\r\n+in\r\n:8\r\n*1\r\n:7\r\n$1\r\nv\r\n");
  EXPECT_EQ(reply.text(), "v");
  const view attributes = reply.attributes();
  EXPECT_EQ(attributes.kind(), kind::map);
  EXPECT_EQ(attributes.size(), 4U);
  EXPECT_EQ(attributes.find("ttl").integer(), 3);
  EXPECT_EQ(attributes.find("l")[0].integer(), 7);
  EXPECT_EQ(attributes.find("l").attributes().find("in").integer(), 8);
  EXPECT_TRUE(attributes.find("first").is_null());
  EXPECT_TRUE(attributes.attributes().is_null());
  EXPECT_EQ(attributes.raw(), "|2\r\n+ttl\r\n:3\r\n+l\r\n|1\r\n+in\r\n:8\r\n*1\r\n:7\r\n");
  EXPECT_TRUE(of("$1\r\nv\r\n").attributes().is_null());

  const value kept{attributes};
  EXPECT_EQ(kept->kind(), kind::map);
  EXPECT_EQ(kept->find("ttl").integer(), 3);
}

TEST(View, ADeepValueIsSkippedWithoutRecursion) {
  std::string frame = "*2\r\n";
  for (int i = 0; i != 1'000'000; ++i) frame += "*1\r\n";
  frame += ":1\r\n+end\r\n";
  EXPECT_EQ(of(frame)[1].text(), "end");
  EXPECT_EQ(of(frame).raw(), frame);
}

}  // namespace
}  // namespace seawall::resp

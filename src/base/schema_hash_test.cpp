#include "seawall/base/schema_hash.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "seawall/json.hpp"
#include "seawall/msgpack.hpp"

namespace seawall {
namespace {

namespace base {
BOOST_DEFINE_ENUM_CLASS(level, low, high)
struct inner { int x; };
BOOST_DESCRIBE_STRUCT(inner, (), (x))
struct shape { std::string name; inner part; level height; };
BOOST_DESCRIBE_STRUCT(shape, (), (name, part, height))
}  // namespace base

namespace reordered {
struct other_name { base::level height; base::inner part; std::string name; };
BOOST_DESCRIBE_STRUCT(other_name, (), (height, part, name))
}  // namespace reordered

namespace renamed {
struct shape { std::string title; base::inner part; base::level height; };
BOOST_DESCRIBE_STRUCT(shape, (), (title, part, height))
}  // namespace renamed

namespace retyped {
struct shape { std::vector<std::byte> name; base::inner part; base::level height; };
BOOST_DESCRIBE_STRUCT(shape, (), (name, part, height))
}  // namespace retyped

namespace added {
struct shape { std::string name; base::inner part; base::level height; std::optional<int> more; };
BOOST_DESCRIBE_STRUCT(shape, (), (name, part, height, more))
}  // namespace added

namespace removed {
struct shape { std::string name; base::inner part; };
BOOST_DESCRIBE_STRUCT(shape, (), (name, part))
}  // namespace removed

namespace within {
struct inner { long x; };
BOOST_DESCRIBE_STRUCT(inner, (), (x))
struct shape { std::string name; inner part; base::level height; };
BOOST_DESCRIBE_STRUCT(shape, (), (name, part, height))
}  // namespace within

namespace enumerator {
BOOST_DEFINE_ENUM_CLASS(level, low, high, higher)
struct shape { std::string name; base::inner part; level height; };
BOOST_DESCRIBE_STRUCT(shape, (), (name, part, height))
}  // namespace enumerator

namespace swapped {
struct pair { int a; std::string b; };
BOOST_DESCRIBE_STRUCT(pair, (), (a, b))
struct riap { int b; std::string a; };
BOOST_DESCRIBE_STRUCT(riap, (), (b, a))
}  // namespace swapped

struct tree { std::vector<tree> children; std::map<std::string, tree> named; };
BOOST_DESCRIBE_STRUCT(tree, (), (children, named))

struct pinned { int a; };
BOOST_DESCRIBE_STRUCT(pinned, (), (a))
struct silent {};
struct without_codec {};

template <class T>
constexpr std::uint32_t json = json_codec<T>::schema;

}  // namespace

template <>
struct codec<base::shape> : json_codec<base::shape> {};
template <>
struct codec<pinned> : json_codec<pinned> {
  static constexpr std::uint32_t schema = 1;
};
template <>
struct codec<silent> {
  static void encode(const silent&, std::string&) {}
};

namespace {

TEST(SchemaHash, IsTheSameOnEveryMachine) {
  // Entries in stores carry these: another number here gives all of them up.
  EXPECT_EQ(schema_hash<base::shape>(), 2425176411u);
  EXPECT_EQ(msgpack_codec<base::shape>::schema, 3937070628u);
  EXPECT_EQ(schema_hash<std::string>(), 1551228155u);
  EXPECT_EQ(schema_hash<std::int32_t>(), 2113131394u);
}

TEST(SchemaHash, ChangesWithTheShape) {
  const std::set<std::uint32_t> all{
      json<base::shape>, json<renamed::shape>, json<retyped::shape>, json<added::shape>, json<removed::shape>,
      json<within::shape>, json<enumerator::shape>, msgpack_codec<base::shape>::schema,
      json<std::vector<base::shape>>, json<std::optional<base::shape>>, json<std::map<std::string, base::shape>>,
      json<std::array<base::shape, 2>>, json<std::array<base::shape, 3>>, json<std::pair<base::shape, int>>,
      json<std::pair<int, base::shape>>, json<std::tuple<base::shape>>, json<std::chrono::seconds>,
      json<std::chrono::milliseconds>, json<std::chrono::sys_seconds>, json<std::int64_t>, json<tree>,
      json<swapped::pair>, json<swapped::riap>};
  EXPECT_EQ(all.size(), 23u);
  EXPECT_FALSE(all.contains(0));
}

TEST(SchemaHash, DoesNotChangeWithNamesOfStructsAndTheOrderOfMembers) {
  EXPECT_EQ(json<base::shape>, json<reordered::other_name>);
  EXPECT_EQ(schema_hash<base::shape>(), json<base::shape>);
  EXPECT_EQ(json<std::vector<int>>, json<std::set<int>>);
}

TEST(SchemaHash, OfBuiltInTypesIsTheirs) {
  const std::set<std::uint32_t> all{
      schema_hash<std::string>(), schema_hash<std::vector<std::byte>>(), schema_hash<std::int8_t>(),
      schema_hash<std::uint8_t>(), schema_hash<std::int32_t>(), schema_hash<std::int64_t>(),
      schema_hash<std::uint64_t>(), schema_hash<float>(), schema_hash<double>(), schema_hash<bool>()};
  EXPECT_EQ(all.size(), 10u);
  EXPECT_FALSE(all.contains(0));
  EXPECT_EQ(schema_hash<long>(), schema_hash<long long>());
  EXPECT_EQ(schema_hash<std::string_view>(), schema_hash<std::string>());
}

TEST(SchemaHash, IsWhatTheCodecSays) {
  EXPECT_EQ(schema_hash<pinned>(), 1u);
  EXPECT_NE(json<pinned>, 1u);
  EXPECT_EQ(schema_hash<silent>(), 0u);
  EXPECT_EQ(schema_hash<without_codec>(), 0u);
  static_assert(schema_hash<base::shape>() != 0);
}

}  // namespace
}  // namespace seawall

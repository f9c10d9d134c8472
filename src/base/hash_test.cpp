#include "seawall/base/hash.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <map>
#include <set>
#include <unordered_map>

namespace {

using seawall::hash;
using seawall::hash_bytes;
using seawall::hash_bytes128;

enum class colour : unsigned char { red = 1, green = 2 };

struct user_id {
  int value = 0;
  bool operator==(const user_id&) const = default;
};

}  // namespace

template <>
struct std::hash<user_id> {
  std::size_t operator()(const user_id& id) const noexcept { return static_cast<std::size_t>(id.value); }
};

namespace other {

struct uuid {
  unsigned long value = 0;
  bool operator==(const uuid&) const = default;
};
std::size_t hash_value(const uuid& id) { return id.value; }

}  // namespace other

namespace {

TEST(hash_bytes_test, is_xxh3) {
  EXPECT_EQ(hash_bytes("", 0), 0x2d06800538d394c2u);
  EXPECT_EQ(hash_bytes128("").hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash_bytes128("abc").hex(), "06b05ab6733a618578af5f94892f3950");
  EXPECT_NE(hash_bytes("abc", 3, 1), hash_bytes("abc", 3, 2));
}

TEST(hash_test, strings_of_all_types_agree) {
  const hash<std::string> h;
  const std::string text = "user:42";
  EXPECT_EQ(h(text), h("user:42"));
  EXPECT_EQ(h(text), h(std::string_view(text)));
  EXPECT_EQ(h(text), h(text.c_str()));
  EXPECT_EQ(h(text), hash<std::string_view>{}(text));
  EXPECT_EQ(h(text), hash<const char*>{}(text.c_str()));
  EXPECT_NE(h(std::string_view("a\0b", 3)), h(std::string_view("a\0c", 3)));
}

TEST(hash_test, finds_in_standard_containers_without_a_conversion) {
  std::unordered_map<std::string, int, hash<std::string>, std::equal_to<>> map{{"a", 1}};
  EXPECT_NE(map.find(std::string_view("a")), map.end());
  EXPECT_EQ(map.find("b"), map.end());
}

TEST(hash_test, a_number_of_another_type_hashes_as_the_key_it_equals) {
  EXPECT_EQ(hash<std::int64_t>{}(-1), hash<std::int64_t>{}(std::int64_t{-1}));
  EXPECT_EQ(hash<std::uint32_t>{}(static_cast<std::uint32_t>(-1)), hash<std::uint32_t>{}(0xffffffff));
}

TEST(hash_test, tuples_of_string_views_hash_as_tuples_of_strings) {
  const hash<std::tuple<std::string, int>> h;
  EXPECT_EQ(h({"a", 1}), h(std::tuple<std::string_view, int>{"a", 1}));
  const hash<std::pair<std::string, std::string>> p;
  EXPECT_EQ(p({"a", "b"}), p(std::pair<std::string_view, const char*>{"a", "b"}));
  EXPECT_NE(p({"a", "b"}), p({"b", "a"}));
  EXPECT_NE(p({"a", "b"}), p({"ab", ""}));
}

TEST(hash_test, composites_tell_their_elements_apart) {
  const hash<std::vector<int>> v;
  EXPECT_NE(v({}), v({0}));
  EXPECT_NE(v({0}), v({0, 0}));
  EXPECT_NE(v({1, 2}), v({2, 1}));
  const hash<std::optional<int>> o;
  EXPECT_NE(o(std::nullopt), o(0));
  EXPECT_EQ(o(5), o(std::optional<int>(5)));
  EXPECT_NE((hash<std::array<int, 2>>{}({1, 2})), (hash<std::array<int, 2>>{}({2, 1})));
  EXPECT_NE(hash<std::vector<bool>>{}({true, false}), hash<std::vector<bool>>{}({false, true}));
}

TEST(hash_test, enums_and_own_types) {
  EXPECT_NE(hash<colour>{}(colour::red), hash<colour>{}(colour::green));
  EXPECT_EQ(hash<user_id>{}({7}), hash<user_id>{}({7}));
  EXPECT_NE(hash<user_id>{}({7}), 7u) << "an identity hash is mixed";
  EXPECT_NE(hash<other::uuid>{}({7}), hash<other::uuid>{}({8}));
  EXPECT_EQ(hash<double>{}(0.0), hash<double>{}(-0.0));
}

TEST(hash_test, the_seed_moves_every_kind_of_key) {
  const auto differs = [](const auto& key) {
    using key_type = std::remove_cvref_t<decltype(key)>;
    return hash<key_type>{1}(key) != hash<key_type>{2}(key);
  };
  EXPECT_TRUE(differs(std::string("a")));
  EXPECT_TRUE(differs(1));
  EXPECT_TRUE(differs(colour::red));
  EXPECT_TRUE(differs(user_id{1}));
  EXPECT_TRUE(differs(other::uuid{1}));
  EXPECT_TRUE(differs(std::pair{1, 2}));
  EXPECT_TRUE(differs(std::optional<int>{}));
  EXPECT_TRUE(differs(std::vector<int>{}));
}

/// Every input bit flips every output bit in about half of the cases.
template <class Hash>
void expect_avalanche(Hash h) {
  constexpr int rounds = 2000;
  for (int in = 0; in < 64; ++in) {
    std::array<int, 64> flips{};
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t key = static_cast<std::uint64_t>(i) * 0x9e3779b9;
      const std::uint64_t changed = h(key) ^ h(key ^ (std::uint64_t{1} << in));
      for (int out = 0; out < 64; ++out) flips[static_cast<std::size_t>(out)] += (changed >> out) & 1;
    }
    for (int count : flips) ASSERT_NEAR(static_cast<double>(count) / rounds, 0.5, 0.07) << "input bit " << in;
  }
}

TEST(hash_test, integers_avalanche) {
  expect_avalanche([](std::uint64_t key) { return hash<std::uint64_t>{}(key); });
  expect_avalanche([](std::uint64_t key) { return hash<std::pair<int, std::uint64_t>>{}({1, key}); });
}

RC_GTEST_PROP(hash_property, equal_bytes_hash_alike, (const std::string& text, std::uint64_t seed)) {
  RC_ASSERT(hash<std::string>{seed}(text) == hash<std::string>{seed}(std::string_view(text)));
}

RC_GTEST_PROP(hash_property, vectors_rarely_collide, (const std::set<std::vector<std::string>>& keys)) {
  std::set<std::size_t> hashes;
  for (const auto& key : keys) hashes.insert(hash<std::vector<std::string>>{}(key));
  RC_ASSERT(hashes.size() == keys.size());
}

}  // namespace

#include "seawall/key.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>

namespace {

using seawall::family;
using seawall::key;
using seawall::key_builder;
using seawall::key_space;
using seawall::params;
using seawall::random_source;

enum class plan : std::uint8_t { basic = 1, pro = 2 };

}  // namespace

namespace shop {

struct user_id {
  int value = 0;
};
int seawall_key_part(user_id id) { return id.value; }

}  // namespace shop

namespace {

static_assert(seawall::key_part<std::string> && seawall::key_part<const char*> && seawall::key_part<char[4]>);
static_assert(seawall::key_part<int> && seawall::key_part<std::uint64_t> && seawall::key_part<plan>);
static_assert(!seawall::key_part<bool> && !seawall::key_part<char> && !seawall::key_part<double>);
static_assert(!seawall::key_part<std::nullptr_t> && !seawall::key_part<void*>);
static_assert(!seawall::key_part<std::optional<int>>);

TEST(key_test, reads_as_it_is_written) {
  EXPECT_EQ(key("user").id(42).part("profile"), "user:42:profile");
  EXPECT_EQ(key_space("shop").key("user").id(42), "shop:user:42");
  EXPECT_EQ(key_space("shop").space("eu").key("user").id(42), "shop:eu:user:42");
  EXPECT_EQ(key("user").id(-7), "user:-7");
  EXPECT_EQ(key("n").id(std::numeric_limits<std::int64_t>::min()), "n:-9223372036854775808");
  EXPECT_EQ(key("n").id(std::numeric_limits<std::uint64_t>::max()), "n:18446744073709551615");
  EXPECT_EQ(key("plan").id(plan::pro), "plan:2");
  EXPECT_EQ(key("user").id(shop::user_id{42}), "user:42");
  EXPECT_EQ(key("user").id(std::string("a-b.c_d/e+f,g=")), "user:a-b.c_d/e+f,g=");
}

TEST(key_test, escapes_everything_that_could_forge_another_key) {
  EXPECT_EQ(key("user").id("42:profile"), "user:42%3Aprofile");
  EXPECT_EQ(key("user").id("42%3Aprofile"), "user:42%253Aprofile");
  EXPECT_EQ(key("user").id(std::string_view("a\0\n\x7f", 4)), "user:a%00%0A%7F");
  EXPECT_EQ(key("user").id("\xc3\xa9"), "user:%C3%A9");
  EXPECT_EQ(key("q").part("{x}*?[a]\\ "), "q:%7Bx%7D%2A%3F%5Ba%5D%5C%20");
  EXPECT_EQ(key("user:profile"), "user%3Aprofile");
}

TEST(key_test, data_cannot_imitate_what_the_builder_adds) {
  family catalog("catalog", std::make_shared<random_source>(1));
  const std::string versioned = key("product").version(catalog);
  const std::string hashed = key("product").hashed(params());
  EXPECT_NE(key("product").part(versioned.substr(8)), versioned);
  EXPECT_NE(key("product").part(hashed.substr(8)), hashed);
  const std::string shortened = key("p").part(std::string(600, 'x'));
  EXPECT_NE(key("p").part(shortened.substr(2)), shortened);
}

TEST(key_test, empty_parts_count) {
  EXPECT_EQ(key("a"), "a");
  EXPECT_EQ(key("a").part(""), "a:");
  EXPECT_EQ(key("a").part("").part("b"), "a::b");
  EXPECT_EQ(key(""), "");
  EXPECT_EQ(key("").part(""), ":");
}

TEST(key_test, a_stem_is_not_changed_by_extending_it) {
  const key_builder user = key("user");
  key_builder stem = key("user");
  EXPECT_EQ(user.id(1), "user:1");
  EXPECT_EQ(user.id(2), "user:2");
  EXPECT_EQ(stem.id(1).part("x"), "user:1:x");
  EXPECT_EQ(stem.hashed(params()).str().size(), 5u + 33);
  EXPECT_EQ(stem, "user");
}

TEST(key_test, is_usable_as_a_string) {
  const std::string copied = key("user").id(1);
  std::string assigned;
  const key_builder named = key("user").id(1);
  assigned = named;
  const std::string constructed(named);
  const std::string_view view = named;
  EXPECT_EQ(copied, assigned);
  EXPECT_EQ(copied, constructed);
  EXPECT_EQ(copied, view);
  EXPECT_TRUE(copied == named && named == copied && named == "user:1" && named == view && named == named);

  std::map<std::string, int> map;
  map[key("user").id(1)] = 1;
  map[named] += 1;
  EXPECT_EQ(map.at("user:1"), 2);
  const std::unordered_map<std::string, int, seawall::hash<std::string>, std::equal_to<>> hashed{{copied, 1}};
  EXPECT_NE(hashed.find(named), hashed.end());
  EXPECT_NE(hashed.find(key("user").id(1)), hashed.end());
}

TEST(key_test, hashes_parameters) {
  const params query = params().add("page", 2).add("sort", "price");
  EXPECT_EQ(key("search").hashed(query).str(), "search:#" + query.digest().hex());
  EXPECT_EQ(key("search").hashed(params().add("page", 2)), "search:#f592a9c11b1d134ecfd519bebfbbe6a9");
}

TEST(key_test, version_reads_the_generation_when_the_key_is_built) {
  family catalog("catalog", std::make_shared<random_source>(1));
  catalog.adopt(0xabc);
  const key_builder before = key("product").version(catalog).id(7);
  EXPECT_EQ(before, "product:catalog@0000000000000abc:7");
  catalog.retire();
  EXPECT_NE(key("product").version(catalog).id(7), before);
  EXPECT_EQ(before, "product:catalog@0000000000000abc:7");
  family odd("a@b", std::make_shared<random_source>(1));
  odd.adopt(1);
  EXPECT_EQ(key("p").version(odd), "p:a%40b@0000000000000001");
}

TEST(key_test, prefix_ends_at_a_border) {
  const std::string prefix = key("user").id(1).prefix();
  EXPECT_EQ(prefix, "user:1:");
  EXPECT_TRUE(key("user").id(1).part("profile").str().starts_with(prefix));
  EXPECT_FALSE(key("user").id(10).str().starts_with(prefix));
  EXPECT_FALSE(key("user").id("1:profile").str().starts_with(prefix));
  EXPECT_EQ(key_space("shop").prefix(), "shop:");
  EXPECT_EQ(key_space("shop").space("eu").prefix(), "shop:eu:");
}

TEST(key_length, at_the_limit_a_key_stays_and_one_byte_later_it_ends_in_a_hash) {
  const std::string fits = key("user").part(std::string(507, 'x'));
  EXPECT_EQ(fits, "user:" + std::string(507, 'x'));
  const std::string over = key("user").part(std::string(508, 'x'));
  EXPECT_EQ(over.size(), 512u);
  EXPECT_EQ(over.substr(0, 480), "user:" + std::string(474, 'x') + "~");
  EXPECT_NE(over, key("user").part(std::string(509, 'x')));
  EXPECT_EQ(key("user").part(std::string(600, 'x')).str().substr(479), "~dc0c07500b93e6f1bda4d77c5feab69b");
}

TEST(key_length, parts_after_the_limit_still_count) {
  const key_builder base = key("user").part(std::string(600, 'x'));
  EXPECT_NE(base.part("a"), base.part("b"));
  EXPECT_NE(base.part("a"), base);
  EXPECT_NE(base.part(""), base);
  EXPECT_NE(base.part("a").part("b"), base.part("b").part("a"));
  EXPECT_LE(base.part("a").part("b").str().size(), 512u);
}

TEST(key_length, limit_is_an_option) {
  EXPECT_EQ(key("user", {.max_length = 64}).part(std::string(100, 'x')).str().size(), 64u);
  EXPECT_EQ(key_space("shop", {.max_length = 250}).key("user").part(std::string(300, 'x')).str().size(), 250u);
  EXPECT_EQ(key_space("s", {.max_length = 70}).space("t").key("u").part(std::string(300, 'x')).str().size(), 70u);
  EXPECT_EQ(key("user", {.max_length = 65'536}).part(std::string(60'000, 'x')).str().size(), 60'005u);
  try {
    (void)key("user", {.max_length = 63});
    FAIL() << "63 is below the limit";
  } catch (const std::invalid_argument& e) {
    EXPECT_STREQ(e.what(), "key_options.max_length is 63; it must be between 64 and 65536 bytes");
  }
  EXPECT_THROW((void)key_space("shop", {.max_length = 65'537}), std::invalid_argument);
}

using parts = std::vector<std::string>;

/// Texts of separators, marks, pieces of escapes and random bytes; sometimes long enough to pass the limit.
rc::Gen<std::string> awkward_part() {
  const auto awkward = rc::gen::container<std::string>(rc::gen::element(':', '%', '3', 'A', '~', '#', '@', '\0', 'x'));
  const auto length = rc::gen::inRange<std::size_t>(0, 600);
  const auto longer = rc::gen::map(length, [](std::size_t n) { return std::string(n, 'x'); });
  return rc::gen::weightedOneOf<std::string>({{4, awkward}, {2, rc::gen::arbitrary<std::string>()}, {1, longer}});
}

rc::Gen<parts> awkward_parts() { return rc::gen::nonEmpty(rc::gen::container<parts>(awkward_part())); }

key_builder build(const parts& list, std::size_t max_length = 512) {
  key_builder result = key(list.front(), {.max_length = max_length});
  for (std::size_t i = 1; i < list.size(); ++i) result = result.part(list[i]);
  return result;
}

/// Another list that is easily taken for the first: its text cut elsewhere, or one change in it.
rc::Gen<parts> relative_of(const parts& list) {
  const std::string text = build(list, 65'536);
  const auto respliced = rc::gen::map(rc::gen::inRange<std::size_t>(0, text.size() + 1), [text](std::size_t cut) {
    return parts{text.substr(0, cut), text.substr(cut)};
  });
  const auto joined = rc::gen::map(rc::gen::inRange<std::size_t>(0, list.size()), [list](std::size_t at) {
    parts result = list;
    if (at + 1 < list.size()) {
      result[at] += ":" + result[at + 1];
      result.erase(result.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    return result;
  });
  const auto extended = rc::gen::map(awkward_part(), [list](std::string last) {
    parts result = list;
    result.push_back(std::move(last));
    return result;
  });
  return rc::gen::oneOf(awkward_parts(), respliced, joined, extended, rc::gen::just(list));
}

RC_GTEST_PROP(key_property, keys_are_equal_exactly_when_their_parts_are, ()) {
  const parts a = *awkward_parts();
  const parts b = *relative_of(a);
  RC_ASSERT((build(a) == build(b)) == (a == b));
  RC_ASSERT((build(a, 64) == build(b, 64)) == (a == b));
}

RC_GTEST_PROP(key_property, keys_are_printable_and_within_the_limit, ()) {
  const std::string text = build(*awkward_parts(), 64);
  RC_ASSERT(text.size() <= 64u);
  RC_ASSERT(std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; }));
  RC_ASSERT(text.find_first_of("*?[]\\{}\"'") == std::string::npos);
}

RC_GTEST_PROP(key_property, a_prefix_covers_what_is_below_it_and_nothing_else, ()) {
  const parts stem = *awkward_parts();
  const parts other = *relative_of(stem);
  for (const std::size_t limit : {std::size_t{64}, std::size_t{512}}) {
    const std::string prefix = build(stem, limit).prefix();
    const bool below = other.size() > stem.size() && std::equal(stem.begin(), stem.end(), other.begin());
    const bool covered = build(other, limit).str().starts_with(prefix);
    RC_ASSERT(!below || covered);
    if (prefix.size() < limit - 33) RC_ASSERT(below == covered);
  }
}

}  // namespace

#include "undelivered.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace seawall::tier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string_view to_colon(std::string_view key) {
  const std::size_t colon = key.find(':');
  return colon == key.npos ? std::string_view{} : key.substr(0, colon + 1);
}

/// The names of a batch; of a namespace with a star behind it.
std::vector<std::string> names(const std::vector<undelivered::item>& batch) {
  std::vector<std::string> out;
  for (const auto& one : batch) out.push_back(one.prefix ? one.name + "*" : one.name);
  return out;
}

TEST(undelivered, holds_keys_until_they_are_delivered) {
  undelivered set{to_colon};
  EXPECT_EQ(set.size(), 0u);
  EXPECT_FALSE(set.contains("a:1"));
  EXPECT_THAT(set.take_batch(10), IsEmpty());
  set.add("a:1");
  set.add("b:1");
  set.add("a:1");
  EXPECT_EQ(set.size(), 2u);
  EXPECT_EQ(set.bytes(), 6u);
  EXPECT_TRUE(set.contains("a:1"));
  EXPECT_FALSE(set.contains("a:"));
  EXPECT_FALSE(set.contains("a:11"));
  const auto batch = set.take_batch(10);
  EXPECT_THAT(names(batch), ElementsAre("b:1", "a:1")) << "the newest comes last";
  EXPECT_TRUE(set.contains("a:1")) << "while it is under way";
  EXPECT_THAT(set.take_batch(10), IsEmpty()) << "but is not taken twice";
  set.delivered(batch);
  EXPECT_EQ(set.size(), 0u);
  EXPECT_EQ(set.bytes(), 0u);
  EXPECT_FALSE(set.contains("a:1"));
}

TEST(undelivered, whether_a_key_has_a_lease_is_not_forgotten) {
  undelivered set{to_colon};
  set.add("a:1", true);
  set.add("a:1");
  set.add("a:2");
  for (int again = 0; again < 2; ++again) {
    const auto batch = set.take_batch(10);
    ASSERT_EQ(batch.size(), 2u);
    EXPECT_TRUE(batch[0].has_lease);
    EXPECT_FALSE(batch[1].has_lease);
    set.put_back(batch);
  }
  set.add("a:2", true);
  EXPECT_TRUE(set.take_batch(10)[1].has_lease) << "whose first invalidation was that of an entry";
}

TEST(undelivered, batches_are_in_order_and_not_larger_than_asked) {
  undelivered set{to_colon};
  for (const char* key : {"1", "2", "3", "4", "5"}) set.add(key);
  EXPECT_THAT(set.take_batch(0), IsEmpty());
  const auto first = set.take_batch(2);
  const auto second = set.take_batch(2);
  EXPECT_THAT(names(first), ElementsAre("1", "2"));
  EXPECT_THAT(names(second), ElementsAre("3", "4"));
  set.put_back(second);
  set.put_back(first);
  set.put_back(first);
  EXPECT_EQ(set.size(), 5u);
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("1", "2", "3", "4", "5"));
}

TEST(undelivered, a_key_that_is_added_while_it_is_under_way_is_delivered_again) {
  undelivered set{to_colon};
  set.add("k");
  const auto early = set.take_batch(1);
  set.add("k");
  set.delivered(early);
  EXPECT_TRUE(set.contains("k"));
  const auto again = set.take_batch(1);
  EXPECT_THAT(names(again), ElementsAre("k"));
  set.put_back(early);
  EXPECT_THAT(set.take_batch(1), IsEmpty()) << "an outdated batch changes nothing";
  set.delivered(again);
  EXPECT_EQ(set.size(), 0u);
}

TEST(undelivered, too_many_keys_become_their_namespace) {
  undelivered set{to_colon, {.keys = 3}};
  for (const char* key : {"a:1", "b:1", "a:2"}) set.add(key);
  EXPECT_EQ(set.overflows(), 0u);
  set.add("c:1");
  EXPECT_EQ(set.overflows(), 1u);
  EXPECT_EQ(set.size(), 3u);
  EXPECT_TRUE(set.contains("a:1"));
  EXPECT_TRUE(set.contains("a:other"));
  EXPECT_TRUE(set.contains("b:1"));
  EXPECT_FALSE(set.contains("b:2"));
  set.add("a:3");
  EXPECT_EQ(set.size(), 3u) << "it is in the namespace already";
  const auto batch = set.take_batch(9);
  EXPECT_THAT(names(batch), ElementsAre("a:*", "b:1", "c:1"));
  EXPECT_TRUE(set.contains("a:1")) << "while it is under way";
  set.delivered(batch);
  EXPECT_EQ(set.size(), 0u);
  EXPECT_FALSE(set.contains("a:1"));
}

TEST(undelivered, the_largest_namespace_gives_way) {
  undelivered set{to_colon, {.bytes = 100}};
  set.add("many:1");
  set.add("many:2");
  set.add("few:" + std::string(60, 'x'));
  set.add("many:" + std::string(40, 'y'));
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("few:*", "many:1", "many:2", "many:" + std::string(40, 'y')));
  set.add("huge:" + std::string(1000, 'z'));
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("huge:*"));
  EXPECT_LE(set.bytes(), 100u);
}

TEST(undelivered, a_key_added_while_its_namespace_is_cleared_stays) {
  undelivered set{to_colon, {.keys = 1}};
  set.add("a:1");
  set.add("a:2");
  const auto clearing = set.take_batch(1);
  EXPECT_THAT(names(clearing), ElementsAre("a:*"));
  set.add("a:3");
  set.delivered(clearing);
  EXPECT_TRUE(set.contains("a:3")) << "its turn may have been before";
  EXPECT_FALSE(set.contains("a:1"));
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("a:3"));
}

TEST(undelivered, a_namespace_that_overflows_while_it_is_cleared_is_cleared_again) {
  undelivered set{to_colon, {.keys = 1}};
  set.add("a:1");
  set.add("a:2");
  const auto clearing = set.take_batch(1);
  set.add("a:3");
  set.add("a:4");
  set.delivered(clearing);
  set.put_back(clearing);
  EXPECT_TRUE(set.contains("a:1"));
  const auto again = set.take_batch(9);
  EXPECT_THAT(names(again), ElementsAre("a:*"));
  set.put_back(again);
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("a:*")) << "as one that could not be cleared";
}

TEST(undelivered, keys_without_a_namespace_become_everything) {
  undelivered set{to_colon, {.keys = 2}};
  for (const char* key : {"x", "", "y"}) set.add(key);
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("*"));
  EXPECT_TRUE(set.contains("a:1"));
  EXPECT_TRUE(set.contains(""));
}

TEST(undelivered, the_empty_key_is_a_key) {
  undelivered set{to_colon};
  set.add("");
  set.add("x");
  auto batch = set.take_batch(9);
  std::ranges::reverse(batch);
  set.delivered(batch);
  EXPECT_EQ(set.size(), 0u);
  set.add("");
  EXPECT_TRUE(set.contains(""));
}

TEST(undelivered, too_many_namespaces_become_everything) {
  undelivered set{to_colon, {.keys = 0}};
  for (std::size_t i = 0; i < undelivered::most_namespaces; ++i) set.add(std::to_string(i) + ":");
  EXPECT_EQ(set.size(), undelivered::most_namespaces);
  EXPECT_FALSE(set.contains("another:"));
  set.add("another:");
  EXPECT_EQ(set.size(), 1u);
  EXPECT_THAT(names(set.take_batch(9)), ElementsAre("*"));
  EXPECT_TRUE(set.contains("7:"));
}

// A model that knows for every key the moment of its latest invalidation, and what was delivered since.
RC_GTEST_PROP(undelivered, nothing_that_was_added_is_lost, ()) {
  const undelivered_limits limits{.keys = *rc::gen::inRange<std::size_t>(1, 12),
                                  .bytes = *rc::gen::inRange<std::size_t>(3, 60)};
  undelivered set{to_colon, limits};
  std::set<std::string> owed;  // not delivered after they were added the last time
  struct sent {
    std::vector<undelivered::item> batch;
    std::set<std::string> settles;  // of the owed ones, those that were not added since
  };
  std::vector<sent> under_way;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::size_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 8), rc::gen::inRange<std::size_t>(0, 40)));
  for (const auto& [what, number] : steps) {
    if (what < 5) {
      const std::string name{"ab:c"[number % 4]};
      const std::string key = name + (number % 5 == 0 ? "" : ":") + std::to_string(number / 4);
      set.add(key);
      owed.insert(key);
      for (sent& one : under_way) one.settles.erase(key);
    } else if (what == 5) {
      sent one{.batch = set.take_batch(number % 7), .settles = {}};
      for (const auto& item : one.batch) {
        for (const std::string& key : owed) {
          if (item.prefix ? key.starts_with(item.name) : key == item.name) one.settles.insert(key);
        }
      }
      under_way.push_back(std::move(one));
    } else if (!under_way.empty()) {
      const sent one = under_way[number % under_way.size()];
      under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(number % under_way.size()));
      if (what == 6) {
        set.put_back(one.batch);
      } else {
        set.delivered(one.batch);
        for (const std::string& key : one.settles) owed.erase(key);
      }
    }
    for (const std::string& key : owed) RC_ASSERT(set.contains(key));
    RC_ASSERT(set.bytes() <= limits.bytes);
  }
  for (const sent& one : under_way) set.put_back(one.batch);
  for (auto batch = set.take_batch(3); !batch.empty(); batch = set.take_batch(3)) {
    RC_ASSERT(batch.size() <= 3u);
    set.delivered(batch);
  }
  RC_ASSERT(set.size() == 0u);
  RC_ASSERT(set.bytes() == 0u);
  RC_ASSERT(!set.contains("a:1"));
}

}  // namespace
}  // namespace seawall::tier

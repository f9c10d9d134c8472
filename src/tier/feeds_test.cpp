// Proofs that are used again, feeds, and who hears of a change.
#include "feeds.hpp"
#include "listeners.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace seawall::tier {
namespace {

using namespace std::chrono_literals;

constexpr time_point start{1h};

TEST(proofs, one_that_ended_is_used_again_only_after_all_have_dropped_everything) {
  proofs all;
  std::set<tier_proof*> used;
  for (std::size_t i = 0; i < proofs::most; ++i) {
    const auto taken = all.take();
    EXPECT_FALSE(taken.tell_all);
    EXPECT_TRUE(used.insert(taken.proof).second) << "a new one each time";
    if (i != 0) all.end(taken.proof);
  }
  const auto again = all.take();
  EXPECT_TRUE(again.tell_all);
  EXPECT_TRUE(used.contains(again.proof));
  EXPECT_FALSE(again.proof->covers(start));
  again.proof->extend(start + 1s);
  EXPECT_TRUE(again.proof->covers(start));
}

TEST(proofs, one_that_is_in_use_is_not_used_again) {
  proofs all;
  for (std::size_t i = 0; i < proofs::most; ++i) EXPECT_TRUE(all.take().proof);
  EXPECT_FALSE(all.take().proof);
}

TEST(feeds, nothing_is_trusted_before_a_beat) {
  feeds all{1s};
  EXPECT_FALSE(all.announce(1));
  EXPECT_FALSE(all.stand_on(1, start));
  EXPECT_FALSE(all.expected(start));
  EXPECT_FALSE(all.beat(1, start, 7, 0));
  EXPECT_EQ(all.stand_on(1, start)->reign, 7);
  EXPECT_TRUE(all.expected(start + 999ms));
  EXPECT_FALSE(all.expected(start + 1s)) << "the beat is too long ago";
  EXPECT_FALSE(all.stand_on(2, start)) << "another connection";
}

TEST(feeds, another_reign_on_the_same_connection_ends_the_proof) {
  feeds all{1s};
  (void)all.announce(1);
  (void)all.beat(1, start, 7, 0);
  const tier_proof* const before = all.stand_on(1, start)->proof;
  EXPECT_FALSE(all.beat(1, start, 7, 0)) << "the same";
  EXPECT_TRUE(before->covers(start));
  EXPECT_TRUE(all.beat(1, start, 8, 0));
  EXPECT_FALSE(before->covers(start));
  EXPECT_TRUE(all.stand_on(1, start)->proof->covers(start));
  EXPECT_EQ(all.reign_changes(), 1);
}

TEST(feeds, what_an_answer_proves_counts_from_when_it_was_asked) {
  feeds all{1s};
  (void)all.announce(1);
  (void)all.beat(1, start, 7, 0);
  const tier_proof* const proof = all.stand_on(1, start + 500ms)->proof;
  EXPECT_TRUE(proof->covers(start + 1499ms));
  EXPECT_FALSE(proof->covers(start + 1500ms));
}

TEST(feeds, a_target_that_tells_of_no_changes_has_no_proof) {
  feeds all{1s};
  EXPECT_FALSE(all.beat(0, start, 7, 0));
  EXPECT_EQ(all.stand_on(0, start)->proof, nullptr);
}

TEST(feeds, the_clock_of_the_server_is_remembered_when_its_connection_is_gone) {
  feeds all{1s};
  (void)all.announce(1);
  (void)all.beat(1, start, 7, 123);
  all.lose(1);
  EXPECT_EQ(all.ahead_ms(), 123);
  EXPECT_EQ(all.last_reign(), 7);
}

class hearer final : public tier_listener {
 public:
  void on_changed(std::string_view key) noexcept override { keys.emplace_back(key); }
  void on_all_changed() noexcept override { ++alls; }
  std::vector<std::string> keys;
  int alls = 0;
};

TEST(listeners, all_whose_prefix_a_key_has_hear_of_it_without_the_prefix) {
  listeners all;
  const auto a = std::make_shared<hearer>();
  const auto ab = std::make_shared<hearer>();
  auto gone = std::make_shared<hearer>();
  all.attach("a:", a);
  all.attach("a:b:", ab);
  all.attach("a:", gone);
  gone.reset();
  EXPECT_EQ(all.changed("a:b:1"), 2);
  EXPECT_EQ(all.changed("a:2"), 1);
  EXPECT_EQ(all.changed("b"), 0);
  EXPECT_THAT(a->keys, testing::ElementsAre("b:1", "2"));
  EXPECT_THAT(ab->keys, testing::ElementsAre("1"));
  all.all_changed();
  EXPECT_EQ(a->alls, 1);
  EXPECT_EQ(all.prefix_of("a:b:1"), "a:b:");
  EXPECT_EQ(all.prefix_of("x"), "");
}

}  // namespace
}  // namespace seawall::tier

// Proofs that are used again, feeds, and who hears of a change.
#include "feeds.hpp"
#include "listeners.hpp"
#include "record_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
  EXPECT_FALSE(all.stand_on(1, 0, start));
  EXPECT_FALSE(all.expected(0, start));
  EXPECT_FALSE(all.beat(1, 0, start, {.reign = 7, .ahead_ms = 0}));
  EXPECT_EQ(all.stand_on(1, 0, start)->reign, 7);
  EXPECT_TRUE(all.expected(0, start + 999ms));
  EXPECT_FALSE(all.expected(0, start + 1s)) << "the beat is too long ago";
  EXPECT_FALSE(all.stand_on(2, 0, start)) << "another connection";
}

TEST(feeds, another_reign_on_the_same_connection_ends_the_proof) {
  feeds all{1s};
  (void)all.announce(1);
  (void)all.beat(1, 0, start, {.reign = 7, .ahead_ms = 0});
  const tier_proof* const before = all.stand_on(1, 0, start)->proof;
  EXPECT_FALSE(all.beat(1, 0, start, {.reign = 7, .ahead_ms = 0})) << "the same";
  EXPECT_TRUE(before->covers(start));
  EXPECT_TRUE(all.beat(1, 0, start, {.reign = 8, .ahead_ms = 0}));
  EXPECT_FALSE(before->covers(start));
  EXPECT_TRUE(all.stand_on(1, 0, start)->proof->covers(start));
  EXPECT_EQ(all.reign_changes(), 1);
}

TEST(feeds, what_an_answer_proves_counts_from_when_it_was_asked) {
  feeds all{1s};
  (void)all.announce(1);
  (void)all.beat(1, 0, start, {.reign = 7, .ahead_ms = 0});
  const tier_proof* const proof = all.stand_on(1, 0, start + 500ms)->proof;
  EXPECT_TRUE(proof->covers(start + 1499ms));
  EXPECT_FALSE(proof->covers(start + 1500ms));
}

TEST(feeds, a_target_that_tells_of_no_changes_has_no_proof) {
  feeds all{1s};
  EXPECT_FALSE(all.beat(0, 0, start, {.reign = 7, .ahead_ms = 0}));
  EXPECT_EQ(all.stand_on(0, 0, start)->proof, nullptr);
}

TEST(feeds, the_clock_of_the_server_is_remembered_when_its_connection_is_gone) {
  feeds all{1s};
  (void)all.announce(1);
  (void)all.beat(1, 0, start, {.reign = 7, .ahead_ms = 123});
  all.lose(1);
  EXPECT_EQ(all.ahead_ms(), 123);
  EXPECT_EQ(all.last_reign(0), 7);
}

// --- slots ----------------------------------------------------------------------------------------------------------

constexpr auto one_slot = [](std::uint64_t reign) { return beat_answer{.reign = reign}; };

// Two servers, a slot believed on each: 1 on the first connection, 2 on the second.
struct two_feeds {
  feeds all{1s};
  two_feeds() {
    all.divide(4);
    (void)all.announce(1);
    (void)all.announce(2);
    (void)all.beat(1, 1, start, one_slot(10));
    (void)all.beat(2, 2, start, one_slot(20));
  }
  const tier_proof* both() { return all.prove(std::vector<std::uint64_t>{2, 1}).proof; }
};

TEST(slots, each_is_believed_by_itself) {
  two_feeds of;
  EXPECT_EQ(of.all.stand_on(1, 1, start)->reign, 10);
  EXPECT_FALSE(of.all.stand_on(1, 0, start)) << "no beat of it";
  EXPECT_FALSE(of.all.stand_on(2, 1, start)) << "another server's";
  EXPECT_FALSE(of.all.expected(3, start));
  of.all.recheck(1, 1);
  EXPECT_FALSE(of.all.expected(1, start));
  EXPECT_TRUE(of.all.expected(2, start));
}

TEST(slots, one_that_moves_is_believed_on_its_new_server_alone) {
  two_feeds of;
  EXPECT_FALSE(of.all.beat(2, 1, start, one_slot(11))) << "what was read of it before is proved by the old server";
  EXPECT_FALSE(of.all.stand_on(1, 1, start));
  EXPECT_EQ(of.all.stand_on(2, 1, start)->reign, 11);
  EXPECT_EQ(of.all.last_reign(1), 11);
  EXPECT_EQ(of.all.reign_changes(), 1);
}

TEST(slots, a_doubt_is_of_all_slots_of_the_connection_and_counts_once) {
  two_feeds of;
  (void)of.all.beat(1, 0, start, one_slot(10));
  const tier_proof* const proof = of.all.stand_on(1, 0, start)->proof;
  EXPECT_TRUE(of.all.doubt(1).new_to_it);
  EXPECT_FALSE(proof->covers(start));
  EXPECT_FALSE(of.all.doubt(1).new_to_it);
  for (const std::uint16_t slot : {0, 1}) EXPECT_FALSE(of.all.stand_on(1, slot, start));
  EXPECT_TRUE(of.all.stand_on(2, 2, start));
  (void)of.all.beat(1, 0, start, one_slot(10));
  EXPECT_TRUE(of.all.stand_on(1, 0, start));
  EXPECT_FALSE(of.all.stand_on(1, 1, start)) << "not asked again yet";
}

TEST(slots, a_server_that_was_a_replica_meanwhile_is_asked_for_each_slot_again) {
  two_feeds of;
  (void)of.all.beat(1, 0, start, one_slot(10));
  const tier_proof* const proof = of.all.stand_on(1, 0, start)->proof;
  (void)of.all.beat(1, 0, start, {.reign = 12, .history = "another"});
  EXPECT_FALSE(proof->covers(start));
  EXPECT_TRUE(of.all.stand_on(1, 0, start));
  EXPECT_FALSE(of.all.stand_on(1, 1, start));
}

TEST(slots, a_pulse_is_felt_where_something_is_believed) {
  two_feeds of;
  EXPECT_EQ(of.all.pulse(1), 1);
  EXPECT_EQ(of.all.pulse(2), 2);
  (void)of.all.beat(2, 1, start, one_slot(11));
  EXPECT_EQ(of.all.pulse(1), std::nullopt) << "it has no slot any more";
  (void)of.all.beat(1, 3, start, one_slot(10));
  (void)of.all.beat(1, 0, start, one_slot(10));
  (void)of.all.beat(2, 0, start, one_slot(10));
  EXPECT_EQ(of.all.pulse(1), 3) << "the last one moved away";
  EXPECT_EQ(of.all.pulse(9), std::nullopt);
}

TEST(slots, a_proof_of_several_servers_holds_as_long_as_the_most_silent_of_them) {
  two_feeds of;
  const tier_proof* const proof = of.both();
  ASSERT_TRUE(proof);
  EXPECT_EQ(of.both(), proof) << "one for all entries that need it";
  EXPECT_NE(proof, of.all.stand_on(1, 1, start)->proof);
  EXPECT_TRUE(proof->covers(start + 999ms));
  (void)of.all.beat(1, 1, start + 500ms, one_slot(10));
  EXPECT_FALSE(proof->covers(start + 1s));
  (void)of.all.beat(2, 2, start + 400ms, one_slot(20));
  EXPECT_TRUE(proof->covers(start + 1399ms));
  EXPECT_FALSE(proof->covers(start + 1400ms));
}

TEST(slots, a_proof_of_several_servers_ends_with_any) {
  for (const std::uint64_t which : {1, 2}) {
    const auto ends = [&](auto happens) {
      two_feeds of;
      const tier_proof* const proof = of.both();
      happens(of.all);
      return !proof->covers(start);
    };
    EXPECT_TRUE(ends([&](feeds& all) { all.lose(which); }));
    EXPECT_TRUE(ends([&](feeds& all) { (void)all.doubt(which); }));
    const auto slot = static_cast<std::uint16_t>(which);
    EXPECT_TRUE(ends([&](feeds& all) { (void)all.beat(which, slot, start, one_slot(99)); })) << "another reign";
    EXPECT_FALSE(ends([&](feeds& all) { (void)all.beat(which, 0, start, one_slot(99)); })) << "of another slot";
  }
}

TEST(slots, what_cannot_be_proved_is_not) {
  two_feeds of;
  const auto proved = [&](std::vector<std::uint64_t> of_these) { return of.all.prove(of_these).proof != nullptr; };
  EXPECT_TRUE(proved({1, 1, 1}));
  EXPECT_FALSE(proved({}));
  EXPECT_FALSE(proved({1, 3})) << "an unknown connection";
  (void)of.all.beat(0, 3, start, one_slot(30));
  EXPECT_FALSE(proved({1, 0})) << "one that tells of nothing";
  std::vector<std::uint64_t> many;
  for (std::uint64_t i = 1; i <= feeds::most_members + 1; ++i) {
    if (i > 2) (void)of.all.announce(i);
    many.push_back(i);
  }
  EXPECT_FALSE(proved(many));
  many.pop_back();
  EXPECT_TRUE(proved(many));
}

TEST(slots, there_are_so_many_proofs_at_once) {
  feeds all{1s};
  all.divide(4);
  std::size_t proved = 0;
  for (std::uint64_t i = 1; i <= 40; ++i) (void)all.announce(i);
  for (std::uint64_t i = 1; i <= 40; ++i) {
    for (std::uint64_t j = 1; j < i; ++j) proved += all.prove(std::vector<std::uint64_t>{i, j}).proof != nullptr;
  }
  EXPECT_EQ(proved, feeds::most_sets);
  all.lose(1);
  EXPECT_TRUE(all.prove(std::vector<std::uint64_t>{39, 40}).proof) << "there is room again";
}

TEST(slots, a_proof_of_several_that_is_used_again_covers_nothing_before_all_have_dropped_everything) {
  two_feeds of;
  (void)of.all.announce(4);  // so that the last unused one is a connection's
  std::size_t used = 0;
  for (; used < 2 * proofs::most; ++used) {
    (void)of.all.announce(3);
    const std::vector<std::uint64_t> these{1, 3};
    (void)of.all.beat(3, 3, start, one_slot(30));
    const auto taken = of.all.prove(these);
    if (!taken.tell_all) continue;
    ASSERT_TRUE(taken.proof);
    EXPECT_FALSE(taken.proof->covers(start));
    EXPECT_EQ(of.all.prove(these).proof, taken.proof);
    EXPECT_TRUE(taken.proof->covers(start));
    return;
  }
  EXPECT_LT(used, 2 * proofs::most);
}

// --- names ----------------------------------------------------------------------------------------------------------

TEST(record_keys, the_record_of_a_slot_lies_in_it) {
  record_keys keys{"seawall:reign"};
  EXPECT_EQ(keys.reign_key(0), "seawall:reign");
  EXPECT_EQ(keys.slot_of_reign("seawall:reign"), 0);
  EXPECT_EQ(keys.slot_of_reign("seawall:reign:{1}"), std::nullopt);
  EXPECT_EQ(keys.slot_of("whatever"), 0);
  keys.divide();
  for (int slot = 0; slot < redis::slot_count; ++slot) {
    const auto number = static_cast<redis::slot_number>(slot);
    ASSERT_EQ(redis::slot_of(slot_tag(number)), slot);
    ASSERT_EQ(keys.slot_of(keys.reign_key(number)), slot);
    ASSERT_EQ(keys.slot_of_reign(keys.reign_key(number)), slot);
  }
  EXPECT_EQ(keys.slot_of_reign("seawall:reign"), std::nullopt);
  EXPECT_EQ(keys.slot_of_reign("seawall:reigns"), std::nullopt);
}

TEST(record_keys, the_record_of_a_cache_is_in_parts_where_its_entries_are) {
  record_keys keys{"r"};
  EXPECT_THAT(keys.tag_keys("users:", 0), testing::ElementsAre("seawall:tag:users:0000000000000000"));
  EXPECT_EQ(keys.key_of(keys.tag_of("users:", 0, "users:1")), "seawall:tag:users:0000000000000000");
  keys.divide();
  const auto parts = keys.tag_keys("users:", 0);
  EXPECT_EQ(std::set<std::string>(parts.begin(), parts.end()).size(), 64);
  for (const std::string key : {"users:1", "users:2", "users:{a}b", "users:{}"}) {
    const std::string record = keys.key_of(keys.tag_of("users:", 0, key));
    EXPECT_THAT(parts, testing::Contains(record));
    EXPECT_EQ(keys.slot_of(record) / record_keys::slots_of_part, keys.slot_of(key) / record_keys::slots_of_part);
    ASSERT_TRUE(tag_of_key(record));
    EXPECT_EQ(*tag_of_key(record), (std::pair<std::string_view, std::uint64_t>{"users:", 0}));
  }
  EXPECT_THAT(keys.tag_keys("users:", 7), testing::ElementsAre("seawall:tag:users:0000000000000007"));
  EXPECT_EQ(keys.slot_of(keys.key_of(keys.tag_of("{app}:", 0, "{app}:1"))), redis::slot_of("app")) << "all in one slot";
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

TEST(listeners, prefixes_are_remembered_longer_than_their_caches) {
  listeners all;
  for (const char* prefix : {"a:", "a:b:", "ab:"}) all.attach(prefix, std::make_shared<hearer>());
  EXPECT_THAT(all.prefixes_under("a:"), testing::ElementsAre("a:", "a:b:"));
  EXPECT_THAT(all.prefixes_under(""), testing::SizeIs(3));
  EXPECT_THAT(all.prefixes_under("b"), testing::IsEmpty());
}

}  // namespace
}  // namespace seawall::tier

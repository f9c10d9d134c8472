// Tags in front of a server that says what the test wants: when their generations are read, and what they decide.
#include "seawall/cmd/error.hpp"
#include "tag_cache.hpp"
#include "test_remote.hpp"

#include <map>

namespace seawall::tier {
namespace {

constexpr std::uint64_t whole = 0;
constexpr std::uint64_t red = 7;

class told_cache final : public tier_listener {
 public:
  void on_changed(std::string_view key) noexcept override { keys.emplace_back(key); }
  void on_tag_changed(std::uint64_t tag) noexcept override { tags.push_back(tag); }
  void on_tags_lost() noexcept override { ++losses; }
  void on_all_changed() noexcept override { ++alls; }

  std::vector<std::string> keys;
  std::vector<std::uint64_t> tags;
  int losses = 0;
  int alls = 0;
};

class tags_test : public remote_tier_test {
 protected:
  void SetUp() override {
    remote_tier_test::SetUp();
    server.answer = [this](const words& command) {
      const bool of_tag = command.size() > 1 && command.at(1).starts_with(tag_key_start);
      return of_tag ? of_record(command) : reply(command);
    };
  }

  std::string of_record(const words& command) {
    if (!reaches) return {};
    const auto found = records.find(command.at(1));
    if (command.front() == "GET") return found == records.end() ? null : bulk(found->second);
    if (command.front() == "UNLINK") return number(static_cast<std::int64_t>(records.erase(command.at(1))));
    if (command.at(3) == "NX" && found != records.end()) return null;
    records[command.at(1)] = command.at(2);
    return fine;
  }

  static std::string key_of(std::uint64_t tag) { return tag_key_of("c:", tag); }
  std::uint64_t generation(std::uint64_t tag) const {
    std::uint64_t made = 0;
    for (const char byte : records.at(key_of(tag))) made = made << 8 | static_cast<std::uint8_t>(byte);
    return made;
  }

  // Names no tag: those of the entry count all the same.
  auto read_of_cache(auto... change) {
    return read([](auto& what) { what.prefix = "c:"; }, change...);
  }
  auto read_tagged() {
    return read_of_cache([](auto& what) { what.tags = {red}; });
  }
  std::shared_ptr<noted<tier_tag_change>> change_tag(std::uint64_t tag) {
    auto what = std::make_shared<noted<tier_tag_change>>();
    what->prefix = "c:";
    what->tag = tag;
    tier->change_tag(what);
    return what;
  }
  void store_entry(std::vector<tag_stamp> tags) {
    const tier_entry entry{.fresh_for = 1h, .tags = std::move(tags), .payload = "v"};
    stored = encode_entry(entry, {.high = 7, .low = 7}, reign_number('A'), 0, {});
  }
  // The tags whose records were read since the last time, and the key as "k".
  std::vector<std::string> reads() {
    std::vector<std::string> all;
    for (const words& one : std::exchange(server.commands, {})) {
      if (one.front() != "GET") continue;
      all.push_back(one.at(1) == key_of(whole) ? "whole" : one.at(1) == key_of(red) ? "red" : one.at(1));
    }
    return all;
  }

  std::map<std::string, std::string> records;
  bool reaches = true;
};

TEST_F(tags_test, a_lease_is_stamped_with_what_was_read_in_front_of_it) {
  const auto leased = read_tagged();
  ASSERT_EQ(leased->is, outcome::leased);
  EXPECT_THAT(leased->stamps, ElementsAre(tag_stamp{whole, generation(whole)}, tag_stamp{red, generation(red)}));
  std::vector<std::string> order;
  for (const words& one : server.commands) {
    if (one.front() == "SET" || one.front() == "GET") order.push_back(one.front() + ' ' + one.at(1).substr(0, 11));
  }
  const std::vector<std::string> last(order.end() - 6, order.end());
  EXPECT_THAT(last, ElementsAre("SET seawall:tag", "GET seawall:tag", "SET seawall:tag", "GET seawall:tag", "SET k",
                                "GET k"));
}

TEST_F(tags_test, what_is_known_is_not_read_again_before_it_changes) {
  read_tagged();
  reads();
  const auto after = [&](auto event) {
    event();
    read_tagged();
    return reads();
  };
  EXPECT_THAT(after([] {}), ElementsAre("k"));
  EXPECT_THAT(after([&] { tier->feed()->on_invalidate(1, key_of(red)); }), ElementsAre("red", "k"));
  EXPECT_THAT(after([] {}), ElementsAre("k"));
  EXPECT_THAT(after([&] { tier->feed()->on_loss(1, tracking_loss::flushed, 0); }), ElementsAre("whole", "red", "k"));
  EXPECT_THAT(after([&] { reconnect(); }), ElementsAre("whole", "red", "k"));
}

TEST_F(tags_test, what_was_known_before_a_flush_is_read_again_though_the_feed_is_proved_again) {
  read_tagged();
  tier->feed()->on_loss(1, tracking_loss::flushed, 0);
  read_of_cache();
  reads();
  read_tagged();
  EXPECT_THAT(reads(), ElementsAre("red", "k"));
}

TEST_F(tags_test, an_entry_is_a_hit_while_its_tags_are_what_they_were) {
  read_tagged();
  const auto no_lease = [](auto& what) { what.takes_lease = false; };
  store_entry({{whole, generation(whole)}, {red, generation(red)}});
  EXPECT_EQ(read_of_cache()->is, outcome::hit);
  store_entry({{whole, generation(whole)}, {red, generation(red) + 1}});
  EXPECT_EQ(read_of_cache(no_lease)->is, outcome::held);
  store_entry({{whole, generation(whole) + 1}});
  EXPECT_EQ(read_of_cache(no_lease)->is, outcome::held);
}

TEST_F(tags_test, a_change_is_a_number_that_was_never_there) {
  read_tagged();
  std::vector<std::uint64_t> seen{generation(red)};
  change_tag(red);
  seen.push_back(generation(red));
  records.clear();
  tier->feed()->on_invalidate(1, key_of(red));
  tier->feed()->on_invalidate(1, key_of(whole));
  stored.reset();
  read_tagged();
  seen.push_back(generation(red));
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

// A copy that comes after another change would bring back a generation that entries were stored with.
TEST_F(tags_test, the_client_does_not_repeat_a_change) {
  change_tag(red);
  ASSERT_EQ(server.commands.back().front(), "SET");
  EXPECT_EQ(server.effects.back(), cmd::effect::write_once);
}

TEST_F(tags_test, nothing_is_read_under_a_tag_whose_change_waits) {
  read_tagged();
  store_entry({{whole, generation(whole)}, {red, generation(red)}});
  reaches = false;
  const auto change = change_tag(red);
  EXPECT_TRUE(change->failure);
  EXPECT_EQ(change->ends, 1);
  EXPECT_EQ(tier->stats().undelivered, 1);
  const auto refused = read_of_cache();
  EXPECT_EQ(refused->is, outcome::failed);
  EXPECT_THAT(refused->failure->message(), testing::HasSubstr("tag"));
  stored.reset();
  EXPECT_EQ(read_tagged()->is, outcome::failed) << "nor is a lease";

  reaches = true;
  tier->feed()->on_tracking(1);
  EXPECT_EQ(tier->stats().undelivered, 0);
  EXPECT_FALSE(records.contains(key_of(red))) << "a lost record is a changed tag";
  stored.reset();
  EXPECT_EQ(read_tagged()->is, outcome::leased);
}

TEST_F(tags_test, a_cache_is_told_of_its_own_tags) {
  const auto c = std::make_shared<told_cache>();
  const auto d = std::make_shared<told_cache>();
  tier->attach("c:", c);
  tier->attach("d:", d);
  tier->feed()->on_invalidate(1, key_of(red));
  EXPECT_THAT(c->tags, ElementsAre(red));
  EXPECT_THAT(d->tags, ElementsAre());
  EXPECT_THAT(c->keys, ElementsAre());
}

TEST_F(tags_test, a_lost_connection_loses_tags_and_a_flush_everything) {
  const auto c = std::make_shared<told_cache>();
  tier->attach("c:", c);
  read();
  tier->feed()->on_loss(1, tracking_loss::flushed, 0);
  EXPECT_EQ(c->alls, 1);
  EXPECT_EQ(c->losses, 0);
  tier->feed()->on_loss(1, tracking_loss::disconnected, 0);
  EXPECT_EQ(c->alls, 1);
  EXPECT_EQ(c->losses, 1);
}

TEST_F(tags_test, what_came_over_a_connection_that_tells_nothing_is_read_each_time) {
  server.generation = 0;
  read_tagged();
  reads();
  read_tagged();
  EXPECT_THAT(reads(), ElementsAre("whole", "red", "k"));
}

}  // namespace
}  // namespace seawall::tier

// Calls in front of a cluster of two servers that say what the test wants: which of them is believed, and for what.
#include "record_keys.hpp"
#include "seawall/cmd/error.hpp"
#include "test_remote.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace seawall::tier {
namespace {

// The key "k" is on the first server, connection 1; the records of tags are on the second, but for that of the cache.
class cluster_calls_test : public remote_tier_test {
 protected:
  void SetUp() override {
    server.answer = [this](const words& command) { return answer(command); };
    server.generation_for = [this](const words& command) { return place_of(command); };
    start({.canary_interval = 0s, .advise = false});
  }
  void start(tier_options how, remote_tier::open_aside aside = nullptr) {
    tier.reset();
    how.clock = clock;
    how.seed = 1;
    const auto target = [&](const auto&) {
      return remote_tier::made_target{
          .where = &server, .cluster = true, .look_for_moves = [this] { ++looks; }, .aside = std::move(aside)};
    };
    auto made = remote_tier::make(target, std::move(how));
    ASSERT_TRUE(made);
    tier = *std::move(made);
    for (const std::uint64_t connection : {1, 2}) tier->feed()->on_tracking(connection);
  }

  static const std::string& key_in(const words& command) { return command.at(command.front() == "EVAL" ? 3 : 1); }
  std::uint64_t place_of(const words& command) const {
    const auto slot = redis::slot_of(key_in(command)), own = redis::slot_of("k");
    if (slot == own) return command.front() == "EVAL" ? record_at : key_at;
    return slot / record_keys::slots_of_part == own / record_keys::slots_of_part ? 1 : tags_at;
  }
  std::string answer(const words& command) {
    if (command.front() == "EVAL") return place_of(command) == silent ? std::string{} : reigns.at(place_of(command));
    if (!key_in(command).starts_with(tag_key_start)) return reply(command);
    if (command.front() == "UNLINK") return refuses.contains(key_in(command)) ? std::string{} : number(1);
    if (command.front() == "SET") return records[key_in(command)] = command.at(2), fine;
    const auto found = records.find(key_in(command));
    return found == records.end() ? null : bulk(found->second);
  }

  auto read_tagged(auto... change) {
    return read([](auto& what) {
      what.prefix = "c:";
      what.tags = {7};
    }, change...);
  }
  /// Stores an entry as its leaseholder would.
  void store_tagged() {
    const auto leased = read_tagged();
    ASSERT_EQ(leased->is, outcome::leased);
    ASSERT_EQ(leased->stamps.size(), 2);
    const tier_entry entry{.fresh_for = 1h, .tags = leased->stamps, .payload = "v"};
    stored = encode_entry(entry, {.high = 7, .low = 7}, reign_number('A'), 0, {});
    sent();
  }

  std::map<std::uint64_t, std::string> reigns{{1, reign_reply('A')}, {2, reign_reply('B')}};
  std::map<std::string, std::string> records;
  std::set<std::string> refuses;
  std::uint64_t key_at = 1, record_at = 1, tags_at = 2;
  std::uint64_t silent = 0;  // answers no beats
  int looks = 0;
};

TEST_F(cluster_calls_test, a_beat_asks_for_the_record_of_the_keys_slot) {
  stored = value('A');
  EXPECT_EQ(read()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
  const std::string& record = server.commands.front().at(3);
  EXPECT_TRUE(record.starts_with("seawall:reign:{")) << record;
  EXPECT_EQ(redis::slot_of(record), redis::slot_of("k"));
}

TEST_F(cluster_calls_test, what_another_server_answers_than_the_beat_is_not_believed) {
  stored = value('A');
  record_at = 2;
  const auto failed = read();
  EXPECT_EQ(failed->is, outcome::failed);
  EXPECT_EQ(failed->failure->code(), cmd::make_error_code(cmd::errc::try_again));
  EXPECT_EQ(failed->told, 0);
  for (int i = 0; i < 10; ++i) read();
  EXPECT_EQ(tier->stats().breaker, breaker_state::closed) << "the servers are well";
}

TEST_F(cluster_calls_test, a_slot_that_has_moved_is_asked_for_its_reign_again) {
  stored = value('A');
  read();
  key_at = record_at = 2;
  stored = value('B');
  sent();
  const auto hit = read();
  EXPECT_EQ(hit->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("GET", "EVAL GET"));
  tier->feed()->on_loss(1, tracking_loss::disconnected, 0);
  EXPECT_TRUE(hit->proof->covers(clock->now())) << "the old server has no part in it";
}

TEST_F(cluster_calls_test, one_lost_slot_makes_all_answers_of_its_server_uncertain_once) {
  stored = value('A');
  const auto hit = read();
  for (std::uint16_t slot = 0; slot < 5000; ++slot) tier->feed()->on_loss(1, tracking_loss::slot_moved, slot);
  EXPECT_FALSE(hit->proof->covers(clock->now()));
  sent();
  EXPECT_TRUE(read()->proof->covers(clock->now()));
  EXPECT_THAT(sent(), ElementsAre("EVAL GET"));
}

// --- tags -----------------------------------------------------------------------------------------------------------

TEST_F(cluster_calls_test, an_entry_is_proved_by_all_servers_that_it_depends_on) {
  store_tagged();
  for (const std::uint64_t lost : {1, 2}) {
    const auto hit = read_tagged();
    ASSERT_EQ(hit->is, outcome::hit) << lost;
    ASSERT_TRUE(hit->proof);
    EXPECT_TRUE(hit->proof->covers(clock->now()));
    tier->feed()->on_loss(lost, tracking_loss::disconnected, 0);
    EXPECT_FALSE(hit->proof->covers(clock->now())) << lost;
    tier->feed()->on_tracking(lost);
  }
}

TEST_F(cluster_calls_test, what_another_server_told_of_a_tag_serves_while_it_lives) {
  store_tagged();
  EXPECT_EQ(read_tagged()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("GET"));
  tier->feed()->on_invalidate(2, tag_key_of("c:", 7));
  EXPECT_EQ(read_tagged()->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("GET GET"));
}

TEST_F(cluster_calls_test, a_fresh_read_asks_the_other_servers_itself) {
  store_tagged();
  const auto fresh = [](auto& what) { what.fresh = true; };
  EXPECT_EQ(read_tagged(fresh)->is, outcome::hit);
  EXPECT_THAT(sent(), ElementsAre("GET GET"));
  records[tag_key_of("c:", 7)] = "changed!";
  EXPECT_EQ(read_tagged()->is, outcome::hit) << "the news have not come yet";
  EXPECT_NE(read_tagged(fresh)->is, outcome::hit);
}

TEST_F(cluster_calls_test, a_fresh_read_waits_for_the_other_servers) {
  store_tagged();
  records[tag_key_of("c:", 7)] = "changed!";
  server.hold = true;
  const auto late = read_tagged([](auto& what) { what.fresh = true; });
  ASSERT_EQ(server.waiting.size(), 2);
  std::swap(server.waiting[0], server.waiting[1]);
  server.answer_all();
  EXPECT_EQ(late->ends, 1);
  EXPECT_NE(late->is, outcome::hit);
}

TEST_F(cluster_calls_test, what_a_silent_server_told_of_a_tag_is_not_believed) {
  store_tagged();
  ASSERT_EQ(read_tagged()->is, outcome::hit);
  records[tag_key_of("c:", 7)] = "changed!";  // and the news do not come
  clock->advance(250ms);
  EXPECT_EQ(read_tagged()->is, outcome::hit) << "within the bound";
  silent = 2;
  clock->advance(2s);
  EXPECT_NE(read_tagged()->is, outcome::hit);
}

TEST_F(cluster_calls_test, a_tag_whose_server_went_back_in_time_is_another_one) {
  store_tagged();
  ASSERT_EQ(read_tagged()->is, outcome::hit);
  tier->feed()->on_loss(2, tracking_loss::disconnected, 0);
  tier->feed()->on_tracking(3);
  tags_at = 3;
  reigns[3] = reign_reply('C');
  const auto no_lease = [](auto& what) { what.takes_lease = false; };
  EXPECT_EQ(read_tagged(no_lease)->is, outcome::held);
  tier->feed()->on_loss(3, tracking_loss::disconnected, 0);
  tier->feed()->on_tracking(4);
  tags_at = 4;
  reigns[4] = reign_reply('B');
  EXPECT_EQ(read_tagged(no_lease)->is, outcome::hit) << "the same reign: nothing was lost";
}

TEST_F(cluster_calls_test, who_has_changed_a_tag_does_not_wait_for_the_news) {
  store_tagged();
  ASSERT_EQ(read_tagged()->is, outcome::hit);
  auto change = std::make_shared<noted<tier_tag_change>>();
  change->prefix = "c:";
  change->tag = 7;
  tier->change_tag(change);
  EXPECT_FALSE(change->failure);
  EXPECT_NE(read_tagged()->is, outcome::hit);
}

TEST_F(cluster_calls_test, a_whole_cache_is_changed_in_all_its_parts) {
  auto change = std::make_shared<noted<tier_tag_change>>();
  change->prefix = "c:";
  tier->change_tag(change);
  EXPECT_EQ(records.size(), 64);
  EXPECT_EQ(tier->stats().totals.tag_changes, 1);
}

// --- settings -------------------------------------------------------------------------------------------------------

TEST_F(cluster_calls_test, the_settings_of_each_server_are_looked_at_once) {
  std::vector<std::uint64_t> asked;
  std::vector<std::shared_ptr<played_server>> nodes;
  const auto aside = [&](std::string_view key) {
    const std::uint64_t place = place_of({"GET", std::string{key}});
    asked.push_back(place);
    const auto& one = nodes.emplace_back(std::make_shared<played_server>());
    one->answer = [place](const words& command) {
      const std::string node = "id n" + std::to_string(place) + ":1@2 myself,master - 0 0 1 connected 0-5\n";
      if (command.front() == "CLUSTER") return bulk(node);
      if (command.front() == "INFO") return bulk(place == 2 ? "maxmemory:0\r\n" : "maxmemory:9\r\n");
      return command.back() == "save" ? "%1\r\n" + bulk("save") + bulk("9 1") : std::string{"%0\r\n"};
    };
    return one;
  };
  start({.canary_interval = 0s}, aside);
  store_tagged();
  ASSERT_EQ(read_tagged()->is, outcome::hit) << "both servers are used";
  const auto said = [&] {
    std::vector<std::string> all;
    for (const advice& one : tier->advice()) all.push_back(one.subject + " " + one.text.substr(0, one.text.find(": ")));
    return all;
  };
  clock->advance(2s);
  EXPECT_THAT(asked, testing::UnorderedElementsAre(1, 2));
  EXPECT_THAT(said(), ElementsAre("maxmemory At n2:1", testing::StartsWith("save At n")));
  tier->feed()->on_loss(2, tracking_loss::disconnected, 0);
  EXPECT_THAT(said(), ElementsAre("save At n1:1"));
}

// --- the rest -------------------------------------------------------------------------------------------------------

TEST_F(cluster_calls_test, each_server_is_asked_for_its_own_signs_of_life) {
  store_tagged();
  const auto hit = read_tagged();
  sent();
  clock->advance(250ms);
  EXPECT_THAT(sent(), ElementsAre("EVAL", "EVAL"));
  EXPECT_TRUE(hit->proof->covers(clock->now() + 999ms));
  silent = 2;
  clock->advance(2s);
  EXPECT_FALSE(hit->proof->covers(clock->now())) << "the other one is silent";
  sent();
  read_tagged();
  EXPECT_THAT(sent(), ElementsAre("EVAL GET GET")) << "nobody knows what has become of the tag";
  stored = value('A');  // an entry without tags
  const auto alone = read();
  ASSERT_TRUE(alone->proof);
  EXPECT_TRUE(alone->proof->covers(clock->now()));
}

TEST_F(cluster_calls_test, it_looks_for_slots_that_were_taken_while_something_is_proved) {
  clock->advance(10s);
  EXPECT_EQ(looks, 0);
  stored = value('A');
  read();
  clock->advance(2s);
  EXPECT_GE(looks, 3);
  EXPECT_LE(looks, 4);
}

TEST_F(cluster_calls_test, keys_are_invalidated_one_by_one_and_those_that_fail_wait) {
  server.answer = [this](const words& command) {
    return command.front() == "UNLINK" && refuses.contains(command.at(1)) ? std::string{} : answer(command);
  };
  refuses = {"b"};
  auto what = std::make_shared<noted<tier_invalidation>>();
  what->keys = {"a", "b", "c"};
  tier->invalidate(what);
  EXPECT_TRUE(what->failure);
  EXPECT_EQ(what->undelivered, 1);
  EXPECT_EQ(what->removed, 2);
  EXPECT_THAT(sent(), ElementsAre("UNLINK UNLINK UNLINK"));
  EXPECT_EQ(read([](auto& asked) { asked.key = "b"; })->is, outcome::failed);
  sent();
  tier->feed()->on_tracking(2);
  EXPECT_EQ(tier->stats().undelivered, 1);
  refuses.clear();
  tier->feed()->on_tracking(2);
  EXPECT_EQ(tier->stats().undelivered, 0);
  EXPECT_THAT(sent(), ElementsAre("UNLINK", "UNLINK"));
}

}  // namespace
}  // namespace seawall::tier

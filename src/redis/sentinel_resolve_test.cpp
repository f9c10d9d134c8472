#include "sentinel_resolve.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace seawall::redis {
namespace {

using state = sentinel_resolve::state;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

net::address at(std::string host, std::uint16_t port = 26379) { return {.host = std::move(host), .port = port}; }
net::address server(std::string host) { return at(std::move(host), 6379); }

const std::vector<net::address> three{at("s1"), at("s2"), at("s3")};

// What the sentinel `me` of s1, s2, s3 says: all know each other.
sentinel_answer says(const std::string& me, const std::string& primary, std::uint64_t epoch = 1,
                     std::vector<std::string> group = {"s1", "s2", "s3"}) {
  sentinel_answer one{.id = "id-" + me, .epoch = epoch};
  if (!primary.empty()) one.primary = server(primary);
  for (const auto& other : group) {
    if (other != me) one.others.push_back({at(other), "id-" + other});
  }
  return one;
}

struct told_primary {
  std::string sentinel;
  std::string primary;  // "dead": does not answer; "": knows no such name
  std::uint64_t epoch = 1;
};

void tell(sentinel_resolve& round, const told_primary& what) {
  round.to_ask();
  if (what.primary == "dead") round.failed(at(what.sentinel), "connection refused");
  else round.answered(at(what.sentinel), says(what.sentinel, what.primary, what.epoch));
}

std::string verdict(const sentinel_resolve& round) {
  switch (round.now_in()) {
    case state::going_on: return "going on";
    case state::found: return fmt::format("{}@{}", round.found().primary.host, round.found().epoch);
    case state::unknown_name: return "unknown name";
    default: return "undecided";
  }
}

TEST(sentinel_resolve, every_order_of_three_answers_has_one_outcome) {
  struct row {
    const char* what;
    std::vector<told_primary> answers;
    std::string verdict;
  };
  const std::vector<row> table{
      {"agreement", {{"s1", "a"}, {"s2", "a"}, {"s3", "a"}}, "a@1"},
      {"one is behind", {{"s1", "old", 1}, {"s2", "new", 2}, {"s3", "new", 2}}, "new@2"},
      {"one is ahead: the others follow soon", {{"s1", "new", 2}, {"s2", "old", 1}, {"s3", "old", 1}}, "old@1"},
      {"a liar has the highest epoch", {{"s1", "liar", 99}, {"s2", "a", 7}, {"s3", "a", 7}}, "a@7"},
      {"a liar raises the epoch of the truth", {{"s1", "a", 99}, {"s2", "a", 7}, {"s3", "a", 7}}, "a@7"},
      {"split view", {{"s1", "a", 1}, {"s2", "b", 2}, {"s3", "c", 3}}, "undecided"},
      {"one is dead", {{"s1", "a"}, {"s2", "dead"}, {"s3", "a"}}, "a@1"},
      {"one is dead, two differ", {{"s1", "a", 1}, {"s2", "b", 2}, {"s3", "dead"}}, "undecided"},
      {"a majority is dead", {{"s1", "a"}, {"s2", "dead"}, {"s3", "dead"}}, "undecided"},
      {"all are dead", {{"s1", "dead"}, {"s2", "dead"}, {"s3", "dead"}}, "undecided"},
      {"nobody knows the name", {{"s1", ""}, {"s2", ""}, {"s3", ""}}, "unknown name"},
      {"one does not know the name", {{"s1", ""}, {"s2", "a"}, {"s3", "a"}}, "a@1"},
      {"one knows the name", {{"s1", ""}, {"s2", ""}, {"s3", "a"}}, "unknown name"},
      {"the living do not know the name", {{"s1", ""}, {"s2", "dead"}, {"s3", "dead"}}, "unknown name"},
      {"nobody is sure", {{"s1", ""}, {"s2", "a"}, {"s3", "dead"}}, "undecided"},
  };
  for (const auto& [what, answers, wanted] : table) {
    std::vector<std::size_t> order(answers.size());
    std::iota(order.begin(), order.end(), 0U);
    do {
      sentinel_resolve round{"db", three};
      EXPECT_THAT(round.to_ask(), ElementsAre(at("s1"), at("s2"), at("s3")));
      for (const std::size_t i : order) tell(round, answers[i]);
      EXPECT_EQ(verdict(round), wanted)
          << what << ", order " << testing::PrintToString(order) << ": " << round.account();
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST(sentinel_resolve, two_of_three_are_enough_while_the_third_is_silent) {
  sentinel_resolve round{"db", three};
  tell(round, {"s2", "a", 4});
  EXPECT_EQ(verdict(round), "going on");
  tell(round, {"s3", "a", 4});
  EXPECT_EQ(verdict(round), "a@4");
}

TEST(sentinel_resolve, what_comes_after_the_verdict_or_from_a_stranger_changes_nothing) {
  sentinel_resolve round{"db", three};
  tell(round, {"stranger", "b", 9});
  tell(round, {"s1", "a"});
  tell(round, {"s1", "b"});
  tell(round, {"s2", "a"});
  tell(round, {"s3", "b", 9});
  EXPECT_EQ(verdict(round), "a@1");
  EXPECT_THAT(round.to_ask(), IsEmpty());
}

TEST(sentinel_resolve, one_configured_sentinel_is_checked_against_those_it_tells_about) {
  struct row {
    std::string s2, s3, verdict;
  };
  for (const auto& [s2, s3, wanted] : std::vector<row>{{"a", "a", "a@1"},
                                                       {"a", "b", "a@1"},
                                                       {"b", "b", "b@1"},
                                                       {"b", "c", "undecided"},
                                                       {"b", "dead", "undecided"},
                                                       {"dead", "a", "a@1"},
                                                       {"dead", "dead", "a@1"}}) {
    sentinel_resolve round{"db", {at("s1")}};
    EXPECT_THAT(round.to_ask(), ElementsAre(at("s1")));
    tell(round, {"s1", "a"});
    EXPECT_EQ(verdict(round), "going on");
    EXPECT_THAT(round.known(), UnorderedElementsAre(at("s1"), at("s2"), at("s3")));
    EXPECT_THAT(round.to_ask(), UnorderedElementsAre(at("s2"), at("s3")));
    tell(round, {"s2", s2});
    tell(round, {"s3", s3});
    EXPECT_EQ(verdict(round), wanted) << s2 << ' ' << s3;
  }
}

TEST(sentinel_resolve, a_lone_sentinel_that_knows_of_no_other_is_believed_at_once) {
  sentinel_resolve round{"db", {at("s1")}};
  round.to_ask();
  round.answered(at("s1"), says("s1", "a", 3, {}));
  EXPECT_EQ(verdict(round), "a@3");
}

TEST(sentinel_resolve, the_silent_that_are_not_configured_count_too) {
  // Five sentinels, two of them configured.
  const std::vector<std::string> group{"s1", "s2", "s3", "s4", "s5"};
  sentinel_resolve round{"db", {at("s1"), at("s2")}};
  round.to_ask();
  round.answered(at("s1"), says("s1", "a", 1, group));
  round.answered(at("s2"), says("s2", "a", 1, group));
  EXPECT_EQ(verdict(round), "going on");
  EXPECT_THAT(round.to_ask(), UnorderedElementsAre(at("s3"), at("s4"), at("s5")));
  round.failed(at("s3"), "timed out");
  round.failed(at("s4"), "timed out");
  EXPECT_EQ(verdict(round), "going on");
  auto last = round;
  round.failed(at("s5"), "timed out");
  EXPECT_EQ(verdict(round), "undecided");
  last.answered(at("s5"), says("s5", "a", 1, group));
  EXPECT_EQ(verdict(last), "a@1");
}

TEST(sentinel_resolve, a_configured_sentinel_that_is_dead_does_not_keep_out_those_it_would_have_told_about) {
  sentinel_resolve round{"db", {at("s1"), at("s2")}};
  round.to_ask();
  round.failed(at("s2"), "connection refused");
  round.answered(at("s1"), says("s1", "a"));
  EXPECT_THAT(round.to_ask(), ElementsAre(at("s3")));
  round.answered(at("s3"), says("s3", "a"));
  EXPECT_EQ(verdict(round), "a@1");
}

TEST(sentinel_resolve, a_liar_cannot_bring_its_own_voters) {
  sentinel_resolve round{"db", three};
  round.to_ask();
  round.answered(at("s1"), says("s1", "liar", 9, {"s1", "s2", "s3", "x1", "x2", "x3", "x4"}));
  EXPECT_THAT(round.to_ask(), IsEmpty());
  round.answered(at("s2"), says("s2", "a"));
  round.answered(at("s3"), says("s3", "a"));
  EXPECT_EQ(verdict(round), "a@1");
}

TEST(sentinel_resolve, a_liar_that_borrows_an_id_does_not_silence_its_owner) {
  for (const bool liar_first : {true, false}) {
    sentinel_resolve round{"db", three};
    round.to_ask();
    auto lie = says("s1", "liar", 9);
    lie.id = "id-s2";
    if (liar_first) round.answered(at("s1"), lie);
    round.answered(at("s2"), says("s2", "a"));
    if (!liar_first) round.answered(at("s1"), lie);
    round.answered(at("s3"), says("s3", "a"));
    EXPECT_EQ(verdict(round), "a@1");
  }
}

TEST(sentinel_resolve, one_sentinel_under_two_names_has_one_vote) {
  sentinel_resolve round{"db", {at("s1"), at("alias"), at("s2"), at("s3")}};
  round.to_ask();
  round.answered(at("s1"), says("s1", "a"));
  round.answered(at("alias"), says("s1", "a"));
  EXPECT_EQ(verdict(round), "going on");
  round.failed(at("s2"), "connection refused");
  auto other = round;
  round.failed(at("s3"), "connection refused");
  EXPECT_EQ(verdict(round), "undecided");
  other.answered(at("s3"), says("s3", "a"));
  EXPECT_EQ(verdict(other), "a@1");
}

TEST(sentinel_resolve, a_dead_name_is_taken_for_a_dead_address_that_others_tell_about) {
  // Configured by name, known to each other by address; the third is dead.
  const auto by_address = [](const std::string& me) {
    sentinel_answer one{.id = "id-" + me, .primary = server("a"), .epoch = 1};
    for (const std::string other : {"1", "2", "3"}) {
      if (other != me) one.others.push_back({at("10.0.0." + other), "id-" + other});
    }
    return one;
  };
  sentinel_resolve round{"db", {at("one"), at("two"), at("three")}};
  round.to_ask();
  round.answered(at("one"), by_address("1"));
  round.failed(at("three"), "no such host");
  round.answered(at("two"), by_address("2"));
  EXPECT_EQ(verdict(round), "a@1") << round.account();
}

TEST(sentinel_resolve, a_replica_needs_a_majority_as_well) {
  sentinel_resolve round{"db", three};
  round.to_ask();
  auto first = says("s1", "a");
  first.replicas = {server("b"), server("liar")};
  auto second = says("s2", "a");
  second.replicas = {server("b"), server("c"), server("a")};
  round.answered(at("s1"), first);
  round.answered(at("s2"), second);
  EXPECT_THAT(round.found().replicas, ElementsAre(server("b")));
}

TEST(sentinel_resolve, tells_what_each_sentinel_said) {
  sentinel_resolve round{"db", three};
  tell(round, {"s1", "a", 5});
  EXPECT_EQ(round.account(),
            "s1:26379 says a:6379 (epoch 5); s2:26379 has not answered yet; s3:26379 has not answered yet");
  tell(round, {"s2", ""});
  tell(round, {"s3", "dead"});
  EXPECT_EQ(round.account(),
            "s1:26379 says a:6379 (epoch 5); s2:26379 knows no primary named 'db'; s3:26379: connection refused");
}

// --- answers --------------------------------------------------------------------------------------------------------

sentinel_answer read(std::vector<std::string> frames) {
  sentinel_reader reader;
  for (std::size_t i = 0; i < frames.size(); ++i) reader.on_reply(i, resp::view{std::string_view{frames[i]}});
  auto taken = reader.take();
  EXPECT_TRUE(taken) << taken.error().message();
  return taken.value_or(sentinel_answer{});
}

std::string map(std::vector<std::pair<std::string, std::string>> pairs) {
  std::string bytes = fmt::format("%{}\r\n", pairs.size());
  for (const auto& [key, value] : pairs) {
    bytes += fmt::format("${}\r\n{}\r\n${}\r\n{}\r\n", key.size(), key, value.size(), value);
  }
  return bytes;
}

const std::string my_id = "$4\r\nme-1\r\n";
const std::string an_address = "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n";

TEST(sentinel_answer, is_read_from_five_replies) {
  const auto replica = [](const std::string& host, const std::string& flags, const std::string& link) {
    return map({{"ip", host}, {"port", "6379"}, {"flags", flags}, {"master-link-status", link}});
  };
  const auto seen = read({my_id, an_address, map({{"flags", "master,s_down,o_down"}, {"config-epoch", "12"}}),
                          "*2\r\n" + map({{"ip", "10.0.0.8"}, {"port", "26379"}, {"runid", "other"}}) +
                              map({{"ip", "10.0.0.9"}, {"port", "0"}, {"runid", "portless"}}),
                          "*4\r\n" + replica("10.0.0.2", "slave", "ok") + replica("10.0.0.3", "s_down,slave", "ok") +
                              replica("10.0.0.4", "slave,disconnected", "ok") + replica("10.0.0.5", "slave", "err")});
  EXPECT_EQ(seen.id, "me-1");
  EXPECT_EQ(seen.primary, server("10.0.0.1"));
  EXPECT_EQ(seen.epoch, 12U);
  EXPECT_TRUE(seen.down);
  ASSERT_EQ(seen.others.size(), 1U);
  EXPECT_EQ(seen.others[0].where, at("10.0.0.8"));
  EXPECT_EQ(seen.others[0].id, "other");
  EXPECT_THAT(seen.replicas, ElementsAre(server("10.0.0.2")));
}

TEST(sentinel_answer, the_address_alone_is_needed) {
  const std::string refused = "-ERR unknown subcommand\r\n";
  EXPECT_EQ(read({refused, an_address, refused, refused, refused}).primary, server("10.0.0.1"));
  const std::string unknown = "-ERR No such master with that name\r\n";
  EXPECT_FALSE(read({my_id, "*-1\r\n", unknown, unknown, unknown}).primary);

  for (const std::string bad : {"-NOPERM no\r\n", "*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$5\r\n70000\r\n", "+OK\r\n"}) {
    sentinel_reader reader;
    reader.on_reply(0, resp::view{std::string_view{my_id}});
    reader.on_reply(1, resp::view{std::string_view{bad}});
    EXPECT_FALSE(reader.take()) << bad;
    EXPECT_EQ(read({my_id, an_address}).primary, server("10.0.0.1")) << "the reader starts anew";
  }
}

TEST(sentinel_answer, lists_are_bounded) {
  std::string many = "*100\r\n";
  for (int i = 0; i < 100; ++i) many += map({{"ip", fmt::format("10.0.0.{}", i)}, {"port", "1"}, {"runid", "x"}});
  EXPECT_EQ(read({my_id, an_address, "%0\r\n", many}).others.size(), sentinel_answer::most_others);
}

TEST(sentinel_answer, a_failover_is_told_on_the_channel_with_the_plus_sign) {
  const auto message = [](const std::string& kind, const std::string& channel, const std::string& text) {
    return fmt::format(">3\r\n${}\r\n{}\r\n${}\r\n{}\r\n${}\r\n{}\r\n", kind.size(), kind, channel.size(), channel,
                       text.size(), text);
  };
  const std::string text = "db 10.0.0.1 6379 10.0.0.2 6379";
  const auto heard = [](const std::string& bytes, std::string_view name) {
    return is_switch_message(resp::view{std::string_view{bytes}}, name);
  };
  EXPECT_TRUE(heard(message("message", "+switch-master", text), "db"));
  EXPECT_FALSE(heard(message("message", "+switch-master", text), "d"));
  EXPECT_FALSE(heard(message("message", "switch-master", text), "db"));
  EXPECT_FALSE(heard(message("subscribe", "+switch-master", text), "db"));
  EXPECT_THAT(std::string{sentinel_channel}, HasSubstr("+"));
}

}  // namespace
}  // namespace seawall::redis

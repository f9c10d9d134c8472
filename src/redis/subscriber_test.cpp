// The parts of a subscription without I/O: names and the gate of its handlers.
#include "multiplexer_test_support.hpp"
#include "subscriber_gate.hpp"
#include "subscriber_link.hpp"
#include "subscriber_topics.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall::redis {
namespace {

message saying(std::string_view payload) { return {.channel = "c", .payload = payload, .pattern = {}, .kind = {}}; }

TEST(subscriber_topics, limits_are_named_with_their_list) {
  EXPECT_TRUE(check_topics({.channels = {std::string(topics::most_bytes, 'x')}}));
  EXPECT_TRUE(check_topics({.sharded = std::vector<std::string>(topics::most, "x")}));
  for (const auto& [wrong, name] : std::vector<std::pair<topics, std::string>>{
           {{}, "channels, patterns and sharded are empty"},
           {{.channels = {""}}, "channels: "},
           {{.patterns = {"p", ""}}, "patterns: "},
           {{.sharded = {std::string(topics::most_bytes + 1, 'x')}}, "sharded: "},
           {{.channels = {"x"}, .sharded = std::vector<std::string>(topics::most, "x")}, "at most 16384"}}) {
    const auto refused = check_topics(wrong);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::invalid_argument);
    EXPECT_NE(refused.error().message().find(name), std::string::npos) << refused.error().message();
  }
}

TEST(subscriber_topics, one_name_of_two_kinds_is_two_topics) {
  topic_table<int> table;
  *table.insert(topic_kind::channel, "a") = 1;
  *table.insert(topic_kind::pattern, "a") = 2;
  EXPECT_EQ(table.insert(topic_kind::pattern, "a"), nullptr);
  table.erase(topic_kind::channel, "a");
  EXPECT_EQ(table.find(topic_kind::channel, "a"), nullptr);
  EXPECT_EQ(*table.find(topic_kind::pattern, "a"), 2);
  EXPECT_EQ(table.size(), 1U);
}

TEST(subscriber_link, each_change_is_a_command_with_a_ping_behind_it) {
  const std::string ping = "*1\r\n$4\r\nPING\r\n";
  EXPECT_EQ(subscribe_bytes(topic_kind::channel, true, "a"), "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n" + ping);
  EXPECT_EQ(subscribe_bytes(topic_kind::pattern, false, "a*"), "*2\r\n$12\r\nPUNSUBSCRIBE\r\n$2\r\na*\r\n" + ping);
  EXPECT_EQ(subscribe_bytes(topic_kind::sharded, true, "a"), "*2\r\n$10\r\nSSUBSCRIBE\r\n$1\r\na\r\n" + ping);
}

TEST(subscriber_link, errors_before_the_pong_belong_to_its_command_and_shift_nothing) {
  wire redis;
  named& first = redis.submit();
  named& second = redis.submit();
  first.book.flags = second.book.flags = multiplexer::refusals_are_extra;
  redis.write();
  ASSERT_TRUE(redis.receive("-MOVED 1 a:1\r\n-MOVED 1 a:1\r\n"));
  EXPECT_EQ(first.ends, 0);
  redis.reply();
  redis.reply();
  EXPECT_EQ(first.got, (std::vector<std::string>{"MOVED 1 a:1", "MOVED 1 a:1", first.name()}));
  EXPECT_EQ(second.got, (std::vector<std::string>{second.name()}));
  EXPECT_EQ(first.ends + second.ends, 2);
  EXPECT_FALSE(first.taken);
}

TEST(subscriber_gate, hands_out_until_it_is_shut_and_destroys_the_handlers_then) {
  auto held = std::make_shared<std::vector<std::string>>();
  subscriber_gate gate{[held](const message& m) { held->emplace_back(m.payload); },
                       [held](const gap& missed) { held->emplace_back(missed.topic); }, nullptr};
  gate.hand_out(saying("1"));
  gate.tell({.topic = "t", .kind = {}, .lasted = {}, .why = error{errc::closed}});
  gate.shut();
  EXPECT_EQ(held.use_count(), 1);
  gate.hand_out(saying("2"));
  gate.tell({.topic = "u", .kind = {}, .lasted = {}, .why = error{errc::closed}});
  EXPECT_EQ(*held, (std::vector<std::string>{"1", "t"}));
}

TEST(subscriber_gate, may_be_shut_by_its_handler_which_is_destroyed_when_it_returns) {
  auto held = std::make_shared<int>(0);
  subscriber_gate* own = nullptr;
  subscriber_gate gate{[held, &own](const message&) {
                         own->shut();
                         ++*held;
                       },
                       nullptr, nullptr};
  own = &gate;
  gate.hand_out(saying("1"));
  EXPECT_EQ(held.use_count(), 1);
  gate.hand_out(saying("2"));
  EXPECT_EQ(*held, 1);
}

TEST(subscriber_gate, is_shut_only_when_no_handler_runs) {
  std::atomic<bool> inside{false};
  std::atomic<bool> shut{false};
  std::atomic<bool> shut_while_inside{false};
  subscriber_gate gate{[&](const message&) {
                         inside = true;
                         inside.notify_all();
                         for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
                         shut_while_inside = shut.load();
                       },
                       nullptr, nullptr};
  std::jthread executor{[&] { gate.hand_out(saying("1")); }};
  inside.wait(false);
  gate.shut();
  shut = true;
  executor.join();
  EXPECT_FALSE(shut_while_inside);
}

TEST(subscriber_gate, logs_what_a_handler_throws_and_goes_on) {
  std::vector<std::string> logged;
  int calls = 0;
  subscriber_gate gate{[&](const message&) {
                         if (++calls == 1) throw std::runtime_error{"out of luck"};
                         if (calls == 2) throw 7;
                       },
                       nullptr, [&](log_level, std::string_view text) { logged.emplace_back(text); }};
  for (int i = 0; i < 3; ++i) gate.hand_out(saying("1"));
  EXPECT_EQ(calls, 3);
  ASSERT_EQ(logged.size(), 2U);
  EXPECT_NE(logged[0].find("out of luck"), std::string::npos);
}

}  // namespace
}  // namespace seawall::redis

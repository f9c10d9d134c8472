#include "multiplexer_test_support.hpp"
#include "seawall/resp/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace seawall::redis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(multiplexer, hands_replies_out_in_the_order_of_the_commands) {
  wire w;
  named& a = w.submit();
  named& b = w.submit();
  EXPECT_EQ(w.write(), "*2\r\n$3\r\nGET\r\n$1\r\n0\r\n*2\r\n$3\r\nGET\r\n$1\r\n1\r\n");
  EXPECT_EQ(w.mux.in_flight(), 2U);
  w.reply();
  EXPECT_THAT(a.got, ElementsAre("0"));
  EXPECT_THAT(b.got, IsEmpty());
  w.reply();
  EXPECT_THAT(b.got, ElementsAre("1"));
  EXPECT_TRUE(w.mux.empty());
}

TEST(multiplexer, a_cancelled_command_keeps_its_place_so_that_its_reply_meets_nobody_else) {  // bug 1
  wire w;
  named& a = w.submit();
  w.write();
  w.cancel(a);
  named& b = w.submit();
  w.write();
  w.reply();
  EXPECT_THAT(a.got, IsEmpty());
  EXPECT_THAT(b.got, IsEmpty());
  w.reply();
  EXPECT_THAT(b.got, ElementsAre("1"));
}

TEST(multiplexer, a_command_that_is_cancelled_before_it_was_written_is_never_written) {
  wire w;
  named& a = w.submit();
  w.submit();
  w.cancel(a);
  EXPECT_EQ(w.write(), "*2\r\n$3\r\nGET\r\n$1\r\n1\r\n");
}

TEST(multiplexer, pushes_between_replies_belong_to_no_command) {
  wire w;
  named& a = w.submit();
  w.write();
  ASSERT_TRUE(w.receive(">2\r\n$10\r\ninvalidate\r\n$1\r\nx\r\n"));
  EXPECT_THAT(w.pushes, ElementsAre("x"));
  EXPECT_EQ(a.ends, 0);
  w.reply();
  EXPECT_EQ(a.ends, 1);
}

TEST(multiplexer, an_attribute_is_no_reply) {  // bug 14
  wire w;
  named& a = w.submit();
  named& b = w.submit();
  w.write();
  ASSERT_TRUE(w.receive("|1\r\n+ttl\r\n:5\r\n" + bulk("0")));
  EXPECT_THAT(a.got, ElementsAre("0"));
  EXPECT_EQ(b.ends, 0);
}

TEST(multiplexer, a_reply_that_nobody_asked_for_is_an_error_of_the_connection) {  // bug 12
  wire w;
  const auto taken = w.receive("+OK\r\n");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code(), resp::errc::protocol);
  EXPECT_THAT(taken.error().message(), HasSubstr("OK"));
}

TEST(multiplexer, bytes_that_are_no_resp_are_an_error_of_the_connection) {
  wire w;
  w.submit();
  w.write();
  EXPECT_FALSE(w.receive("HTTP/1.1 400 Bad Request\r\n"));
}

TEST(multiplexer, several_replies_of_one_request_arrive_one_by_one) {
  wire w;
  named& a = w.submit(cmd::effect::read, 3);
  w.write();
  w.reply();
  w.reply();
  EXPECT_EQ(a.ends, 0);
  w.reply();
  EXPECT_THAT(a.got, ElementsAre("0", "0", "0"));
  EXPECT_EQ(a.ends, 1);
}

TEST(multiplexer, a_request_of_several_commands_is_taken_over_as_a_whole_after_its_last_reply) {  // bug 21
  wire w;
  named& a = w.submit(cmd::effect::read, 3);
  w.write();
  w.reply();
  w.redirect();
  EXPECT_FALSE(a.taken);
  w.reply();
  EXPECT_TRUE(a.taken);
  EXPECT_EQ(a.ends, 0);
  named& b = w.submit();
  w.write();
  w.reply();
  EXPECT_THAT(b.got, ElementsAre("1"));
}

TEST(multiplexer, an_error_that_nobody_takes_over_is_the_answer) {
  wire w;
  w.follows_moved = false;
  named& a = w.submit();
  w.write();
  w.redirect();
  EXPECT_THAT(a.got, ElementsAre("MOVED 1 a:1 0"));
  EXPECT_EQ(a.why, "ok");
}

TEST(multiplexer, asking_goes_before_the_command_and_its_reply_is_dropped) {
  wire w;
  named a{"a", cmd::effect::read};
  ASSERT_FALSE(w.mux.push(a, true));
  EXPECT_EQ(w.write(), "*1\r\n$6\r\nASKING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
  ASSERT_TRUE(w.receive("+OK\r\n$1\r\na\r\n"));
  EXPECT_THAT(a.got, ElementsAre("a"));
}

TEST(multiplexer, after_a_disconnect_what_may_be_repeated_is_written_again_in_order) {
  wire w;
  w.submit();
  named& once = w.submit(cmd::effect::write_once);
  w.submit();
  w.write();
  named& waiting = w.submit(cmd::effect::write_once);
  w.disconnect();
  EXPECT_EQ(once.why, "lost");
  EXPECT_EQ(waiting.ends, 0);  // never written, so surely not applied
  w.write();
  EXPECT_THAT(w.at_server, ElementsAre("0", "2", "3"));
}

TEST(multiplexer, half_a_reply_is_forgotten_with_its_connection) {
  wire w;
  named& a = w.submit();
  w.write();
  ASSERT_TRUE(w.receive("$5\r\nwro"));
  w.disconnect();
  w.write();
  w.reply();
  EXPECT_THAT(a.got, ElementsAre("0"));
}

TEST(multiplexer, what_was_half_written_is_written_whole_on_the_next_connection) {
  wire w;
  named& a = w.submit();
  ASSERT_GT(w.mux.unwritten().size(), 5U);
  w.mux.written(5);
  w.disconnect();
  EXPECT_EQ(w.write(), "*2\r\n$3\r\nGET\r\n$1\r\n0\r\n");
  w.reply();
  EXPECT_THAT(a.got, ElementsAre("0"));
}

TEST(multiplexer, replies_carry_the_generation_of_their_connection) {
  wire w;
  w.mux.set_generation(7);
  named& a = w.submit();
  w.write();
  w.reply();
  EXPECT_EQ(a.generation, 7U);
}

TEST(multiplexer, an_end_makes_room) {
  wire w{{.bytes = 50}};
  w.submit();
  w.submit();
  w.write();
  w.reply();
  EXPECT_EQ(w.submit().ends, 0);
}

TEST(multiplexer, the_queue_is_bounded_by_commands_and_by_bytes) {  // bug 17
  wire few{{.commands = 2}};
  few.submit();
  few.submit();
  EXPECT_THAT(few.submit().why, HasSubstr("2 commands"));
  wire small{{.bytes = 30}};
  small.submit();
  EXPECT_EQ(small.submit().ends, 1);
  EXPECT_EQ(small.refused->code(), cmd::errc::queue_full);
  small.write();
  small.reply();
  EXPECT_EQ(small.submit().ends, 0);
}

TEST(multiplexer, deadlines_end_what_waits_and_what_is_in_flight) {
  wire w;
  const time_point start{};
  named a{"a", cmd::effect::read};
  named b{"b", cmd::effect::read};
  named c{"c", cmd::effect::read};
  a.book.deadline = start + duration{10};
  b.book.deadline = start + duration{30};
  c.book.deadline = start + duration{20};
  ASSERT_FALSE(w.mux.push(a));
  ASSERT_FALSE(w.mux.push(b));
  w.write();
  ASSERT_FALSE(w.mux.push(c));
  EXPECT_EQ(w.mux.earliest(), a.book.deadline);
  std::vector<std::pair<std::string, bool>> due;
  w.mux.expire(start + duration{20}, [&](request& who, bool written) {
    due.emplace_back(static_cast<named&>(who).name(), written);
  });
  EXPECT_THAT(due, ElementsAre(std::pair{std::string{"a"}, true}, std::pair{std::string{"c"}, false}));
  EXPECT_EQ(w.mux.earliest(), b.book.deadline);
  w.reply();
  w.reply();
  EXPECT_THAT(b.got, ElementsAre("b"));
}

TEST(multiplexer, a_large_reply_arrives_whole) {
  wire w;
  named& a = w.submit();
  named& b = w.submit();
  w.write();
  const std::string large(3'000'000, 'x');
  ASSERT_TRUE(w.receive(bulk(large) + bulk("1")));
  EXPECT_EQ(a.got.at(0), large);
  EXPECT_THAT(b.got, ElementsAre("1"));
}

TEST(multiplexer, grows_with_what_is_in_flight) {
  wire w;
  for (int i = 0; i < 1000; ++i) w.submit();
  w.write();
  for (int i = 0; i < 300; ++i) w.reply();
  for (int i = 0; i < 2000; ++i) w.submit();
  w.write();
  while (!w.at_server.empty()) w.reply();
  for (const auto& one : w.sent) EXPECT_THAT(one->got, ElementsAre(one->name()));
}

}  // namespace
}  // namespace seawall::redis

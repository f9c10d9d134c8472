#include "cluster_machine.hpp"

#include "seawall/cmd/error.hpp"
#include "test_cluster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seawall::redis {
namespace {

using namespace std::chrono_literals;
using namespace testing_cluster;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class cluster_machine_test : public testing::Test {
 protected:
  cluster_machine_test() { w.begin(two); }
  std::string place(const request& of) {
    if (fake_node* const at = w.holder_of(of)) return at->address().host;
    return w.parked.empty() ? (w.waiting.empty() ? "nowhere" : "waiting") : "parked";
  }

  noted_request five{5};
  world w;
};

TEST(cluster_machine_begin, requests_wait_for_the_first_map) {
  world w;
  noted_request one{5};
  noted_request other{15};
  w.machine.route(one);
  w.machine.route(other);
  EXPECT_THAT(w.waiting, ElementsAre(&one, &other));
  w.pass_to_next();
  ASSERT_TRUE(w.asked);
  w.answer(two);
  EXPECT_EQ(w.holder_of(one), &w.node("a"));
  EXPECT_EQ(w.holder_of(other), &w.node("b"));
}

TEST(cluster_machine_begin, seeds_that_refuse_end_what_waits_and_name_themselves) {
  world w{{.seeds = {{"a", 1}, {"b", 1}}}};
  noted_request one{5};
  w.machine.route(one);
  const error no_cluster{cmd::errc::server, "x: ERR This instance has cluster support disabled"};
  w.pass_to_next();
  w.no_answer(no_cluster);
  EXPECT_EQ(one.ends, 0) << "the other seed may know";
  while (!w.asked) w.pass_to_next();
  w.no_answer(no_cluster);
  EXPECT_EQ(one.ends, 1);
  EXPECT_THAT(one.why, AllOf(HasSubstr("a:1"), HasSubstr("b:1"), HasSubstr("cluster support disabled")));
  noted_request later{5};
  w.machine.route(later);
  EXPECT_EQ(later.ends, 1) << "at once";
  while (!w.asked) w.pass_to_next();
  w.answer(two);
  noted_request then{5};
  w.machine.route(then);
  EXPECT_TRUE(w.holder_of(then)) << "somebody made it a cluster";
}

TEST(cluster_machine_begin, unreachable_seeds_and_useless_answers_are_tried_again) {
  world w;
  noted_request one{5};
  w.machine.route(one);
  w.pass_to_next();
  w.no_answer(error{cmd::errc::unreachable, "a:1: connection refused"});
  EXPECT_THAT(w.machine.why_no_map().message(), HasSubstr("a:1: connection refused"));
  for (const char* reply : {"*0\r\n", "+OK\r\n"}) {
    while (!w.asked) ASSERT_TRUE(w.pass_to_next());
    w.answer(reply);
    EXPECT_EQ(one.ends, 0);
  }
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  w.answer(two);
  EXPECT_TRUE(w.holder_of(one));
}

TEST_F(cluster_machine_test, moved_changes_the_slot_and_the_request_follows_at_once) {
  noted_request six{6};
  w.machine.route(five);
  EXPECT_TRUE(w.refuse("a", five, "MOVED 5 b:1"));
  EXPECT_EQ(place(five), "b");
  EXPECT_FALSE(w.node("b").queue.front().second) << "without ASKING";
  noted_request again{5};
  w.machine.route(again);
  EXPECT_EQ(place(again), "b");
  w.machine.route(six);
  EXPECT_EQ(place(six), "a");
  EXPECT_THAT(w.lost["a"], ElementsAre(5));
  EXPECT_EQ(w.counters.redirects.get(), 1U);
}

TEST_F(cluster_machine_test, moved_has_the_map_asked_for_from_who_said_so) {
  w.machine.route(five);
  w.refuse("a", five, "MOVED 5 c:1");
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  EXPECT_EQ(w.asked->address().host, "a");
  EXPECT_LE(w.clock.at - w.questions.front(), 1s);
}

TEST_F(cluster_machine_test, a_redirection_is_not_undone_by_an_answer_that_was_asked_for_before) {
  noted_request six{6};
  w.machine.route(five);
  w.machine.want_map();
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  w.refuse("a", five, "MOVED 5 b:1");
  w.answer(two);
  EXPECT_EQ(w.machine.primary_of(5)->address().host, "b");
  EXPECT_EQ(w.machine.primary_of(6)->address().host, "a");
}

TEST_F(cluster_machine_test, ask_goes_elsewhere_this_time_only) {
  w.machine.route(five);
  const auto wake = w.wake;
  EXPECT_TRUE(w.refuse("a", five, "ASK 5 b:1"));
  EXPECT_EQ(place(five), "b");
  EXPECT_TRUE(w.node("b").queue.front().second) << "with ASKING";
  EXPECT_EQ(w.machine.primary_of(5)->address().host, "a");
  EXPECT_EQ(w.wake, wake) << "no refresh";
  EXPECT_THAT(w.lost, IsEmpty());
}

TEST_F(cluster_machine_test, try_again_waits_a_little_and_asks_for_no_map) {
  w.machine.route(five);
  const auto wake = w.wake;
  EXPECT_TRUE(w.refuse("a", five, "TRYAGAIN Multiple keys request during rehashing of slot"));
  EXPECT_EQ(place(five), "parked");
  EXPECT_EQ(w.wake, wake);
  EXPECT_THAT(w.machine.why_paused(five).message(), AllOf(HasSubstr("a:1"), HasSubstr("TRYAGAIN")));
  w.pass_to_next();
  EXPECT_EQ(place(five), "a");
}

TEST_F(cluster_machine_test, a_slot_that_is_half_moved_for_long_is_no_endless_redirection) {
  w.machine.route(five);
  for (int i = 0; i < 100; ++i) {
    w.refuse("a", five, "ASK 5 b:1");
    ASSERT_EQ(place(five), "b");
    w.refuse("b", five, "TRYAGAIN");
    ASSERT_EQ(place(five), "parked");
    w.pass_to_next();
    while (place(five) == "parked") w.pass_to_next();
  }
  EXPECT_EQ(five.ends, 0);
}

TEST_F(cluster_machine_test, states_of_a_server_wait_and_have_the_map_asked_for) {
  for (const char* text : {"LOADING Redis is loading the dataset in memory", "CLUSTERDOWN The cluster is down",
                           "READONLY You can't write against a read only replica.", "MASTERDOWN Link is down"}) {
    const auto before = w.questions.size();
    noted_request one{5};
    w.machine.route(one);
    EXPECT_TRUE(w.refuse("a", one, text));
    EXPECT_EQ(place(one), "parked");
    while (!w.asked) ASSERT_TRUE(w.pass_to_next());
    EXPECT_EQ(w.questions.size(), before + 1) << text;
    w.answer(two);
    while (place(one) == "parked") ASSERT_TRUE(w.pass_to_next());
    EXPECT_EQ(place(one), "a");
    w.take(w.node("a"), one);
  }
}

TEST_F(cluster_machine_test, other_errors_are_the_answer) {
  for (const char* text : {"WRONGTYPE x", "ERR unknown", "MOVED nonsense", "MOVED 20000 b:1", "CROSSSLOT x", "OOM x"}) {
    noted_request one{5};
    w.machine.route(one);
    EXPECT_FALSE(w.refuse("a", one, text)) << text;
    EXPECT_EQ(one.ends, 0);
  }
}

TEST_F(cluster_machine_test, a_redirection_to_the_same_address_connects_anew_before_it_tries_again) {
  w.machine.route(five);
  EXPECT_TRUE(w.refuse("a", five, "MOVED 5 a:1"));
  EXPECT_EQ(w.node("a").reconnects, 1);
  EXPECT_EQ(place(five), "parked");
  w.pass_to_next();
  EXPECT_EQ(place(five), "a");
}

TEST_F(cluster_machine_test, servers_that_send_a_request_to_and_fro_end_it_with_its_path) {
  w.machine.route(five);
  int redirections = 0;
  while (five.ends == 0) {
    const bool at_a = place(five) == "a";
    ++redirections;
    w.refuse(at_a ? "a" : "b", five, at_a ? "MOVED 5 b:1" : "MOVED 5 a:1");
    while (place(five) == "parked") w.pass_to_next();
  }
  EXPECT_EQ(redirections, 17);
  EXPECT_EQ(five.code, cmd::errc::too_many_redirects);
  EXPECT_THAT(five.why, AllOf(HasSubstr("16"), HasSubstr("a:1: MOVED 5 b:1, b:1: MOVED 5 a:1, a:1: ")));
  EXPECT_GT(w.clock.at, standing_clock{}.at + 50ms) << "they get time to agree";
}

TEST_F(cluster_machine_test, a_transaction_over_two_slots_ends_with_both) {
  five.replies = 4;
  w.machine.route(five);
  EXPECT_TRUE(w.refuse("a", five, "MOVED 15 b:1"));
  EXPECT_EQ(five.code, cmd::errc::cross_slot);
  EXPECT_THAT(five.why, AllOf(HasSubstr(" 5 "), HasSubstr("15"), HasSubstr("hash tag")));
}

TEST_F(cluster_machine_test, a_slot_that_nobody_serves_is_asked_for_at_any_primary) {
  noted_request lost{16000};
  w.machine.route(lost);
  const std::string at = place(lost);
  EXPECT_THAT(at, testing::AnyOf("a", "b"));
  EXPECT_TRUE(w.refuse(at, lost, "MOVED 16000 c:1"));
  EXPECT_EQ(place(lost), "c");
}

TEST_F(cluster_machine_test, commands_without_keys_go_to_primaries_that_are_up) {
  w.machine.down(w.node("a"), error{cmd::errc::unreachable, "gone"});
  for (int i = 0; i < 32; ++i) {
    noted_request none{0};
    none.book.flags = 0;
    w.machine.route(none);
    EXPECT_EQ(place(none), "b");
    w.take(w.node("b"), none);
  }
}

TEST_F(cluster_machine_test, a_new_map_takes_waiting_requests_along_and_tells_of_each_lost_slot) {
  noted_request fifteen{15};
  w.machine.route(five);
  w.machine.route(fifteen);
  w.machine.want_map();
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  w.answer(slots_reply({{0, 4, {"a"}}, {5, 9, {"c"}}, {10, 19, {"b"}}}));
  EXPECT_EQ(place(five), "c");
  EXPECT_EQ(place(fifteen), "b");
  EXPECT_THAT(w.lost["a"], ElementsAre(5, 6, 7, 8, 9));
  EXPECT_THAT(w.lost, Not(Contains(testing::Key("b"))));
}

TEST_F(cluster_machine_test, a_node_that_left_the_map_is_closed_when_its_last_request_is_answered) {
  w.machine.want_map();
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  w.answer(slots_reply({{0, 9, {"a"}}, {10, 19, {"c"}}}));
  // A reply is due still, as from a request that was written before.
  w.node("b").submit(five, false);
  for (int i = 0; i < 5; ++i) w.pass(200ms);
  ASSERT_TRUE(w.nodes.contains("b"));
  w.take(w.node("b"), five);
  w.pass(200ms);
  EXPECT_FALSE(w.nodes.contains("b"));
  EXPECT_FALSE(w.nodes.contains("r"));
  EXPECT_TRUE(w.nodes.contains("c"));
}

TEST_F(cluster_machine_test, the_question_of_a_node_that_breaks_goes_to_another_one) {
  w.machine.want_map();
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  auto& broken = w.node(w.asked->address().host);
  w.machine.down(broken, error{cmd::errc::unreachable, "gone"});
  EXPECT_FALSE(w.asked);
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  EXPECT_NE(w.asked, &broken);
}

// The old primary is gone; nothing redirects, so only asking shows who follows it.
TEST_F(cluster_machine_test, while_a_primary_is_down_the_map_is_asked_for_until_it_has_another) {
  w.machine.down(w.node("a"), error{cmd::errc::unreachable, "gone"});
  w.machine.route(five);
  EXPECT_EQ(place(five), "a") << "until somebody takes over";
  const auto begun = w.clock.at;
  int questions = 0;
  for (; w.clock.at < begun + 3s; w.pass_to_next()) {
    if (!w.asked) continue;
    ++questions;
    EXPECT_NE(w.asked->address().host, "a") << "others know better";
    w.answer(two);
  }
  EXPECT_GE(questions, 8);
  EXPECT_LE(questions, 15) << "bug 19";
  while (!w.asked) ASSERT_TRUE(w.pass_to_next());
  w.answer(slots_reply({{0, 9, {"r"}}, {10, 19, {"b"}}}));
  EXPECT_EQ(place(five), "r");
}

TEST_F(cluster_machine_test, the_clients_storm_of_errors_is_no_storm_of_questions) {
  const auto begun = w.clock.at;
  const auto before = w.questions.size();
  while (w.clock.at < begun + 10s) {
    for (int i = 0; i < 20; ++i) {
      noted_request one{static_cast<slot_number>(i)};
      w.machine.route(one);
      w.refuse(w.holder_of(one)->address().host, one, "CLUSTERDOWN Hash slot not served");
      std::erase_if(w.parked, [&](const auto& p) { return p.first == &one; });
    }
    if (w.asked) w.no_answer(error{errc::timed_out, "no"});
    w.pass(1ms);
  }
  EXPECT_LE(w.questions.size() - before, 50U) << "bug 19: five in a second at most";
}

TEST_F(cluster_machine_test, a_request_that_got_no_answer_in_time_is_a_reason_to_ask) {
  const auto calm = w.wake;
  w.machine.timed_out(w.node("a"));
  EXPECT_LT(w.wake, calm);
  EXPECT_LE(w.wake, w.clock.at + 1s);
}

class cluster_replicas : public testing::Test {
 protected:
  cluster_replicas() { w.begin(slots_reply({{0, 9, {"a", "r", "s"}}, {10, 19, {"b"}}})); }
  std::string place(const request& of) { return w.holder_of(of) ? w.holder_of(of)->address().host : "nowhere"; }

  noted_request read{4};
  world w{{.seeds = {{"a", 1}}, .read_replicas = true}};
};

TEST_F(cluster_replicas, answer_reads_and_nothing_else) {
  w.machine.route(read);
  EXPECT_EQ(place(read), "r");
  noted_request next{5};
  w.machine.route(next);
  EXPECT_EQ(place(next), "s") << "slots are spread";
  noted_request write{4};
  write.traits.effect = cmd::effect::write_last;
  w.machine.route(write);
  EXPECT_EQ(place(write), "a");
  noted_request transaction{4};
  transaction.replies = 3;
  w.machine.route(transaction);
  EXPECT_EQ(place(transaction), "a");
  noted_request without{15};
  w.machine.route(without);
  EXPECT_EQ(place(without), "b") << "there is none";
}

TEST_F(cluster_replicas, that_are_down_or_refuse_are_passed_by) {
  w.machine.route(read);
  w.refuse("r", read, "MASTERDOWN Link with MASTER is down");
  EXPECT_EQ(place(read), "a") << "at once";
  noted_request second{4};
  w.machine.route(second);
  w.machine.down(w.node("r"), error{cmd::errc::unreachable, "gone"});
  EXPECT_EQ(place(second), "s") << "what waited there goes along";
  w.machine.down(w.node("s"), error{cmd::errc::unreachable, "gone"});
  EXPECT_EQ(place(second), "a");
}

TEST_F(cluster_replicas, lose_a_slot_with_their_primary) {
  noted_request one{4};
  w.machine.route(one);
  w.refuse("r", one, "MOVED 4 b:1");
  EXPECT_EQ(place(one), "b");
  EXPECT_THAT(w.lost["a"], ElementsAre(4));
  EXPECT_THAT(w.lost["r"], ElementsAre(4));
  EXPECT_THAT(w.lost["s"], ElementsAre(4));
}

}  // namespace
}  // namespace seawall::redis

// The multiplexer under every order of events.
#include "multiplexer_test_support.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace seawall::redis {
namespace {

enum class wire_event {
  submit_read, submit_write, write, reply, push, redirect, cancel_oldest, cancel_newest, disconnect
};
constexpr int wire_events = 9;

named* alive(wire& w, bool newest) {
  named* found = nullptr;
  for (const auto& one : w.sent) {
    if (one->ends == 0 && !one->taken && (newest || !found)) found = one.get();
  }
  return found;
}

// False: the event cannot happen now.
bool step(wire& w, wire_event what) {
  switch (what) {
    case wire_event::submit_read: w.submit(cmd::effect::read); return true;
    case wire_event::submit_write: w.submit(cmd::effect::write_once, 2); return true;
    case wire_event::write: return !w.write().empty();
    case wire_event::push: return static_cast<bool>(w.receive(">2\r\n+message\r\n+p\r\n"));
    case wire_event::reply: return !w.at_server.empty() && (w.reply(), true);
    case wire_event::redirect: return !w.at_server.empty() && (w.redirect(), true);
    case wire_event::disconnect: return w.disconnect(), true;
    case wire_event::cancel_oldest:
    case wire_event::cancel_newest: {
      named* const who = alive(w, what == wire_event::cancel_newest);
      if (who) w.cancel(*who);
      return who != nullptr;
    }
  }
  return false;
}

void check(wire& w) {
  w.write();
  while (!w.at_server.empty()) w.reply();
  ASSERT_TRUE(w.mux.empty());
  for (const auto& one : w.sent) {
    ASSERT_EQ(one->ends, one->taken ? 0 : 1);
    for (const auto& reply : one->got) ASSERT_TRUE(reply == one->name() || reply == "MOVED 1 a:1 " + one->name());
    ASSERT_TRUE(one->why != "ok" || one->got.size() >= one->replies);
  }
}

// Runs all sequences that begin with `begin`; returns how many there were.
std::size_t explore(std::vector<wire_event>& begin, std::size_t length, std::size_t piece) {
  wire w;
  w.piece = piece;
  for (const wire_event what : begin) {
    if (!step(w, what)) return 0;
  }
  check(w);
  if (testing::Test::HasFatalFailure()) {
    std::string order;
    for (const wire_event what : begin) order += ' ' + std::to_string(static_cast<int>(what));
    ADD_FAILURE() << "in the order" << order;
    return 0;
  }
  std::size_t count = 1;
  if (begin.size() == length) return count;
  for (int i = 0; i < wire_events && !testing::Test::HasFailure(); ++i) {
    begin.push_back(static_cast<wire_event>(i));
    count += explore(begin, length, piece);
    begin.pop_back();
  }
  return count;
}

TEST(multiplexer, no_order_of_events_mixes_replies_up) {
  std::vector<wire_event> begin;
  EXPECT_GT(explore(begin, 6, SIZE_MAX), 40'000U);
}

TEST(multiplexer, no_order_of_events_mixes_replies_up_byte_by_byte) {
  std::vector<wire_event> begin;
  EXPECT_GT(explore(begin, 5, 1), 5'000U);
}

}  // namespace
}  // namespace seawall::redis

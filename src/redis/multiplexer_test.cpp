#include "multiplexer.hpp"

#include "seawall/cmd/error.hpp"
#include "seawall/resp/command_bytes.hpp"
#include "seawall/resp/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <deque>

namespace seawall::redis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A command whose one argument is its own name: the server's reply carries it back.
class named final : public request {
 public:
  named(std::string name, cmd::effect effect, std::uint32_t commands = 1) : name_(std::move(name)) {
    for (std::uint32_t i = 0; i < commands; ++i) wire_ += resp::command_bytes{"GET", name_}.bytes();
    bytes = wire_;
    traits.effect = effect;
    replies = commands;
  }

  void on_reply(std::size_t, resp::view reply) noexcept override { got.emplace_back(reply.text()); }
  void on_end(const error* failure) noexcept override {
    ++ends;
    why = failure ? failure->message() : "ok";
  }

  const std::string& name() const noexcept { return name_; }

  std::vector<std::string> got;
  int ends = 0;
  std::string why;
  bool taken = false;

 private:
  std::string name_;
  std::string wire_;
};

std::string bulk(std::string_view text) { return "$" + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n"; }

// A multiplexer between callers and a server that are both the test.
class wire : public multiplexer::listener {
 public:
  explicit wire(const multiplexer::limits& most = {}) : mux(*this, most) {}

  named& submit(cmd::effect effect = cmd::effect::read, std::uint32_t commands = 1) {
    sent.push_back(std::make_unique<named>(std::to_string(sent.size()), effect, commands));
    refused = mux.push(*sent.back());
    if (refused) sent.back()->on_end(&*refused);
    return *sent.back();
  }

  // What goes over the wire reaches the server; its commands wait for answers.
  std::string write() {
    std::string all;
    for (auto piece = mux.unwritten(); !piece.empty(); piece = mux.unwritten()) {
      all.append(piece.data(), piece.size());
      mux.written(piece.size());
    }
    resp::scanner scanner;
    for (std::string_view rest = all; !rest.empty();) {
      const std::size_t length = scanner.scan(rest).value();
      const resp::view command{rest.substr(0, length)};
      at_server.emplace_back(command.size() > 1 ? command[1].text() : command[0].text());
      rest.remove_prefix(length);
    }
    return all;
  }

  result<void> receive(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto space = mux.read_space();
      const std::size_t n = std::min({bytes.size(), space.size(), piece});
      std::memcpy(space.data(), bytes.data(), n);
      if (const auto taken = mux.received(n); !taken) return taken;
      bytes.remove_prefix(n);
    }
    return {};
  }

  // The server answers its oldest command.
  void reply() { ASSERT_TRUE(receive(bulk(take_from_server()))); }
  void redirect() { ASSERT_TRUE(receive("-MOVED 1 a:1 " + take_from_server() + "\r\n")); }
  void disconnect() {
    at_server.clear();
    mux.disconnected([](request& asked) { return asked.traits.effect == cmd::effect::read; },
                     error{cmd::errc::connection_lost, "lost"});
  }
  void cancel(named& which) {
    mux.forget(which);
    const error why{seawall::errc::cancelled, "cancelled"};
    which.on_end(&why);
  }

  bool take_over(request& asked, const resp::view& error_reply) override {
    auto& who = static_cast<named&>(asked);
    if (!follows_moved || !error_reply.text().starts_with("MOVED")) return false;
    EXPECT_EQ(error_reply.text(), "MOVED 1 a:1 " + who.name());
    who.taken = true;
    return true;
  }
  void on_push(const resp::view& message) override { pushes.emplace_back(message[1].text()); }
  void on_end(request& asked, const error* failure) override { asked.on_end(failure); }

  std::string take_from_server() {
    std::string name = at_server.front();
    at_server.pop_front();
    return name;
  }

  multiplexer mux;
  std::vector<std::unique_ptr<named>> sent;
  std::optional<error> refused;
  std::deque<std::string> at_server;
  std::vector<std::string> pushes;
  std::size_t piece = SIZE_MAX;
  bool follows_moved = true;
};

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

// --- every order of events ------------------------------------------------------------------------------------------

enum class event { submit_read, submit_write, write, reply, push, redirect, cancel_oldest, cancel_newest, disconnect };
constexpr int events = 9;

named* alive(wire& w, bool newest) {
  named* found = nullptr;
  for (const auto& one : w.sent) {
    if (one->ends == 0 && !one->taken && (newest || !found)) found = one.get();
  }
  return found;
}

// False: the event cannot happen now.
bool step(wire& w, event what) {
  switch (what) {
    case event::submit_read: w.submit(cmd::effect::read); return true;
    case event::submit_write: w.submit(cmd::effect::write_once, 2); return true;
    case event::write: return !w.write().empty();
    case event::push: return static_cast<bool>(w.receive(">2\r\n+message\r\n+p\r\n"));
    case event::reply: return !w.at_server.empty() && (w.reply(), true);
    case event::redirect: return !w.at_server.empty() && (w.redirect(), true);
    case event::disconnect: return w.disconnect(), true;
    case event::cancel_oldest:
    case event::cancel_newest: {
      named* const who = alive(w, what == event::cancel_newest);
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
std::size_t explore(std::vector<event>& begin, std::size_t length, std::size_t piece) {
  wire w;
  w.piece = piece;
  for (const event what : begin) {
    if (!step(w, what)) return 0;
  }
  check(w);
  if (testing::Test::HasFatalFailure()) {
    std::string order;
    for (const event what : begin) order += ' ' + std::to_string(static_cast<int>(what));
    ADD_FAILURE() << "in the order" << order;
    return 0;
  }
  std::size_t count = 1;
  if (begin.size() == length) return count;
  for (int i = 0; i < events && !testing::Test::HasFailure(); ++i) {
    begin.push_back(static_cast<event>(i));
    count += explore(begin, length, piece);
    begin.pop_back();
  }
  return count;
}

TEST(multiplexer, no_order_of_events_mixes_replies_up) {
  std::vector<event> begin;
  EXPECT_GT(explore(begin, 6, SIZE_MAX), 40'000U);
}

TEST(multiplexer, no_order_of_events_mixes_replies_up_byte_by_byte) {
  std::vector<event> begin;
  EXPECT_GT(explore(begin, 5, 1), 5'000U);
}

}  // namespace
}  // namespace seawall::redis

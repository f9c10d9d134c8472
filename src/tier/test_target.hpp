// played_server: a target for tests whose server is a function, and what it takes to ask a tier in front of it.
#pragma once

#include "entry_format.hpp"
#include "seawall/cmd/request.hpp"
#include "seawall/resp/scanner.hpp"
#include "seawall/resp/view.hpp"
#include "seawall/resp/writer.hpp"
#include "seawall/testing/manual_clock.hpp"
#include "seawall/tier/remote_tier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

using namespace std::chrono_literals;
using words = std::vector<std::string>;

/// Answers at once, command by command, or when it is told to.
class played_server final : public cmd::target {
 public:
  /// The reply to a command, as bytes; empty: the connection breaks, and it may have been applied.
  std::function<std::string(const words&)> answer = [](const words&) { return "_\r\n"; };
  std::uint64_t generation = 1;
  /// In place of `generation`, where several servers answer.
  std::function<std::uint64_t(const words&)> generation_for = nullptr;
  bool hold = false;

  std::vector<std::string> sent;        // the commands of each submission: "EVAL GET"
  std::vector<duration> timeouts;       // of each request
  std::vector<words> commands;          // all of them
  std::vector<cmd::effect> effects;     // of each: may the client repeat it?
  std::deque<cmd::request*> waiting;

  void submit(cmd::request& asked) override {
    sent.emplace_back();
    take(asked);
  }
  void submit_all(cmd::request& first) override {
    sent.emplace_back();
    std::vector<cmd::request*> all;
    for (cmd::request* one = &first; one; one = one->next) all.push_back(one);
    const std::size_t at = sent.size() - 1;
    for (cmd::request* one : all) take(*one, at);
  }
  void cancel(cmd::request&) override {}
  void wait(const std::atomic<bool>& done) override { EXPECT_TRUE(done.load()); }
  duration default_timeout() const noexcept override { return 1s; }

  void answer_all() {
    while (!waiting.empty()) play(*std::exchange(waiting.front(), nullptr), true);
  }
  /// Ends all that waits.
  void fail_all(const error& why) {
    for (cmd::request* one : std::exchange(waiting, {})) one->on_end(&why);
  }

 private:
  void take(cmd::request& one, std::size_t at = static_cast<std::size_t>(-1)) {
    words command;
    for (const resp::view argument : resp::view{one.bytes}) command.emplace_back(argument.text());
    std::string& line = at < sent.size() ? sent[at] : sent.back();
    line += (line.empty() ? "" : " ") + command.front();
    commands.push_back(std::move(command));
    timeouts.push_back(one.timeout);
    effects.push_back(one.traits.effect);
    if (hold) waiting.push_back(&one);
    else play(one, false);
  }

  void play(cmd::request& one, bool waited) {
    words command;
    for (const resp::view argument : resp::view{one.bytes}) command.emplace_back(argument.text());
    if (waited) waiting.pop_front();
    const std::string reply = answer(command);
    if (reply.empty()) {
      const error why{cmd_lost(), "broken"};
      return one.on_end(&why);
    }
    one.generation = generation_for ? generation_for(command) : generation;
    one.on_reply(0, resp::view{std::string_view{reply}});
    one.on_end(nullptr);
  }

  static boost::system::error_code cmd_lost() { return make_error_code(boost::system::errc::connection_reset); }
};

inline std::string bulk(std::string_view bytes) {
  std::string out;
  resp::reply_writer{out}.bulk_string(bytes);
  return out;
}
inline std::string number(std::int64_t n) { return ":" + std::to_string(n) + "\r\n"; }
inline const std::string null = "_\r\n";
inline const std::string fine = "+OK\r\n";

/// What a beat answers: the reign as eight equal bytes.
inline std::string reign_reply(char reign, std::int64_t server_ms = 0) {
  return "*2\r\n" + bulk(std::string(8, reign)) + number(server_ms);
}
inline std::uint64_t reign_number(char reign) {
  return 0x0101010101010101u * static_cast<std::uint64_t>(static_cast<std::uint8_t>(reign));
}

template <class Call>
class noted : public Call {
 public:
  void on_end() noexcept override { ++ends; }
  int ends = 0;
};
template <>
class noted<tier_read> : public tier_read {
 public:
  void on_read() noexcept override { ++told; }
  void on_end() noexcept override { ++ends; }
  int told = 0;
  int ends = 0;
};
template <>
class noted<tier_fill> : public tier_fill {
 public:
  void on_read() noexcept override { ++told; }
  void on_end() noexcept override { ++ends; }
  int told = 0;
  int ends = 0;
};

}  // namespace seawall::tier

// A multiplexer between callers and a server that are both the test.
#pragma once

#include "multiplexer.hpp"
#include "seawall/cmd/error.hpp"
#include "seawall/resp/command_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seawall::redis {

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

inline std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string{text} + "\r\n";
}

/// Both ends.
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
    for (auto some = mux.unwritten(); !some.empty(); some = mux.unwritten()) {
      all.append(some.data(), some.size());
      mux.written(some.size());
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

}  // namespace seawall::redis

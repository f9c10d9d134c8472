// What the tests of subscriptions share: a handler that keeps what it is told.
#pragma once

#include "client_support.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace seawall::redis {

/// Keeps messages as "channel=payload" ("pattern:channel=payload"), and gaps as "gap topic", in one order.
/// Thread safety: all members.
class listener_log {
 public:
  message_handler handler() {
    return [this](const message& m) {
      std::string line = m.pattern.empty() ? "" : std::string{m.pattern} + ":";
      add((line += m.channel) += "=" + std::string{m.payload});
    };
  }
  subscription_options options(duration timeout = 20s) {
    return {.on_gap = [this](const gap& missed) { add("gap " + std::string{missed.topic}); }, .timeout = timeout};
  }

  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }
  std::size_t count(const std::string& line) const {
    const auto all = lines();
    return static_cast<std::size_t>(std::ranges::count(all, line));
  }
  std::vector<std::string> wait_for(std::size_t lines) const {
    servers::wait_until("messages come", [&] { return this->lines().size() >= lines; });
    return this->lines();
  }
  void wait_for(const std::string& line, std::size_t times = 1) const {
    servers::wait_until("told: " + line, [&] { return count(line) >= times; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace seawall::redis

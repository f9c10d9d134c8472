// scripted_target: a target for tests. It records the bytes that it is given and answers from a script.
#pragma once

#include "seawall/cmd/request.hpp"
#include "seawall/resp/scanner.hpp"
#include "seawall/resp/view.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::cmd {

/// Commands on the wire as a reader sees them: "SET k v; GET k".
inline std::string spelled(std::string_view bytes) {
  std::string out;
  resp::scanner split;
  while (!bytes.empty()) {
    const auto size = split.scan(bytes);
    if (!size || *size == 0) return out + "<broken>";
    if (!out.empty()) out += "; ";
    std::string line;
    for (const resp::view argument : resp::view{bytes.substr(0, *size)}) {
      line += (line.empty() ? "" : " ") + std::string{argument.text()};
    }
    out += line;
    bytes.remove_prefix(*size);
  }
  return out;
}

class scripted_target final : public target {
 public:
  /// The replies to the next requests, as bytes, one after the other.
  std::string replies;
  /// Ends the next request with this in place of replies.
  std::optional<error> failure;
  /// Requests wait for `answer_all`.
  bool hold = false;

  std::vector<std::string> sent;      // a line for each submission
  std::vector<traits> asked;          // of each request
  std::vector<duration> timeouts;     // of each request
  std::vector<request*> cancelled;
  std::deque<request*> waiting;

  void submit(request& asked_for) override {
    sent.emplace_back();
    take(asked_for);
  }

  void submit_all(request& first) override {
    sent.emplace_back();
    for (request* one = &first; one != nullptr;) {
      request* const after = one->next;
      take(*one);
      one = after;
    }
  }

  void cancel(request& asked_for) override {
    cancelled.push_back(&asked_for);
    const auto found = std::find(waiting.begin(), waiting.end(), &asked_for);
    if (found == waiting.end()) return;
    waiting.erase(found);
    const error why{seawall::errc::cancelled};
    asked_for.on_end(&why);
  }

  void wait(const std::atomic<bool>& done) override {
    answer_all();
    EXPECT_TRUE(done.load());
  }

  duration default_timeout() const noexcept override { return std::chrono::seconds{1}; }

  void answer_all() {
    while (!waiting.empty()) {
      request* const one = waiting.front();
      waiting.pop_front();
      answer(*one);
    }
  }

 private:
  void take(request& one) {
    std::string& line = sent.back();
    line += (line.empty() ? "" : "; ") + spelled(one.bytes);
    asked.push_back(one.traits);
    timeouts.push_back(one.timeout);
    if (hold) waiting.push_back(&one);
    else answer(one);
  }

  void answer(request& one) {
    if (failure) {
      const error why = *std::exchange(failure, std::nullopt);
      return one.on_end(&why);
    }
    for (std::size_t i = 0; i < one.replies; ++i) {
      resp::scanner split;
      const auto size = split.scan(replies);
      ASSERT_TRUE(size && *size > 0) << "no reply is left for " << spelled(one.bytes);
      const std::string reply = replies.substr(0, *size);
      replies.erase(0, *size);
      one.on_reply(i, resp::view{reply});
    }
    one.on_end(nullptr);
  }
};

}  // namespace seawall::cmd

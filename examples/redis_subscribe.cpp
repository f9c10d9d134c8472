// Publishing and subscribing: a channel, a pattern, and what is told after an interruption.
#include <seawall/redis.hpp>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;

// Handlers must return soon, so they hand over what they got.
class mailbox {
 public:
  void push(std::string text) {
    const std::lock_guard lock{mutex_};
    texts_.push_back(std::move(text));
    filled_.notify_one();
  }
  std::string pop() {
    std::unique_lock lock{mutex_};
    filled_.wait(lock, [this] { return !texts_.empty(); });
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    return text;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::string> texts_;
};

int main() {
  const char* url = std::getenv("REDIS_URL");
  mailbox heard;
  auto db = redis::client::connect({.url = url ? url : "redis://127.0.0.1:6379"});
  if (!db) return 1;

  auto news = db->subscribe(
      {.channels = {"news"}, .patterns = {"user:*"}},
      [&](const redis::message& m) { heard.push(std::string{m.channel} + ' ' + std::string{m.payload}); },
      {.on_gap = [&](const redis::gap& missed) { heard.push("missed " + std::string{missed.topic}); }});
  if (!news) return 1;  // the servers have confirmed all topics, or there is an error

  db->run(cmd::publish("news", "hello"));
  db->run(cmd::publish("user:42", "changed"));
  const std::string first = heard.pop();
  const std::string second = heard.pop();
  std::cout << first << '\n' << second << '\n';
  return first == "news hello" && second == "user:42 changed" ? 0 : 1;
}

// Client-side caching by hand: names that were read are kept until the server says that they have changed.
#include <seawall/redis.hpp>

#include <cstdlib>
#include <future>
#include <iostream>
#include <mutex>
#include <unordered_map>

namespace redis = seawall::redis;
namespace cmd = seawall::cmd;

class kept_values final : public redis::tracking_listener {
 public:
  void on_tracking(std::uint64_t) override {}
  void on_invalidate(std::uint64_t, std::string_view key) override {
    const std::lock_guard lock{mutex_};
    values_.erase(std::string{key});
  }
  void on_loss(std::uint64_t, redis::tracking_loss, std::uint16_t) override {
    const std::lock_guard lock{mutex_};
    values_.clear();  // all, whatever the cause: coarse, and safe
  }

  void keep(const std::string& key, const std::string& value) {
    const std::lock_guard lock{mutex_};
    values_[key] = value;
  }
  std::optional<std::string> find(const std::string& key) {
    const std::lock_guard lock{mutex_};
    const auto at = values_.find(key);
    return at == values_.end() ? std::nullopt : std::optional{at->second};
  }

 private:
  std::mutex mutex_;  // never held in a call of the client
  std::unordered_map<std::string, std::string> values_;
};

int main() {
  const char* url = std::getenv("REDIS_URL");
  const auto kept = std::make_shared<kept_values>();
  auto db = redis::client::connect({.url = url ? url : "redis://127.0.0.1:6379", .tracking = kept});
  if (!db) return 1;
  db->run(cmd::set("name", "Ada"));
  std::promise<void> read;
  db->async_run(cmd::get("name"), [&](const auto& name) {  // no executor: called in the order of the wire
    if (name && *name) kept->keep("name", **name);
    read.set_value();
  });
  read.get_future().get();
  const bool was_kept = kept->find("name") == "Ada";

  db->run(cmd::set("name", "Grace"));
  db->run(cmd::ping());  // what the server said before the answer to this has been told
  const bool is_gone = !kept->find("name");
  std::cout << "kept: " << was_kept << ", gone after a change: " << is_gone << '\n';
  return was_kept && is_gone ? 0 : 1;
}

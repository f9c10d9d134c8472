// What the tests of Sentinel share: URLs, callers that check what they read, and sentinels that say what a test wants.
#pragma once

#include "client_support.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace seawall::redis {

inline std::string sentinel_url(const std::vector<std::uint16_t>& sentinels, const std::string& login = "",
                                const std::string& name = "seawall") {
  std::vector<std::string> hosts;
  for (const auto port : sentinels) hosts.push_back(fmt::format("127.0.0.1:{}", port));
  return fmt::format("redis+sentinel://{}{}/{}", login, fmt::join(hosts, ","), name);
}

inline client sentinel_client(const std::string& url, options how = {}) {
  how.url = url;
  return client::connect(std::move(how)).value();
}

/// Callers that write and read while servers come and go. Each value begins with its key.
class callers {
 public:
  explicit callers(client redis, int threads = 4) : redis_(std::move(redis)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~callers() { stop(); }

  void stop() {
    stop_ = true;
    for (auto& one : threads_) {
      if (one.joinable()) one.join();
    }
  }
  /// Waits until so many more commands have ended well.
  void wait_for(std::uint64_t more) {
    const auto wanted = well_.load() + more;
    servers::wait_until("commands end well", [&] { return well_.load() >= wanted; });
  }

  std::uint64_t well() const { return well_; }
  std::vector<std::string> wrong() const { return locked(wrong_); }
  std::vector<std::string> failures() const { return locked(failures_); }
  std::chrono::milliseconds longest_call() const { return locked(longest_call_); }
  /// The longest time in which no command of anyone ended well.
  std::chrono::milliseconds longest_gap() const { return locked(longest_gap_); }

 private:
  using steady = std::chrono::steady_clock;

  template <class T>
  T locked(const T& what) const {
    const std::lock_guard lock{mutex_};
    return what;
  }

  void work(int caller) {
    for (int i = 0; !stop_; ++i) {
      const std::string key = fmt::format("key:{}:{}", caller, i % 50);
      note([&] { return redis_.run(cmd::set(key, fmt::format("{}/{}", key, i))); }, [](bool done) { return done; });
      note([&] { return redis_.run(cmd::get(key)); },
           // A failover may lose what its old primary had alone.
           [&](const std::optional<std::string>& found) { return !found || found->starts_with(key + '/'); });
    }
  }

  template <class Call, class Check>
  void note(const Call& call, const Check& right) {
    const auto begin = steady::now();
    const auto outcome = call();
    const auto end = steady::now();
    const auto ms = [](auto span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span); };
    const std::lock_guard lock{mutex_};
    longest_call_ = std::max(longest_call_, ms(end - begin));
    if (!outcome) return failures_.push_back(outcome.error().message());
    if (!right(*outcome)) wrong_.push_back("a reply of another command");
    if (last_well_) longest_gap_ = std::max(longest_gap_, ms(end - *last_well_));
    last_well_ = end;
    ++well_;
  }

  client redis_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> well_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> wrong_, failures_;
  std::chrono::milliseconds longest_call_{0}, longest_gap_{0};
  std::optional<steady::time_point> last_well_;
  std::vector<std::thread> threads_;
};

/// A sentinel that says what a test wants.
class scripted_sentinel {
 public:
  /// Port 0: it knows no primary of any name. With a password it asks for a login.
  explicit scripted_sentinel(std::uint16_t primary, int epoch = 1, std::string password = "")
      : primary_(primary), epoch_(epoch), password_(std::move(password)),
        server_([this](servers::fake_connection&, const servers::arguments& command) { return answer(command); }) {}

  std::uint16_t port() const { return server_.port(); }
  const servers::fake_server& server() const { return server_; }

  void name(std::uint16_t primary, int epoch) {
    const std::lock_guard lock{mutex_};
    primary_ = primary;
    epoch_ = epoch;
  }
  /// Those that it tells about.
  void tell_about(std::vector<std::uint16_t> others) {
    const std::lock_guard lock{mutex_};
    others_ = std::move(others);
  }
  /// Publishes that the primary has moved; what it answers stays as it is.
  void publish(const std::string& channel = "+switch-master") {
    server_.broadcast(
        fmt::format(">3\r\n{}{}{}", bulk("message"), bulk(channel), bulk("seawall 127.0.0.1 1 127.0.0.1 2")));
  }
  bool has_subscriber() const { return subscriptions() > 0; }
  /// How often somebody began to listen.
  std::ptrdiff_t subscriptions() const {
    const auto all = server_.received();
    return std::ranges::count(all, servers::arguments{"SUBSCRIBE", "+switch-master"});
  }
  /// From now on it asks for a login; ends all connections.
  void lock(std::string password) {
    {
      const std::lock_guard lock{mutex_};
      password_ = std::move(password);
    }
    server_.close_all();
  }
  /// How often it was asked for the primary.
  std::size_t asked() const {
    const auto all = server_.received();
    const auto is_question = [](const auto& one) { return one.size() > 1 && one[1] == "GET-MASTER-ADDR-BY-NAME"; };
    return static_cast<std::size_t>(std::ranges::count_if(all, is_question));
  }

 private:
  static std::string bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

  std::string answer(const servers::arguments& command) {
    const std::lock_guard lock{mutex_};
    const std::string& word = command.at(0);
    if (word == "HELLO") {
      if (!password_.empty() && std::ranges::find(command, password_) == command.end()) {
        return "-NOAUTH HELLO must be called with the client already authenticated\r\n";
      }
      return fmt::format("%2\r\n{}:3\r\n{}{}", bulk("proto"), bulk("mode"), bulk("sentinel"));
    }
    if (word == "PING") return "+PONG\r\n";
    if (word == "SUBSCRIBE") return fmt::format(">3\r\n{}{}:1\r\n", bulk("subscribe"), bulk(command.at(1)));
    if (word != "SENTINEL") return "-ERR unknown command\r\n";
    const std::string& about = command.at(1);
    const std::string host = bulk("127.0.0.1");
    if (about == "MYID") return bulk(fmt::format("id-{}", server_.port()));
    if (about == "GET-MASTER-ADDR-BY-NAME") {
      return primary_ == 0 ? "*-1\r\n" : "*2\r\n" + host + bulk(std::to_string(primary_));
    }
    if (primary_ == 0) return "-ERR No such master with that name\r\n";
    if (about == "MASTER") {
      return fmt::format("%2\r\n{}{}{}{}", bulk("flags"), bulk("master"), bulk("config-epoch"),
                         bulk(std::to_string(epoch_)));
    }
    if (about == "REPLICAS") return "*0\r\n";
    std::string list = fmt::format("*{}\r\n", others_.size());
    for (const auto port : others_) {
      list += fmt::format("%3\r\n{}{}{}{}{}{}", bulk("ip"), host, bulk("port"), bulk(std::to_string(port)),
                          bulk("runid"), bulk(fmt::format("id-{}", port)));
    }
    return list;
  }

  std::mutex mutex_;
  std::uint16_t primary_;
  int epoch_;
  std::string password_;
  std::vector<std::uint16_t> others_;
  servers::fake_server server_;
};

}  // namespace seawall::redis

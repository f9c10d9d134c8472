// What the tests of the client on a cluster share.
#pragma once

#include "client_support.hpp"
#include "servers/cluster.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall::redis {

inline options cluster_options_for(servers::cluster& nodes, std::vector<std::size_t> seeds = {0}) {
  options how;
  how.url = "redis+cluster://";
  for (const std::size_t which : seeds) {
    how.url += (how.url.back() == '/' ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(nodes.port(which));
  }
  how.backoff = {.first = 5ms, .most = 50ms};
  how.command_timeout = 5s;
  return how;
}

inline client client_with(options how) {
  auto made = client::connect(std::move(how));
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

inline client client_of(servers::cluster& nodes) { return client_with(cluster_options_for(nodes)); }

/// Threads that write and read while a test does something to the servers. Each value carries its key, so that a reply
/// that belongs to another request is noticed.
class cluster_load {
 public:
  struct totals {
    std::uint64_t done = 0;
    std::uint64_t wrong = 0;  // replies that belong to another key
    std::uint64_t lost = 0;   // nothing is there though a SET succeeded; a killed primary may lose some
    std::uint64_t late = 0;   // calls that ended after their deadline and a second
    std::set<std::string> failures{};
    std::uint64_t failed = 0;
    std::chrono::milliseconds longest_gap{};  // without a success, of one thread
  };

  cluster_load(client& redis, std::vector<std::string> keys, int threads = 4)
      : redis_(redis), keys_(std::move(keys)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~cluster_load() { stop(); }

  std::uint64_t done() const { return done_; }
  totals stop() {
    stopped_ = true;
    for (auto& one : threads_) {
      if (one.joinable()) one.join();
    }
    const std::lock_guard lock{mutex_};
    totals_.done = done_;
    return totals_;
  }

 private:
  using steady = std::chrono::steady_clock;

  template <class T>
  bool timed(const T& call) {
    const auto begun = steady::now();
    const auto outcome = call();
    const auto took = steady::now() - begun;
    const std::lock_guard lock{mutex_};
    if (took > 6s) ++totals_.late;
    if (!outcome.has_value()) {
      ++totals_.failed;
      if (totals_.failures.size() < 20) totals_.failures.insert(outcome.error().message());
    }
    return outcome.has_value();
  }

  void work(int thread) {
    auto last = steady::now();
    for (int round = 0; !stopped_; ++round) {
      for (const std::string& name : keys_) {
        const std::string key = name + ":" + std::to_string(thread);
        const std::string value = key + "=" + std::to_string(round);
        const bool written = timed([&] { return redis_.run(cmd::set(key, value)); });
        result<std::optional<std::string>> read;
        const bool was_read = timed([&] { return read = redis_.run(cmd::get(key)); });
        const std::lock_guard lock{mutex_};
        if (was_read && *read && !(*read)->starts_with(key + "=")) ++totals_.wrong;
        if (was_read && !*read && written) ++totals_.lost;
        if (written && was_read) {
          done_ += 2;
          totals_.longest_gap = std::max(totals_.longest_gap,
                                         std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - last));
          last = steady::now();
        }
        if (stopped_) break;
      }
    }
  }

  client& redis_;
  const std::vector<std::string> keys_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;
  totals totals_;
  std::vector<std::thread> threads_;
};

}  // namespace seawall::redis

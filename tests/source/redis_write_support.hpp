// What the tests of write-behinds over Redis share: a source that remembers, and engines with short waits.
#pragma once

#include "seawall/redis/client.hpp"
#include "seawall/source/write_engine.hpp"
#include "servers/redis_server.hpp"
#include "servers/tcp_proxy.hpp"
#include "servers/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace seawall::redis_write_test {

using namespace std::chrono_literals;
using servers::redis_server;
using servers::tcp_proxy;
using source::operation_ptr;

struct row {
  std::optional<std::string> value;
  std::uint64_t version = 0;
};

/// Takes an operation if its version is newer than the row's, as a guarded upsert does.
class table {
 public:
  result<void> write(std::span<const operation_ptr> batch) {
    std::unique_lock lock{mutex_};
    ++entered_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked_; });
    if (down) return fail(errc::loader_failed, "down");
    for (const operation_ptr& each : batch) {
      if (each->value == "bad") return fail(errc::invalid_argument, "bad value");
      fences_.push_back(each->fence);
      row& at = rows_[each->key];
      if (each->sequence <= at.version) continue;
      at = {each->removed ? std::nullopt : std::optional{each->value}, each->sequence};
    }
    return {};
  }

  row at(const std::string& key) {
    const std::lock_guard lock{mutex_};
    return rows_[key];
  }
  /// The value, "(removed)", or "" where nothing was ever written.
  std::string value(const std::string& key) {
    const row found = at(key);
    if (found.version == 0) return {};
    return found.value.value_or("(removed)");
  }
  void wait_value(const std::string& key, const std::string& value) {
    servers::wait_until("'" + key + "' becomes '" + value + "'", [&] { return this->value(key) == value; });
  }
  std::vector<std::uint64_t> fences() {
    const std::lock_guard lock{mutex_};
    return fences_;
  }

  void block() {
    const std::lock_guard lock{mutex_};
    blocked_ = true;
  }
  void wait_blocked() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return entered_ != 0; });
  }
  void unblock() {
    const std::lock_guard lock{mutex_};
    blocked_ = false;
    changed_.notify_all();
  }

  std::atomic<bool> down = false;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, row> rows_;
  std::vector<std::uint64_t> fences_;
  unsigned entered_ = 0;
  bool blocked_ = false;
};

inline redis::client client_of(std::string url, duration command_timeout = 500ms) {
  auto made = redis::client::connect({.url = std::move(url),
                                      .command_timeout = command_timeout,
                                      .backoff = {.first = 5ms, .most = 50ms}});
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}
inline redis::client client_at(std::uint16_t port) { return client_of("redis://127.0.0.1:" + std::to_string(port)); }

/// Each test has a stream of its own on the shared server.
inline source::engine_options options_of(const redis::client& redis, acknowledged level = acknowledged::redis) {
  return {.name = "t",
          .acknowledged = level,
          .redis = {.client = redis,
                    .stream = ::testing::UnitTest::GetInstance()->current_test_info()->name(),
                    .lease = 1h,
                    .poll = 5ms},
          .batch = {.linger = 1ms},
          .retry = {.first = 1ms, .longest = 10ms},
          .most_backlog = 1000,
          .most_backlog_bytes = 100000,
          .most_operation_bytes = 1000,
          .most_dead_letters = 9};
}
inline source::engine_options options_at(std::uint16_t port, acknowledged level = acknowledged::redis) {
  return options_of(client_at(port), level);
}

/// Lines of a log hook.
class lines {
 public:
  log_hook hook() {
    return [this](log_level, std::string_view text) {
      const std::lock_guard lock{mutex_};
      all_.emplace_back(text);
    };
  }
  bool has(std::string_view part) {
    const std::lock_guard lock{mutex_};
    return std::ranges::any_of(all_, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> all_;
};

inline std::shared_ptr<source::write_engine> engine_of(source::engine_options how, table& rows) {
  auto made = open_write_engine(
      std::move(how), {.write = [&rows](std::span<const operation_ptr> batch) { return rows.write(batch); },
                       .is_permanent = [](const error& failure) { return failure == errc::invalid_argument; },
                       .settled = nullptr});
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

inline result<write_receipt> put(source::write_engine& engine, const std::string& key, const std::string& value,
                                 duration limit = 20s) {
  return engine.submit(false, key, value, limit);
}

inline void wait_drains(const source::write_engine& engine) {
  servers::wait_until("it drains", [&] { return engine.stats().drained_partitions != 0; });
}

template <class T>
std::string text_of(const result<T>& answer) {
  return answer ? "ok" : answer.error().message();
}

}  // namespace seawall::redis_write_test

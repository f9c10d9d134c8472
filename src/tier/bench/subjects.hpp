// What ./dev bench tiers measures: a cache with a shared tier, and the cache-aside that people write by hand. Both map
// numbers to values of 64 bytes, on one server, and offer `ask` and `async_ask`: the value, loaded if it is nowhere.
#pragma once

#include "seawall/async.hpp"
#include "seawall/cmd/strings.hpp"
#include "seawall/redis/client.hpp"
#include "seawall/tier.hpp"

#include <fmt/format.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::bench {

namespace asio = boost::asio;

inline constexpr std::size_t value_size = 64;
inline constexpr std::chrono::hours value_ttl{1};

/// The value of a key: 64 bytes, the first eight of which say which key's.
inline std::string make_value(std::uint64_t id) {
  std::string value(value_size, 'v');
  std::memcpy(value.data(), &id, sizeof(id));
  return value;
}
inline bool is_value(std::string_view value, std::uint64_t id) noexcept {
  return value.size() == value_size && std::memcmp(value.data(), &id, sizeof(id)) == 0;
}
inline bool is_value(const result<value_ptr<std::string>>& answer, std::uint64_t id) noexcept {
  return answer && *answer && is_value(**answer, id);
}

/// The source: answers at once, and counts.
struct quick_source {
  std::string operator()(std::uint64_t id) {
    loads.fetch_add(1, std::memory_order_relaxed);
    return make_value(id);
  }
  std::atomic<std::uint64_t> loads{0};
};

/// The source of the herd: takes its time, and counts at the server, for all processes.
struct slow_source {
  asio::awaitable<std::string> operator()(std::uint64_t id) {
    const std::string counter = counter_of(id);
    co_await redis.async_run(cmd::incr(counter), asio::use_awaitable);
    asio::steady_timer pause{co_await asio::this_coro::executor, std::chrono::milliseconds{50}};
    co_await pause.async_wait(asio::use_awaitable);
    co_return make_value(id);
  }
  static std::string counter_of(std::uint64_t id) { return fmt::format("loads:{}", id); }

  redis::client redis;
};

/// With `on`, the client's I/O is done by that context.
inline redis::client connect(std::uint16_t port, asio::io_context* on = nullptr) {
  redis::options how;
  how.url = fmt::format("redis://127.0.0.1:{}", port);
  if (on != nullptr) how.executor = on->get_executor();
  auto made = redis::client::connect(std::move(how));
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

class seawall_subject {
 public:
  static constexpr const char* name = "seawall";
  using cache_type = cache<std::uint64_t, std::string>;

  explicit seawall_subject(std::uint16_t port, std::size_t capacity)
      : tier_(make_tier(port)),
        rows_{{.name = "bench", .capacity = capacity, .ttl = value_ttl, .jitter = 0, .shared = tier_}} {}

  bool ask(std::uint64_t id) { return is_value(rows_.get_or_load(id, source_), id); }
  asio::awaitable<bool> async_ask(std::uint64_t id) { return async_ask(id, source_); }
  template <class Source>
  asio::awaitable<bool> async_ask(std::uint64_t id, Source& source) {
    const auto answer = co_await rows_.async_get_or_load(id, source, asio::use_awaitable);
    co_return is_value(answer, id);
  }

  /// Waits until the tier has stored so many values, for ten seconds at most.
  bool wait_for_fills(std::uint64_t count) const {
    for (int i = 0; i != 10'000 && fills() < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return fills() >= count;
  }
  std::uint64_t fills() const { return tier_->stats().totals.fills; }
  std::uint64_t tier_reads() const { return tier_->stats().totals.reads; }
  /// Calls that the tier did not answer: their callers loaded without it.
  std::uint64_t tier_failures() const {
    const tier_totals all = tier_->stats().totals;
    return all.failures_timeout + all.failures_transport + all.failures_server + all.failures_breaker +
           all.failures_other;
  }
  std::uint64_t loads() const noexcept { return source_.loads.load(); }
  cache_type& rows() noexcept { return rows_; }

 private:
  static std::shared_ptr<remote_tier> make_tier(std::uint16_t port) {
    // A machine that is busy with something else must not look like a tier that is out of reach.
    auto made = redis_tier(connect(port), {.budget = std::chrono::seconds{1}});
    if (!made) throw std::runtime_error(made.error().message());
    return *std::move(made);
  }

  quick_source source_;
  const std::shared_ptr<remote_tier> tier_;
  cache_type rows_;
};

/// GET; if there is nothing, load and SET with a time to live. Nothing stops many callers from loading one key, nor a
/// value from being stored that was changed at the source meanwhile.
class hand_written {
 public:
  static constexpr const char* name = "hand-written";

  /// Coroutines use a client whose I/O is done by `on`, where they run themselves.
  hand_written(std::uint16_t port, asio::io_context& on)
      : redis_(connect(port)), shared_(connect(port, &on)), on_(on) {}
  ~hand_written() {
    shared_.close();
    on_.restart();
    on_.poll();
  }
  hand_written(const hand_written&) = delete;
  hand_written& operator=(const hand_written&) = delete;

  bool ask(std::uint64_t id) {
    const std::string key = name_of(id);
    const auto found = redis_.run(cmd::get(key));
    if (found && *found) return is_value(**found, id);
    const std::string value = source_(id);
    redis_.run(cmd::set(key, value, {.ex = value_ttl}));
    return is_value(value, id);
  }

  asio::awaitable<bool> async_ask(std::uint64_t id) {
    const std::string key = name_of(id);
    const auto found = co_await shared_.async_run(cmd::get(key), asio::use_awaitable);
    if (found && *found) co_return is_value(**found, id);
    const std::string value = source_(id);
    co_return co_await store(key, value, id);
  }
  asio::awaitable<bool> async_ask(std::uint64_t id, slow_source& source) {
    const std::string key = name_of(id);
    const auto found = co_await shared_.async_run(cmd::get(key), asio::use_awaitable);
    if (found && *found) co_return is_value(**found, id);
    const std::string value = co_await source(id);
    co_return co_await store(key, value, id);
  }

  /// Stores the values of [first, last) for measurements that only read.
  void fill(std::uint64_t first, std::uint64_t last) {
    while (first != last) {
      std::vector<cmd::command<bool>> sets;
      for (; first != last && sets.size() != 500; ++first) {
        sets.push_back(cmd::set(name_of(first), make_value(first), {.ex = value_ttl}));
      }
      for (const auto& done : redis_.run(sets)) {
        if (!done) throw std::runtime_error(done.error().message());
      }
    }
  }

  static std::uint64_t tier_failures() noexcept { return 0; }
  std::uint64_t loads() const noexcept { return source_.loads.load(); }

 private:
  static std::string name_of(std::uint64_t id) { return fmt::format("hand:{}", id); }

  asio::awaitable<bool> store(const std::string& key, const std::string& value, std::uint64_t id) {
    const cmd::set_options how{.ex = value_ttl};
    co_await shared_.async_run(cmd::set(key, value, how), asio::use_awaitable);
    co_return is_value(value, id);
  }

  quick_source source_;
  redis::client redis_;
  redis::client shared_;
  asio::io_context& on_;
};

}  // namespace seawall::bench

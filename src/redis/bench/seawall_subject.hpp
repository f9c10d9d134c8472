// Seawall's own client. Many callers are coroutines on one context, which share one connection with the client's I/O on
// one thread; a single caller is a thread that blocks.
#pragma once

#include "seawall/cmd/strings.hpp"
#include "seawall/redis/client.hpp"
#include "subject.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace seawall::bench {

class seawall_subject final : public subject {
 public:
  explicit seawall_subject(std::uint16_t port)
      : blocking_(connect(port, {})), shared_(connect(port, {.executor = context_.get_executor()})) {
    for (int i = 0; i != key_count; ++i) keys_.push_back(key_name(i));
  }
  ~seawall_subject() override {
    shared_.close();
    context_.restart();
    context_.poll();
  }

  std::string name() const override { return "seawall"; }

  measured measure(const redis_case& which, double seconds) override {
    if (which.callers > 1) return measure_coroutines(which, seconds);
    return measure_threads(which, seconds, [&](int caller, std::uint64_t number) {
      switch (which.kind) {
        case call_kind::get: return check(blocking_.run(cmd::get(keys_[key_index(caller, number)])));
        case call_kind::pipeline: return pipeline();
        case call_kind::single: return single();
      }
    });
  }

 private:
  static redis::client connect(std::uint16_t port, redis::options how) {
    how.url = fmt::format("redis://127.0.0.1:{}", port);
    auto made = redis::client::connect(std::move(how));
    if (!made) throw std::runtime_error(fmt::format("seawall: {}", made.error().message()));
    return *std::move(made);
  }

  static void check(const result<std::optional<std::string>>& got) {
    if (!got) throw std::runtime_error(fmt::format("seawall: {}", got.error().message()));
    if (!*got || (*got)->size() != value_size) throw std::runtime_error("seawall: wrong reply");
  }
  static void check(const result<bool>& set) {
    if (!set) throw std::runtime_error(fmt::format("seawall: {}", set.error().message()));
  }

  void single() {
    for (std::size_t i = 0; i != batch; ++i) check(blocking_.run(cmd::set(keys_[i], value_)));
  }

  void pipeline() {
    std::vector<cmd::command<bool>> sets;
    sets.reserve(batch);
    for (std::size_t i = 0; i != batch; ++i) sets.push_back(cmd::set(keys_[i], value_));
    for (const auto& one : blocking_.run(sets)) check(one);
  }

  boost::asio::awaitable<void> call(int caller, latencies& times, std::uint64_t& ops) {
    for (std::uint64_t number = 0; !stop_; ++number) {
      const std::string& key = keys_[key_index(caller, number)];
      if (number % timed_get != 0) {
        check(co_await shared_.async_run(cmd::get(key), boost::asio::use_awaitable));
      } else {
        const auto begin = std::chrono::steady_clock::now();
        check(co_await shared_.async_run(cmd::get(key), boost::asio::use_awaitable));
        times.add(std::chrono::steady_clock::now() - begin);
      }
      ++ops;
    }
  }

  measured measure_coroutines(const redis_case& which, double seconds) {
    latencies times;
    std::uint64_t ops = 0;
    int left = which.callers;
    std::exception_ptr failed;
    stop_ = false;
    for (int caller = 0; caller != which.callers; ++caller) {
      boost::asio::co_spawn(context_, call(caller, times, ops), [&](const std::exception_ptr& thrown) {
        if (thrown) failed = thrown;
        --left;
      });
    }
    const double cpu_begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    const auto begin = std::chrono::steady_clock::now();
    context_.restart();
    context_.run_for(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
    const auto spent = std::chrono::steady_clock::now() - begin;
    measured sum{.ops = static_cast<double>(ops)};
    sum.client_cpu_s = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
    sum.ops_per_s = sum.ops / std::chrono::duration<double>(spent).count();
    stop_ = true;
    while (left != 0 && context_.run_one() != 0) {
    }
    if (failed) std::rethrow_exception(failed);
    sum.p50_us = times.microseconds(0.50);
    sum.p99_us = times.microseconds(0.99);
    return sum;
  }

  boost::asio::io_context context_{1};
  redis::client blocking_;
  redis::client shared_;
  std::vector<std::string> keys_;
  const std::string value_ = value_text();
  bool stop_ = false;
};

}  // namespace seawall::bench

// The other processes of ./dev bench tiers: the benchmark's own program, told by lines on stdin what to do.
//   fill FIRST LAST      stores the values of these keys; answers "filled"
//   herd KEY CALLERS     so many coroutines ask for this one key; answers "ready", waits for a line, and answers
//                        "answered" with the number of wrong answers, of calls that the tier did not answer, and the
//                        time of each caller in microseconds
#pragma once

#include "callers.hpp"
#include "subjects.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <seawall_bench/child_process.hpp>

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace seawall::bench {

inline void answer(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

template <class Subject>
void answer_herd(Subject& subject, slow_source& source, asio::io_context& context, std::uint64_t key, int callers) {
  using clock_type = std::chrono::steady_clock;
  std::vector<std::int64_t> times;
  times.reserve(static_cast<std::size_t>(callers));
  int wrong = 0;
  int left = callers;
  clock_type::time_point begin;
  const auto call = [&]() -> asio::awaitable<void> {
    const bool good = co_await subject.async_ask(key, source);
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(clock_type::now() - begin).count());
    if (!good) ++wrong;
  };
  for (int i = 0; i != callers; ++i) {
    asio::co_spawn(context, call, [&](const std::exception_ptr& thrown) {
      if (thrown) ++wrong;
      --left;
    });
  }
  answer("ready");
  if (std::string line; !std::getline(std::cin, line)) return;
  const std::uint64_t failures = subject.tier_failures();
  begin = clock_type::now();
  context.restart();
  const auto work = asio::make_work_guard(context);
  while (left != 0) context.run_one();
  answer(fmt::format("answered {} {} {}", wrong, subject.tier_failures() - failures, fmt::join(times, " ")));
}

/// Until stdin ends.
template <class Subject>
void work(Subject& subject, asio::io_context& context, std::uint16_t port) {
  slow_source source{connect(port)};
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string what;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    in >> what >> first >> second;
    if (what == "herd") answer_herd(subject, source, context, first, static_cast<int>(second));
    if constexpr (requires { subject.fills(); }) {
      if (what != "fill") continue;
      const std::uint64_t before = subject.fills();
      const measured done = ask_at_once(subject, context, 256, {first, second}, std::numeric_limits<double>::max());
      const bool all = subject.wait_for_fills(before + (second - first)) && done.wrong == 0;
      answer(all ? "filled" : fmt::format("{} of {} keys were stored", subject.fills() - before, second - first));
    }
  }
}

inline void be_worker(const std::string& subject, std::uint16_t port) {
  asio::io_context context{1};
  if (subject == hand_written::name) {
    hand_written mine{port, context};
    work(mine, context, port);
  } else {
    seawall_subject mine{port, 10'000};
    work(mine, context, port);
  }
}

/// One of them, as the first process sees it. Throws std::runtime_error when it does not answer.
class worker {
 public:
  worker(const std::string& subject, std::uint16_t port)
      : child_(program(), {"seawall-bench-tiers", "--worker", subject, "--port", std::to_string(port)}) {}

  void say(const std::string& line) {
    if (!child_.say(line)) fail("it ended");
  }
  /// What follows `word` on the next line.
  std::string hear(const std::string& word) {
    const auto line = child_.hear(60);
    if (!line) fail("it ended or said nothing");
    if (!line->starts_with(word)) fail(*line);
    return line->substr(word.size());
  }

 private:
  static std::string program() {
    std::array<char, 4096> path{};
    const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
    if (size <= 0) throw std::runtime_error("the benchmark does not find its own program");
    return {path.data(), static_cast<std::size_t>(size)};
  }
  [[noreturn]] static void fail(const std::string& cause) {
    throw std::runtime_error("another process of the benchmark: " + cause);
  }

  child_process child_;
};

}  // namespace seawall::bench

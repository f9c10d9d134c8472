// Many callers on one key: how fast a flight takes them in and lets them go, and what a stampede ends in.
#pragma once

#include "bench_harness.hpp"
#include "bench_subjects.hpp"
#include "seawall/async.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

namespace seawall::bench {

// ---- hot flight ----
//
// `callers` threads or coroutines ask for one key again and again, and the key is never stored. Whoever comes first
// leads a load that ends when all the others are asking, too: so nearly every call but the leader's joins a load in
// progress and is answered by it. The figure is the calls a second that were answered by joining, as the subject
// counted them; leaders do not count. It holds the whole trip: look, join, wait, wake, leave.

inline constexpr metric callers_per_s{"callers_per_s", better::higher};

template <class Subject>
double hot_flight_threads(Subject& subject, int callers, double seconds) {
  std::atomic<int> asking{0};
  const std::uint64_t before = subject.joined();
  const auto times = run_threads(callers, seconds, [&](int, const std::atomic<bool>& stop) {
    const auto loader = [&](std::uint64_t key) {
      while (asking.load(std::memory_order_relaxed) < callers && !stop.load(std::memory_order_relaxed)) {
        std::this_thread::yield();
      }
      return row{key};
    };
    std::uint64_t calls = 0;
    for (; !stop.load(std::memory_order_relaxed); ++calls) {
      asking.fetch_add(1, std::memory_order_relaxed);
      subject.load_only(1, loader);
      asking.fetch_sub(1, std::memory_order_relaxed);
    }
    return calls;
  });
  double longest = 0;
  for (const thread_time& one : times) longest = std::max(longest, one.wall);
  return static_cast<double>(subject.joined() - before) / longest;
}

inline double hot_flight_coroutines(seawall_subject& subject, int callers, int threads, double seconds) {
  namespace asio = boost::asio;
  std::atomic<int> asking{0};
  std::atomic<bool> stop{false};
  const auto loader = [&](std::uint64_t key) -> asio::awaitable<row> {
    const auto executor = co_await asio::this_coro::executor;
    while (asking.load(std::memory_order_relaxed) < callers && !stop.load(std::memory_order_relaxed)) {
      co_await asio::post(executor, asio::use_awaitable);
    }
    co_return row{key};
  };
  const auto caller = [&]() -> asio::awaitable<void> {
    constexpr entry_options unstored{.no_store = true};
    while (!stop.load(std::memory_order_relaxed)) {
      asking.fetch_add(1, std::memory_order_relaxed);
      co_await subject.rows.async_get_or_load(std::uint64_t{1}, loader, unstored, asio::use_awaitable);
      asking.fetch_sub(1, std::memory_order_relaxed);
    }
  };
  asio::io_context io{threads};
  for (int i = 0; i != callers; ++i) asio::co_spawn(io, caller(), asio::detached);
  const std::uint64_t before = subject.joined();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::jthread> runners;
  for (int i = 0; i != threads; ++i) runners.emplace_back([&] { io.run(); });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop.store(true);
  runners.clear();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(subject.joined() - before) / wall.count();
}

// ---- stampede ----
//
// All callers are released at once on a key that is not there; the loader takes 50 ms. Each notes when it had its
// answer. A caller that the scheduler lets in only after the load has ended gets a plain hit; `joined` tells how many
// were really waiting.

inline constexpr metric loads{"loads", better::lower};
inline constexpr metric last_after_first_ms{"last_after_first_ms", better::lower};
inline constexpr metric elapsed_ms{"elapsed_ms", better::lower};
inline constexpr metric joined{"joined", better::neither};

inline constexpr std::chrono::milliseconds stampede_load{50};

struct stampede {
  using time = std::chrono::steady_clock::time_point;

  explicit stampede(int callers) : answered(static_cast<std::size_t>(callers)) {}

  std::vector<time> answered;
  std::atomic<int> loads{0};
  std::atomic<int> wrong{0};
  time released{};
  std::uint64_t joined = 0;

  void note(std::size_t caller, const row* got) {
    answered[caller] = std::chrono::steady_clock::now();
    if (got == nullptr || got->id != key) wrong.fetch_add(1);
  }
  void add_to(report& to, const std::string& name, const char* subject, int threads) const {
    const auto ms = [](auto span) { return std::chrono::duration<double, std::milli>(span).count(); };
    const auto [first, last] = std::minmax_element(answered.begin(), answered.end());
    to.add(name, subject, threads, bench::loads, loads.load());
    to.add(name, subject, threads, bench::last_after_first_ms, ms(*last - *first));
    to.add(name, subject, threads, bench::elapsed_ms, ms(*last - released));
    to.add(name, subject, threads, bench::joined, static_cast<double>(joined));
  }

  static constexpr std::uint64_t key = 42;
};

/// Threads by the thousand: small stacks, and a function by address as pthread_create wants it.
class thread_crowd {
 public:
  template <class Body>
  thread_crowd(int count, Body& body) {
    struct start {
      Body* body;
      std::size_t index;
    };
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    for (int i = 0; i != count; ++i) {
      auto mine = std::make_unique<start>(start{&body, static_cast<std::size_t>(i)});
      const auto run = [](void* given) -> void* {
        const std::unique_ptr<start> what{static_cast<start*>(given)};
        (*what->body)(what->index);
        return nullptr;
      };
      pthread_t id{};
      if (pthread_create(&id, &small, run, mine.get()) != 0) break;
      mine.release();
      ids_.push_back(id);
    }
    pthread_attr_destroy(&small);
  }
  ~thread_crowd() { join(); }

  int size() const noexcept { return static_cast<int>(ids_.size()); }
  void join() {
    for (const pthread_t id : ids_) pthread_join(id, nullptr);
    ids_.clear();
  }

 private:
  std::vector<pthread_t> ids_;
};

template <class Subject>
void stampede_threads(Subject& subject, stampede& what) {
  const int callers = static_cast<int>(what.answered.size());
  std::atomic<int> ready{0};
  std::atomic<int> go{0};
  const auto loader = [&](std::uint64_t key) {
    what.loads.fetch_add(1);
    std::this_thread::sleep_for(stampede_load);
    return row{key};
  };
  const auto call = [&](std::size_t index) {
    ready.fetch_add(1);
    go.wait(0);
    const auto answer = subject.get_or_load(stampede::key, loader);
    what.note(index, row_of(answer));
  };
  thread_crowd crowd{callers, call};
  const int started = crowd.size();
  while (ready.load() != started) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds{20});  // let the last ones fall asleep at the gate
  what.released = std::chrono::steady_clock::now();
  go.store(1);
  go.notify_all();
  crowd.join();
  what.joined = subject.joined();
  if (started != callers) {
    throw std::runtime_error(fmt::format("only {} of {} threads could be started: raise 'ulimit -u' or the container's "
                                         "limit of processes, or leave this case out", started, callers));
  }
}

inline void stampede_coroutines(seawall_subject& subject, stampede& what, int threads) {
  namespace asio = boost::asio;
  const auto loader = [&](std::uint64_t key) -> asio::awaitable<row> {
    what.loads.fetch_add(1);
    asio::steady_timer pause{co_await asio::this_coro::executor, stampede_load};
    co_await pause.async_wait(asio::use_awaitable);
    co_return row{key};
  };
  const auto call = [&](std::size_t index) -> asio::awaitable<void> {
    const auto answer = co_await subject.rows.async_get_or_load(stampede::key, loader, asio::use_awaitable);
    what.note(index, row_of(answer));
  };
  asio::io_context io{threads};
  for (std::size_t i = 0; i != what.answered.size(); ++i) asio::co_spawn(io, call(i), asio::detached);
  what.released = std::chrono::steady_clock::now();
  std::vector<std::jthread> runners;
  for (int i = 0; i != threads; ++i) runners.emplace_back([&] { io.run(); });
  runners.clear();
  what.joined = subject.joined();
}

}  // namespace seawall::bench

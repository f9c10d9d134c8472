// Many callers on one key: how fast a flight takes them in and lets them go, and what a stampede ends in.
#pragma once

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

#include <linux/futex.h>
#include <pthread.h>
#include <seawall_bench/harness.hpp>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace seawall::bench {

// ---- hot flight ----
//
// `callers` threads or coroutines ask for one key again and again, and it is never stored. Whoever comes first leads a
// load that ends when all the others are asking, too; they are answered, leave, and ask again. So each generation is
// one load and nearly callers - 1 calls that join it. The figure is the joined calls a second, as the subject itself
// counted them: look, join, wait, wake, leave, with the flight's opening and end shared by the generation.

inline constexpr metric callers_per_s{"callers_per_s", better::higher};

/// Tells the leader of the present load whether everybody has asked since the last one ended.
class generation {
 public:
  explicit generation(int callers) : callers_(static_cast<std::uint64_t>(callers)), patience_(200 + 5 * callers) {}

  /// To be called by each caller before each call.
  void ask() noexcept { asked_.fetch_add(1, std::memory_order_relaxed); }
  /// For the leader, when its load begins.
  void begin() noexcept { give_up_ = std::chrono::steady_clock::now() + patience_; }
  /// Also true when somebody is missing for long: a caller that was interrupted between asking and joining may have
  /// missed the last load, joined this one, and so will not ask again before it ends.
  bool complete() const noexcept {
    return asked_.load(std::memory_order_relaxed) - asked_before_ >= callers_ ||
           std::chrono::steady_clock::now() > give_up_;
  }
  /// For the leader, when its load ends.
  void end() noexcept { asked_before_ = asked_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t callers_;
  const std::chrono::microseconds patience_;
  std::atomic<std::uint64_t> asked_{0};
  std::chrono::steady_clock::time_point give_up_{};  // touched by the leader of the moment
  std::uint64_t asked_before_ = 0;                   // touched by the leader of the moment
};

template <class Subject>
double hot_flight_threads(Subject& subject, int callers, double seconds) {
  generation all{callers};
  const std::uint64_t before = subject.joined();
  const auto times = run_threads(callers, seconds, [&](int, const std::atomic<bool>& stop) {
    const auto loader = [&](std::uint64_t key) {
      all.begin();
      while (!all.complete() && !stop.load(std::memory_order_relaxed)) std::this_thread::yield();
      const auto asked = std::chrono::steady_clock::now();
      while (std::chrono::steady_clock::now() - asked < std::chrono::microseconds{1}) {
      }  // from asking to joining
      all.end();
      return row{key};
    };
    std::uint64_t calls = 0;
    for (; !stop.load(std::memory_order_relaxed); ++calls) {
      all.ask();
      subject.load_only(1, loader);
    }
    return calls;
  });
  double longest = 0;
  for (const thread_time& one : times) longest = std::max(longest, one.wall);
  return static_cast<double>(subject.joined() - before) / longest;
}

inline double hot_flight_coroutines(seawall_subject& subject, int callers, int threads, double seconds) {
  namespace asio = boost::asio;
  generation all{callers};
  std::atomic<bool> stop{false};
  const auto loader = [&](std::uint64_t key) -> asio::awaitable<row> {
    const auto executor = co_await asio::this_coro::executor;
    all.begin();
    while (!all.complete() && !stop.load(std::memory_order_relaxed)) {
      co_await asio::post(executor, asio::use_awaitable);
    }
    for (int i = 0; i != 2; ++i) co_await asio::post(executor, asio::use_awaitable);  // from asking to joining
    all.end();
    co_return row{key};
  };
  const auto caller = [&]() -> asio::awaitable<void> {
    constexpr entry_options unstored{.no_store = true};
    while (!stop.load(std::memory_order_relaxed)) {
      all.ask();
      co_await subject.rows.async_get_or_load(std::uint64_t{1}, loader, unstored, asio::use_awaitable);
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
// were really waiting. The threads end only after all have been answered: ending a thread costs more than an answer.

inline constexpr metric loads{"loads", better::lower};
inline constexpr metric last_after_first_ms{"last_after_first_ms", better::lower};
inline constexpr metric elapsed_ms{"elapsed_ms", better::lower};
inline constexpr metric cpu_ms{"cpu_ms", better::lower};  // of the whole process, from the release on
inline constexpr metric joined{"joined", better::neither};
inline constexpr std::chrono::milliseconds stampede_load{50};

struct stampede {
  using time = std::chrono::steady_clock::time_point;

  explicit stampede(int callers) : answered(static_cast<std::size_t>(callers)) {}

  std::vector<time> answered;
  std::atomic<int> loads{0};
  std::atomic<int> wrong{0};
  time released{};
  double cpu = 0;  ///< Seconds.
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
    to.add(name, subject, threads, bench::cpu_ms, 1e3 * cpu);
    to.add(name, subject, threads, bench::joined, static_cast<double>(joined));
  }

  static constexpr std::uint64_t key = 42;
};

/// Holds threads until it is opened. A bare futex: std::atomic::wait yields a few times before it sleeps, which would
/// add tens of thousands of context switches to what is measured.
class gate {
 public:
  void pass() noexcept {
    while (open_.load(std::memory_order_acquire) == 0) futex(FUTEX_WAIT_PRIVATE, 0);
  }
  void open() noexcept {
    open_.store(1, std::memory_order_release);
    futex(FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max());
  }

 private:
  void futex(int operation, int value) noexcept {
    static_assert(sizeof(open_) == sizeof(int));
    syscall(SYS_futex, reinterpret_cast<int*>(&open_), operation, value, nullptr, nullptr, 0);
  }

  std::atomic<int> open_{0};
};

/// A thread that has worked before has touched its stack and its share of the heap.
inline void warm_up_thread() {
  volatile char stack[16 * 1024];
  for (std::size_t i = 0; i < sizeof(stack); i += 1024) stack[i] = 1;
  delete[] new volatile char[256];
}

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
  std::atomic<int> noted{0};
  gate go;
  gate end;
  const auto loader = [&](std::uint64_t key) {
    what.loads.fetch_add(1);
    std::this_thread::sleep_for(stampede_load);
    return row{key};
  };
  const auto call = [&](std::size_t index) {
    warm_up_thread();
    ready.fetch_add(1);
    go.pass();
    const auto answer = subject.get_or_load(stampede::key, loader);
    what.note(index, row_of(answer));
    noted.fetch_add(1);
    end.pass();
  };
  thread_crowd crowd{callers, call};
  const int started = crowd.size();
  while (ready.load() != started) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  std::this_thread::sleep_for(std::chrono::milliseconds{20});  // let the last ones fall asleep at the gate
  const double cpu_begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  what.released = std::chrono::steady_clock::now();
  go.open();
  while (noted.load() != started) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  what.cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
  end.open();
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
  const double cpu_begin = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  what.released = std::chrono::steady_clock::now();
  std::vector<std::jthread> runners;
  for (int i = 0; i != threads; ++i) runners.emplace_back([&] { io.run(); });
  runners.clear();
  what.cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin;
  what.joined = subject.joined();
}

}  // namespace seawall::bench

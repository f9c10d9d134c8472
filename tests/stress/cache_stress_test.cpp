// Threads and coroutines against one cache in front of a versioned database, with deadlines, cancellations, failures,
// hung loads and invalidations, all real. The simulation owns the interleavings that a seed can repeat; this test owns
// those that only a real machine makes, and is what ThreadSanitizer looks at. SEAWALL_SEED repeats the choices of a
// run, SEAWALL_STRESS_MS makes it longer.
#include "seawall/async.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using version = std::uint64_t;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  return std::getenv(name) ? std::strtoull(std::getenv(name), nullptr, 10) : otherwise;
}

// A key that lets another thread run while it is copied or compared, which the cache does between the steps that must
// not come apart: it makes the narrow windows wide.
struct slow_key {
  int id;
  slow_key(int value) : id(value) {}
  slow_key(const slow_key& other) : id(other.id) { dawdle(); }
  slow_key& operator=(const slow_key&) = default;
  friend bool operator==(const slow_key& a, const slow_key& b) { return dawdle() && a.id == b.id; }
  friend std::size_t hash_value(const slow_key& value) { return std::size_t(value.id); }
  static bool dawdle() {
    thread_local std::minstd_rand chance{std::random_device{}()};
    if (chance() % 3 == 0) std::this_thread::yield();
    return true;
  }
};

constexpr int keys = 4;
constexpr version absent_every = 5;  // a row whose version divides by it does not exist
// One row of the database and what is known of it. All atomics are sequentially consistent: they carry the real-time
// order that answers are judged by.
struct row {
  std::mutex writing;
  std::atomic<version> committed{1};
  std::atomic<version> acknowledged{1};  // its invalidation has returned
  std::atomic<version> served{0};        // the highest that a read which is surely linearizable has returned
};

void raise(std::atomic<version>& to, version at_least) {
  version now = to;
  while (now < at_least && !to.compare_exchange_weak(now, at_least)) {}
}

class world {
 public:
  using cache_type = cache<slow_key, version>;
  using options = cache_options<slow_key, version>;

  world(options how, std::uint64_t seed) : random_(seed), cache_(with_loader(std::move(how))) {}

  // Runs threads and coroutines for a while, then judges what can only be judged at rest.
  void run(duration how_long) {
    end_ = std::chrono::steady_clock::now() + how_long;
    asio::thread_pool pool{2};
    for (int i = 0; i != 4; ++i) asio::co_spawn(asio::make_strand(pool), coroutine(), asio::detached);
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i) threads.emplace_back([this] { thread(); });
    for (auto& one : threads) one.join();
    pool.join();
    while (cache_.stats().running_loads != 0) std::this_thread::yield();  // background loads; a lost permit hangs here
    for (int key = 0; key != keys; ++key) {
      const auto left = cache_.peek(key);
      const version now = rows_[key].committed;
      EXPECT_TRUE(!left || (left->value ? *left->value == now : now % absent_every == 0)) << key << " is old at rest";
      const bool answers = cache_.get_or_load(key, [](const slow_key&) { return version{1}; }).has_value();
      EXPECT_TRUE(answers || cache_.stats().failing_keys != 0);
    }
    const class_stats seen = cache_.stats().total;
    const std::uint64_t counted = seen.hits + seen.negative_hits + seen.stale_served + seen.misses;
    EXPECT_LE(counted, lookups_ + keys) << "a look-up was counted twice";
    EXPECT_GE(counted + cancelled_, lookups_ + keys) << "a look-up was not counted";
    EXPECT_LE(behind_, seen.unlinearized_reads) << "reads went back in time without being counted";
    EXPECT_GT(seen.loads, 0u);
  }

 private:
  // What was known when a call began; its answer may not be older.
  struct since {
    int key;
    version acknowledged, served;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  };

  auto own_loader() {
    return [this](const slow_key& which, load_context<version>& context) { return load(which.id, context); };
  }
  options with_loader(options how) {
    how.loader = own_loader();
    how.key_classes = {{"even"}, [](const slow_key& which) { return std::size_t(which.id % 2); }};
    return how;
  }

  std::size_t below(std::size_t limit) { return random_.next() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  bool over() const { return std::chrono::steady_clock::now() >= end_; }
  // A load: reads, dawdles, and sometimes fails, confirms the old value, or hangs until it is told to stop.
  loaded<version> load(int key, load_context<version>& context) {
    const bool hangs = one_in(40);
    for (std::size_t i = below(4); i != 0; --i) std::this_thread::yield();
    const version read = rows_[key].committed;
    for (std::size_t i = below(8); i != 0; --i) std::this_thread::yield();
    while (hangs && !context.stop_token().stop_requested() && !over()) std::this_thread::yield();
    const value_ptr<version>& previous = context.previous();
    if (one_in(30)) return error{errc::loader_failed, "a failure with a message that does not fit into the string"};
    if (one_in(60)) throw std::runtime_error("a loader that throws");
    if (previous && *previous == read && one_in(2)) return not_modified;
    if (read % absent_every == 0) return not_found;
    return read;
  }
  awaitable<version> load_slowly(int key, std::stop_token stop) {
    const version read = rows_[key].committed;
    asio::steady_timer pause{co_await asio::this_coro::executor};
    for (std::size_t i = one_in(20) ? 1'000 : below(3); i != 0 && !stop.stop_requested() && !over(); --i) {
      pause.expires_after(20us);
      co_await pause.async_wait(use_awaitable);
    }
    if (one_in(30)) throw std::runtime_error("a coroutine that throws");
    co_return read;
  }

  since begin(int key) {
    ++lookups_;
    const version served = rows_[key].served;  // read first: what is served is known to be committed
    return {key, rows_[key].acknowledged, served};
  }

  // `linear`: the call cannot have taken a value that its statistics would have to confess.
  void judge(const since& call, const value_ptr<version>& got, bool linear) {
    row& of = rows_[call.key];
    const version newest = of.committed;
    const version read = got ? *got : newest - newest % absent_every;
    EXPECT_LE(read, newest) << "from the future";
    EXPECT_GE(read, call.acknowledged) << "key " << call.key << ": stale after an acknowledged write";
    if (read < call.served) ++behind_;
    if (!linear) return;
    EXPECT_GE(read, call.served) << "key " << call.key << " went back in time";
    if (got) raise(of.served, read);
  }
  void judge(const since& call, const cache_type::answer& got, duration deadline) {
    if (got) return judge(call, *got, false);
    const error& why = got.error();
    if (why == errc::cancelled) ++cancelled_;
    if (why == errc::timed_out) {
      EXPECT_GE(std::chrono::steady_clock::now() - call.began, deadline) << "it gave up before its deadline";
    }
    EXPECT_TRUE(why == errc::cancelled || why == errc::timed_out || why == errc::load_timed_out ||
                why == errc::loader_failed || why == errc::overloaded)
        << why.message();
  }

  duration some_deadline() { return std::array<duration, 4>{forever, 10ms, 500us, 100us}[below(4)]; }
  void write(int key) {
    row& of = rows_[key];
    const std::unique_lock lock{of.writing, std::try_to_lock};
    if (!lock) return;
    const version now = ++of.committed;
    if (one_in(20)) cache_.clear();
    else if (one_in(3)) cache_.put(key, now % absent_every == 0 ? nullptr : std::make_shared<const version>(now));
    else cache_.invalidate(key);
    raise(of.acknowledged, now);
  }
  void disturb(int key) {
    if (one_in(50)) cache_.clear();
    else if (one_in(2)) cache_.expire(key);
    else cache_.invalidate(key);
  }

  void get_many() {
    const duration deadline = some_deadline();
    std::vector<slow_key> wanted;  // a key may come twice
    std::vector<since> calls;
    for (std::size_t i = 1 + below(5); i != 0; --i) {
      wanted.push_back(int(below(keys)));
      calls.push_back(begin(wanted.back().id));
    }
    const auto answers = cache_.get_many(std::span<const slow_key>(wanted), [this](std::span<const slow_key> batch) {
      std::vector<std::optional<version>> found;
      for (const slow_key& one : batch) {
        const version read = rows_[one.id].committed;
        found.push_back(read % absent_every == 0 ? std::nullopt : std::optional(read));
      }
      for (std::size_t i = below(8); i != 0; --i) std::this_thread::yield();
      if (one_in(30)) throw std::runtime_error("a bulk loader that throws");
      return found;
    }, {.deadline = deadline});
    for (std::size_t i = 0; i != calls.size(); ++i) judge(calls[i], answers[i], deadline);
  }

  void read(int key) {
    const entry_options how{.no_store = one_in(20), .deadline = some_deadline()};
    const since call = begin(key);
    const std::size_t way = below(11);
    if (way < 2) {
      if (const auto got = cache_.get(key)) judge(call, got, true);
    } else if (way < 5) {
      judge(call, cache_.get_or_load(key, how), *how.deadline);
    } else if (way < 6) {
      judge(call, cache_.get_or_load(key, detached(own_loader()), how), *how.deadline);
    } else {
      judge(call, cache_.get_or_load(key, own_loader(), how), *how.deadline);
    }
  }

  void thread() {
    while (!over()) {
      const int key = int(below(keys));
      const std::size_t what = below(16);
      if (what < 3) write(key);
      else if (what < 4) disturb(key);
      else if (what < 5) get_many();
      else read(key);
    }
  }

  awaitable<void> coroutine() {
    using namespace asio::experimental::awaitable_operators;
    const auto slowly = [this](const slow_key& which, std::stop_token stop) { return load_slowly(which.id, stop); };
    const auto at_once = own_loader();
    asio::steady_timer patience{co_await asio::this_coro::executor};
    while (!over()) {
      const int key = int(below(keys));
      const entry_options how{.deadline = some_deadline()};
      const since call = begin(key);
      if (one_in(3)) {  // whichever ends first cancels the other
        patience.expires_after(duration{below(300'000)});
        auto first = co_await (cache_.async_get_or_load(key, slowly, how, use_awaitable) ||
                               patience.async_wait(use_awaitable));
        if (first.index() == 0) judge(call, std::get<0>(first), *how.deadline);
        else ++cancelled_;
      } else if (one_in(2)) {
        judge(call, co_await cache_.async_get_or_load(key, slowly, how, use_awaitable), *how.deadline);
      } else if (one_in(2)) {
        judge(call, co_await cache_.async_get_or_load(key, at_once, how, use_awaitable), *how.deadline);
      } else {
        judge(call, co_await cache_.async_get_or_load(key, how, use_awaitable), *how.deadline);
      }
      if (one_in(8)) write(key);
    }
  }

  random_source random_;
  std::array<row, keys> rows_;
  std::chrono::steady_clock::time_point end_;
  std::atomic<std::uint64_t> lookups_{0};
  std::atomic<std::uint64_t> cancelled_{0};
  std::atomic<std::uint64_t> behind_{0};  // reads older than what a linearizable read had returned before they began
  cache_type cache_;                      // last: its loads use the rest
};

class Stress : public ::testing::TestWithParam<std::size_t> {};
TEST_P(Stress, EveryAnswerIsOneThatThePromisesAllow) {
  const std::array<world::options, 3> all{{
      {.name = "plain", .capacity = 100, .load_deadline = 3ms, .backoff = {.initial = 200us, .max = 1ms}},
      {.name = "stale", .capacity = 4, .ttl = 300us, .negative_ttl = 100us, .stale_for = 500us, .stale_if_error = 2ms,
       .refresh_ahead = 0.5, .load_deadline = 3ms, .backoff = {.initial = 0ns}},
      {.name = "narrow", .capacity = 100, .ttl = 1ms, .sliding = 200us, .xfetch_beta = 1, .load_deadline = 1ms,
       .backoff = {.initial = 100us, .max = 1ms}, .max_concurrent_loads = 3,
       .source_bulkhead = std::make_shared<bulkhead>(2)},
  }};
  const std::uint64_t seed = from_environment("SEAWALL_SEED", entropy_seed());
  SCOPED_TRACE("SEAWALL_SEED=" + std::to_string(seed));
  std::printf("SEAWALL_SEED=%llu\n", static_cast<unsigned long long>(seed));
  world{all[GetParam()], seed}.run(1ms * from_environment("SEAWALL_STRESS_MS", 1'200));
}

INSTANTIATE_TEST_SUITE_P(Caches, Stress, ::testing::Range<std::size_t>(0, 3));

}  // namespace
}  // namespace seawall

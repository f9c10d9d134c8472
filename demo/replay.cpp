#include "replay.hpp"

#include "traffic.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <thread>

namespace seawall::demo {
namespace {

using steady = std::chrono::steady_clock;

/// Requests that a client takes from the trace at a time: few, so that the order of the trace is kept.
constexpr std::uint64_t chunk = 16;
/// How often the watching thread looks for the end.
constexpr auto tick = std::chrono::milliseconds(20);

void bump(std::atomic<std::uint64_t>& counter) {
  // One writer per counter: no need for a locked addition.
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

double seconds_since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

}  // namespace

struct replayer::client {
  shop_session& session;
  std::uint64_t queries_before;
  client_counters counters;
};

struct replayer::run_state {
  explicit run_state(const phase& p) : through(p.through), limit(p.requests > 0 ? p.requests : ~std::uint64_t{0}) {}

  front& through;
  const std::uint64_t limit;  // of requests
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> ended{false};
  steady::time_point start{};
  std::mutex mutex;
  std::condition_variable done;
  int running = 0;          // under mutex
  std::string failure;      // under mutex
  std::vector<std::unique_ptr<client>> clients;

  void fail(const std::string& why) {
    const std::scoped_lock lock(mutex);
    if (failure.empty()) failure = why;
    ended = true;
  }
};

replayer::replayer(const std::string& database, int threads, const std::vector<request_key>& traffic, checker& check,
                   const std::atomic<bool>& stop)
    : traffic_(traffic), check_(check), stop_(stop) {
  for (int i = 0; i < threads; ++i) sessions_.push_back(std::make_unique<shop_session>(database));
}

void replayer::read(client& c, run_state& state, const request_key& key) {
  const std::uint32_t floor = check_.floor(key);
  const auto start = steady::now();
  const result<answer_ptr> given = state.through.read(c.session, key);
  const auto end = steady::now();
  if (!given) return state.fail(given.error().message());
  const answer* a = given->get();
  const bool hit = a != nullptr && a->made_at < start.time_since_epoch().count();
  (hit ? c.counters.hits : c.counters.misses).record(end - start);
  c.counters.queries.store(c.session.queries() - c.queries_before, std::memory_order_relaxed);
  bump(c.counters.checked);
  switch (check_.check(key, floor, a)) {
    case verdict::good:
      break;
    case verdict::stale:
      bump(c.counters.stale);
      break;
    case verdict::impossible:
    case verdict::wrong:
      bump(c.counters.wrong);
      break;
  }
}

void replayer::write(client& c, run_state& state, const request_key& key, std::uint64_t index) {
  const auto start = steady::now();
  shop_change change;
  {
    const std::scoped_lock one_writer(writer_);
    change = c.session.begin_write(key, mix(index));
    for (const row_version& r : change.rows) check_.starting(r);
    c.session.commit();
  }
  state.through.changed(change);
  for (const row_version& r : change.rows) check_.acknowledged(r);
  c.counters.writes.record(steady::now() - start);
}

void replayer::serve(client& c, run_state& state) {
  try {
    while (!state.ended.load(std::memory_order_relaxed)) {
      const std::uint64_t first = state.next.fetch_add(chunk);
      const std::uint64_t end = std::min(first + chunk, state.limit);
      if (first >= end) break;
      for (std::uint64_t i = first; i < end && !state.ended.load(std::memory_order_relaxed); ++i) {
        const std::uint64_t at = i % traffic_.size();
        if (is_write(at)) {
          write(c, state, traffic_[at], i);
        } else {
          read(c, state, traffic_[at]);
        }
      }
    }
  } catch (const std::exception& e) {
    state.fail(e.what());
  }
  const std::scoped_lock lock(state.mutex);
  if (--state.running == 0) state.done.notify_all();
}

figures replayer::total(const run_state& state) const {
  figures sum;
  sum.seconds = seconds_since(state.start);
  for (const auto& c : state.clients) sum.add(c->counters);
  return sum;
}

void replayer::watch(const phase& p, const live_report& live, run_state& state) {
  figures last;
  double next_report = 1;
  std::unique_lock lock(state.mutex);
  while (!state.done.wait_for(lock, tick, [&] { return state.running == 0; })) {
    const double now = seconds_since(state.start);
    if (stop_ || (p.seconds > 0 && now >= p.seconds)) state.ended = true;
    if (now < next_report) continue;
    next_report += 1;
    lock.unlock();
    const figures so_far = total(state);
    live(so_far.since(last), so_far);
    last = so_far;
    lock.lock();
  }
}

phase_result replayer::run(const phase& p, const live_report& live) {
  run_state state(p);
  for (const auto& s : sessions_) state.clients.push_back(std::make_unique<client>(*s, s->queries()));
  state.running = static_cast<int>(state.clients.size());
  state.start = steady::now();
  phase_result result;
  {
    std::vector<std::jthread> threads;
    threads.reserve(state.clients.size());
    try {
      for (const auto& c : state.clients) threads.emplace_back([this, &c, &state] { serve(*c, state); });
      watch(p, live, state);
    } catch (...) {
      state.ended = true;  // or the threads would be joined for ever
      throw;
    }
  }
  result.measured = total(state);
  result.failure = state.failure;
  return result;
}

}  // namespace seawall::demo

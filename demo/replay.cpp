#include "replay.hpp"

#include "traffic.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace seawall::demo {
namespace {

using steady = std::chrono::steady_clock;

/// Requests that a client takes from the trace at a time: few, so that the order of the trace is kept.
constexpr std::uint64_t chunk = 16;
/// How often the watching thread looks for the end.
constexpr auto tick_time = std::chrono::milliseconds(20);
/// How long the leader waits for processes that do not answer when a phase has ended: a load takes no longer.
constexpr auto patience = std::chrono::seconds(30);

void bump(std::atomic<std::uint64_t>& counter) {
  // One writer per counter: no need for a locked addition.
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::int64_t nanoseconds(steady::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

double seconds_since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

/// The request of this index asks for what is right now.
bool asks_fresh(std::uint64_t index, unsigned percent) { return mix(index ^ 0x66726573) % 100 < percent; }

}  // namespace

replayer::replayer(const replay_options& options, const std::vector<request_key>& traffic, checker& check,
                   board& shared)
    : options_(options), traffic_(traffic), check_(check), board_(shared), slot_(shared.process(options.process)),
      place_(shop_place_at(options.database, shared.shape().threads)) {
  for (std::uint32_t i = 0; i < shared.shape().threads; ++i) {
    sessions_.push_back(std::make_unique<shop_session>(place_->connect()));
  }
}

void replayer::fail(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  if (!std::exchange(failed_, true)) slot_.failure.set(why);
  board_.end_phase();
}

void replayer::read(client_counters& c, shop_session& session, front& through, const request_key& key, bool fresh) {
  const consistency how = fresh ? consistency::fresh : consistency::any;
  const std::uint64_t queries_before = session.queries();
  const auto start = steady::now();
  const expectation expected = check_.expect(key, how, nanoseconds(start));
  const result<answer_ptr> given = through.read(session, key, how);
  const auto end = steady::now();
  if (!given) return fail(given.error().message());
  const answer* a = given->get();
  const bool hit = a != nullptr && a->made_at < start.time_since_epoch().count();
  (hit ? c.hits : c.misses).record(end - start);
  c.queries.store(c.queries.load(std::memory_order_relaxed) + session.queries() - queries_before,
                  std::memory_order_relaxed);
  bump(c.checked);
  if (fresh) bump(c.fresh);
  count(c, check_.check(key, expected, a));
}

void replayer::count(client_counters& c, const judgement& j) const {
  if (j.age_ns > c.oldest_ns.load(std::memory_order_relaxed)) c.oldest_ns.store(j.age_ns, std::memory_order_relaxed);
  switch (j.is) {
    case verdict::good:
      break;
    case verdict::behind:
      bump(c.behind);
      break;
    case verdict::stale:
      bump(c.stale);
      break;
    case verdict::impossible:
    case verdict::wrong:
      bump(c.wrong);
      break;
  }
}

void replayer::write(client_counters& c, shop_session& session, front& through, const request_key& key,
                     std::uint64_t index) {
  const auto start = steady::now();
  shop_change change;
  {
    std::unique_lock one_writer(writer_, std::defer_lock);
    if (session.one_writer()) one_writer.lock();
    change = session.write(key, mix(index), [this](const shop_change& made) {
      for (const row_version& r : made.rows) check_.starting(r);
    });
  }
  through.changed(change);
  acknowledge(through, change.rows);
  c.writes.record(steady::now() - start);
}

void replayer::acknowledge(front& through, const std::vector<row_version>& rows) {
  for (const row_version& r : rows) check_.acknowledged_here(r);
  if (through.delivered()) {
    for (const row_version& r : rows) check_.acknowledged(r, nanoseconds(steady::now()));
  } else {
    const std::scoped_lock lock(unannounced_mutex_);
    unannounced_.insert(unannounced_.end(), rows.begin(), rows.end());
  }
}

void replayer::announce(front& through) {
  std::vector<row_version> rows;
  {
    const std::scoped_lock lock(unannounced_mutex_);
    rows.swap(unannounced_);
  }
  if (!rows.empty() && through.delivered()) {
    for (const row_version& r : rows) check_.acknowledged(r, nanoseconds(steady::now()));
    rows.clear();
  }
  const std::scoped_lock lock(unannounced_mutex_);
  unannounced_.insert(unannounced_.end(), rows.begin(), rows.end());
  slot_.untold = unannounced_.size();
}

void replayer::serve(client_counters& c, shop_session& session, front& through) {
  try {
    while (!board_.phase_ended()) {
      const std::uint64_t first = board_.take(chunk);
      const std::uint64_t end = std::min(first + chunk, board_.limit());
      if (first >= end) break;
      for (std::uint64_t i = first; i < end && !board_.phase_ended(); ++i) {
        const std::uint64_t at = i % traffic_.size();
        if (is_write(at)) {
          write(c, session, through, traffic_[at], i);
        } else {
          read(c, session, through, traffic_[at], asks_fresh(i, options_.fresh_percent));
        }
      }
    }
  } catch (const std::exception& e) {
    fail(e.what());
  }
  const std::scoped_lock lock(mutex_);
  if (--running_ == 0) done_.notify_all();
}

void replayer::publish(const front& through) {
  tier_shares now = through.answered() - before_;
  for (std::size_t i = 0; i < tier_shares::count; ++i) slot_.shares[i] = now.at(i);
}

void replayer::work(front& through, const std::function<void()>& tick) {
  before_ = through.answered();
  running_ = static_cast<int>(sessions_.size());
  {
    std::vector<std::jthread> threads;
    threads.reserve(sessions_.size());
    try {
      for (std::size_t i = 0; i < sessions_.size(); ++i) {
        threads.emplace_back([this, i, &through] {
          serve(board_.client(options_.process, i), *sessions_[i], through);
        });
      }
      std::unique_lock lock(mutex_);
      while (!done_.wait_for(lock, tick_time, [&] { return running_ == 0; })) {
        lock.unlock();
        announce(through);
        publish(through);
        tick();
        lock.lock();
      }
    } catch (...) {
      board_.end_phase();  // or the threads would be joined for ever
      throw;
    }
  }
  announce(through);
  publish(through);
  const auto complaints = check_.complaints();
  for (std::size_t i = 0; i < std::min(complaints.size(), process_slot::complaint_count); ++i) {
    slot_.complaints[i].set(complaints[i]);
  }
  slot_.done = board_.phase();
}

void replayer::follow(front& through) {
  work(through, [] {});
}

void replayer::wait_for_others(const std::function<void()>& tick) {
  std::optional<steady::time_point> ended;
  while (!board_.everybody_done()) {
    if (board_.phase_ended() && !ended) ended = steady::now();
    if (ended && steady::now() - *ended > patience) {
      for (std::size_t i = 1; i < board_.shape().processes; ++i) {
        if (board_.process(i).done != board_.phase()) board_.process(i).lost = true;
      }
    }
    std::this_thread::sleep_for(tick_time);
    tick();
  }
}

std::string replayer::first_failure() const {
  for (std::size_t i = 0; i < board_.shape().processes; ++i) {
    if (auto why = board_.process(i).failure.get(); !why.empty()) return why;
  }
  return {};
}

phase_result replayer::lead(const phase& p, const live_report& live, const std::function<bool()>& attend) {
  board_.begin_phase(p.kind, p.requests);
  const auto start = steady::now();
  const auto so_far = [&] {
    figures sum = board_.total();
    sum.seconds = seconds_since(start);
    return sum;
  };
  figures last;
  double next_report = 1;
  const auto tick = [&] {
    const double now = seconds_since(start);
    if (!attend() || (p.seconds > 0 && now >= p.seconds)) board_.end_phase();
    if (now < next_report || board_.phase_ended()) return;
    next_report += 1;
    const figures sum = so_far();
    live(sum.since(last), sum);
    last = sum;
  };
  work(p.through, tick);
  wait_for_others(tick);
  return {so_far(), first_failure()};
}

}  // namespace seawall::demo

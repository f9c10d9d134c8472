#include "seawall/source/outbox.hpp"

#include "outbox_table.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <tuple>

namespace seawall::sql {

class outbox_relay::tally final : public counter_source {
 public:
  explicit tally(std::string name) : name_(std::move(name)) {}

  relay_stats read() const {
    return {.done = done, .poisoned = poisoned, .passes = passes, .failures = failures, .undelivered = undelivered};
  }
  counter_set counters() const override {
    const relay_stats now = read();
    return {.prefix = "seawall_outbox_",
            .label = "relay",
            .label_value = name_,
            .counters = {{"done", "Rows that were done and removed.", now.done},
                         {"poisoned", "Times that a row could not be done.", now.poisoned},
                         {"passes", "Looks at the table.", now.passes},
                         {"failures", "Passes that the database failed.", now.failures},
                         {"undelivered", "Passes whose rows were kept until the shared tier hears.", now.undelivered}},
            .gauges = {{"rows", "Rows of the table, as the relay's thread saw them last.", rows},
                       {"failed_rows", "Of these: those that could not be done at least once.", failed_rows},
                       {"lag_milliseconds", "The age of the oldest row.", lag_milliseconds},
                       {"foreign_rows", "Rows of caches that the relay was not given.", foreign_rows}}};
  }

  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> poisoned{0};
  std::atomic<std::uint64_t> passes{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> undelivered{0};
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> failed_rows{0};
  std::atomic<std::uint64_t> lag_milliseconds{0};
  std::atomic<std::uint64_t> foreign_rows{0};

 private:
  const std::string name_;
};

struct outbox_relay::claimed {
  std::int64_t id;
  std::string cache;
  std::string kind;
  std::string item;
  std::int64_t attempts;
};

namespace {

std::int64_t milliseconds(duration span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

}  // namespace

result<void> create_outbox(database& db) {
  auto done = db.execute(words_of(db.dialect()).create);
  if (!done) return std::unexpected(std::move(done).error());
  return {};
}

outbox_relay::outbox_relay(std::shared_ptr<database> db, relay_options how)
    : db_(std::move(db)), how_(std::move(how)), counted_(std::make_shared<tally>(how_.name)) {}

result<std::size_t> outbox_relay::run_once() {
  auto passed = try_pass();
  if (!passed) return std::unexpected(std::move(passed).error());
  return passed->done;
}

auto outbox_relay::try_pass() -> result<outcome> {
  counted_->passes.fetch_add(1, std::memory_order_relaxed);
  auto done = words_of(db_->dialect()).locks_rows
                  ? db_->transact([this](transaction& t) { return pass(t); })
                  : pass(*db_);
  if (done) {
    counted_->done.fetch_add(done->done, std::memory_order_relaxed);
  } else {
    counted_->failures.fetch_add(1, std::memory_order_relaxed);
    if (how_.log) how_.log(log_level::warning, "outbox: " + done.error().message());
  }
  return done;
}

// Rows are removed after they were done: whoever dies between leaves them to be done again.
// Those of other caches are not claimed: a relay elsewhere that serves them would have to wait as for failed ones.
auto outbox_relay::pass(statements& on) -> result<outcome> {
  using row = std::tuple<std::int64_t, std::string, std::string, bytes, std::int64_t>;
  auto rows = on.query<row>(words_of(db_->dialect()).claim, batch(), served());
  if (!rows) return std::unexpected(std::move(rows).error());
  std::vector<std::int64_t> done;
  std::vector<claimed> failed;
  for (row& one : *rows) {
    auto& [id, cache, kind, item, attempts] = one;
    claimed what{id, std::move(cache), std::move(kind), std::string{codec<bytes>::as_bytes(item)}, attempts};
    if (auto did = do_row(what); did) {
      done.push_back(id);
      continue;
    } else if (how_.log) {
      how_.log(log_level::error, fmt::format("outbox: row {} ({} of cache '{}') cannot be done: {}", id, what.kind,
                                             what.cache, did.error().message()));
    }
    counted_->poisoned.fetch_add(1, std::memory_order_relaxed);
    failed.push_back(std::move(what));
  }
  const bool all_delivered = done.empty() || delivered();
  if (!all_delivered) {
    counted_->undelivered.fetch_add(1, std::memory_order_relaxed);
    done.clear();
  }
  if (auto settled = settle(on, done, failed); !settled) return std::unexpected(std::move(settled).error());
  return outcome{rows->size(), done.size(), all_delivered};
}

std::vector<std::string> outbox_relay::served() const {
  std::vector<std::string> names;
  for (const auto& [name, target] : targets_) names.push_back(name);
  return names;
}

result<void> outbox_relay::do_row(const claimed& row) {
  try {
    return targets_.at(row.cache).invalidate(row.kind, row.item);
  } catch (...) {
    return std::unexpected(seawall::detail::current_failure());
  }
}

bool outbox_relay::delivered() const {
  const bool by_tiers = std::ranges::all_of(targets_, [](const auto& one) { return one.second.undelivered() == 0; });
  return by_tiers && (!how_.delivered || how_.delivered());
}

result<void> outbox_relay::settle(statements& on, const std::vector<std::int64_t>& done,
                                  const std::vector<claimed>& failed) {
  const outbox_words& words = words_of(db_->dialect());
  if (!done.empty()) {
    if (auto removed = on.execute(words.remove, done); !removed) return std::unexpected(std::move(removed).error());
  }
  for (const claimed& one : failed) {
    const duration first = std::max<duration>(how_.first_retry, std::chrono::milliseconds{1});
    const duration wait = source::doubled(first, std::max(first, how_.max_retry), one.attempts);
    auto postponed = on.execute(words.postpone, std::vector{one.id}, milliseconds(wait));
    if (!postponed) return std::unexpected(std::move(postponed).error());
  }
  return {};
}

relay_stats outbox_relay::stats() const { return counted_->read(); }
std::shared_ptr<const counter_source> outbox_relay::stats_handle() const { return counted_; }

result<outbox_lag> outbox_relay::lag() {
  using figures = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::uint64_t, std::int64_t>;
  auto found = db_->query_one<figures>(words_of(db_->dialect()).lag, served());
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return outbox_lag{};
  const auto [rows, failed, age, foreign, foreign_age] = **found;
  const outbox_lag now{rows, failed, std::chrono::milliseconds{age}, foreign, std::chrono::milliseconds{foreign_age}};
  if (now.oldest_foreign > how_.max_retry && how_.log) {
    how_.log(log_level::warning, fmt::format("outbox: {} rows are of caches that this relay was not given, and the "
                                             "oldest is {} s old: does any relay serve them?",
                                             foreign, foreign_age / 1000));
  }
  counted_->rows = now.rows;
  counted_->failed_rows = now.failed;
  counted_->lag_milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0));
  counted_->foreign_rows = now.foreign;
  return now;
}

// ---- the thread ----

void outbox_relay::start() {
  const std::lock_guard lock{mutex_};
  if (thread_.joinable()) return;
  stopping_ = false;
  thread_ = std::thread{[this] { work(); }};
}

void outbox_relay::wake() {
  {
    const std::lock_guard lock{mutex_};
    woken_ = true;
  }
  changed_.notify_all();
}

void outbox_relay::stop() {
  std::thread ended;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    ended = std::move(thread_);
  }
  changed_.notify_all();
  if (ended.joinable()) ended.join();
  drain();
}

// Rows that could not be done are not due any more, and those that are not delivered are: these end it.
void outbox_relay::drain() {
  for (;;) {
    const auto passed = try_pass();
    if (!passed || !passed->delivered || passed->claimed < batch()) return;
  }
}

// A failure is told by the passes, which meet it, too.
void outbox_relay::measure() {
  const time_point now = source::steady_now();
  if (how_.lag_every <= duration::zero() || now < after(measured_at_, how_.lag_every)) return;
  measured_at_ = now;
  std::ignore = lag();
}

void outbox_relay::work() {
  const duration poll = std::max<duration>(how_.poll, std::chrono::milliseconds{1});
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    drain();
    measure();
    lock.lock();
    changed_.wait_for(lock, std::min<duration>(poll, std::chrono::hours{24}), [this] { return woken_ || stopping_; });
  }
}

}  // namespace seawall::sql

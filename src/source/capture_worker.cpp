#include "capture_worker.hpp"
#include "steady_now.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace seawall {
namespace {

constexpr duration least = std::chrono::milliseconds{1};

}  // namespace

void change_capture::worker::say(log_level level, std::string_view text) const {
  if (how_.log) how_.log(level, fmt::format("change capture '{}': {}", how_.slot, text));
}

std::unexpected<error> change_capture::worker::refuse(std::string_view field, std::string_view what) {
  return fail(errc::invalid_argument, fmt::format("capture_options: {} {}", field, what));
}

result<void> change_capture::worker::validate() const {
  if (how_.max_steps < 1) return refuse("max_steps", "must be 1 or more");
  for (const auto& [field, value] : {std::pair{"silence", how_.silence}, {"status_every", how_.status_every},
                                     {"first_retry", how_.first_retry}, {"max_retry", how_.max_retry}}) {
    if (value < least) return refuse(field, "must be 1 ms or more");
  }
  if (std::ranges::all_of(tables_, [](const auto& one) { return one.second.mappings().empty(); })) {
    return fail(errc::invalid_argument, "change_capture: no table has a mapping: capture.table(...).key(...)");
  }
  return {};
}

result<std::shared_ptr<postgres::settings>> change_capture::worker::where() const {
  return postgres::settings_of({.url = how_.url, .connect_timeout = how_.connect_timeout,
                                .statement_timeout = how_.statement_timeout,
                                .application_name = "seawall change capture"});
}

result<void> change_capture::worker::start() {
  const std::lock_guard lock{life_};
  if (thread_.joinable()) return {};
  if (auto valid = validate(); !valid) return valid;
  auto made = where();
  if (!made) return std::unexpected(std::move(made).error());
  stopping_ = false;
  wake_.lower();
  arrange(*std::move(made));
  if (auto ready = prepare(false); !ready) {
    const bool waits = sql::is(ready.error(), sql::errc::locked);
    failed(ready.error());
    if (!waits) return ready;
  }
  thread_ = std::thread{[this] { work(); }};
  return {};
}

void change_capture::worker::stop() {
  const std::lock_guard lock{life_};
  stopping_ = true;
  wake_.raise();
  if (thread_.joinable()) thread_.join();
  dismiss();
}

void change_capture::worker::work() {
  duration pause = how_.first_retry;
  while (!stopping_) {
    result<void> ended = prepare(true);
    if (ended) {
      pause = how_.first_retry;
      ended = read();
    }
    close();
    {
      const std::lock_guard lock{figures_};
      stats_.streaming = false;
    }
    if (stopping_) break;
    if (!ended) failed(ended.error());
    wait(pause);
    pause = std::min<duration>(2 * pause, std::max(how_.first_retry, how_.max_retry));
  }
}

void change_capture::worker::failed(const error& why) {
  disconnect();
  {
    const std::lock_guard lock{figures_};
    ++stats_.failures;
    stats_.problem = why.message();
  }
  say(log_level::warning, why.message());
}

void change_capture::worker::begin_reading() {
  const std::lock_guard lock{figures_};
  ++stats_.connections;
  stats_.streaming = true;
  oldest_ = never;
}

bool change_capture::worker::delivered() {
  try {
    std::erase_if(owed_, [this](auto& again) { return attempt(again); });
    return owed_.empty() && reached_tiers() && (!how_.delivered || how_.delivered());
  } catch (...) {
    return false;
  }
}

bool change_capture::worker::reached_tiers() const {
  return std::ranges::all_of(tables_, [](const auto& table) {
    return std::ranges::all_of(table.second.mappings(), [](const auto& one) { return one.undelivered() == 0; });
  });
}

void change_capture::worker::apply(postgres::captured_commit& commit) {
  if (commit.everything) {
    say(log_level::warning, "more became stale than max_steps");
    clear_all();
    commit.steps.clear();
  }
  for (auto& step : commit.steps) {
    if (!attempt(step.apply)) owed_.push_back(std::move(step.apply));
  }
  const std::lock_guard lock{figures_};
  if (commit.changes != 0) ++stats_.transactions;
  stats_.changes += commit.changes;
  stats_.unclear += commit.unclear;
  stats_.invalidations += commit.steps.size();
}

// What throws would throw again.
bool change_capture::worker::attempt(std::move_only_function<bool()>& invalidation) {
  try {
    return invalidation();
  } catch (...) {
    say(log_level::error, "an invalidation failed: " + detail::current_failure().message());
    return true;
  }
}

void change_capture::worker::clear_all() {
  for (const auto& [name, table] : tables_) {
    for (const auto& mapping : table.mappings()) {
      std::move_only_function<bool()> clear = mapping.whole;
      if (!attempt(clear)) owed_.push_back(std::move(clear));
    }
  }
  say(log_level::info, "all mapped caches are cleared");
  const std::lock_guard lock{figures_};
  ++stats_.cleared_all;
}

capture_stats change_capture::worker::stats() const {
  const std::lock_guard lock{figures_};
  return stats_;
}

counter_set change_capture::worker::counters() const {
  const capture_stats read = stats();
  const capture_lag behind = lag();
  return {.prefix = "seawall_change_capture_",
          .label = "slot",
          .label_value = how_.slot,
          .counters = {{"transactions", "Transactions with changes of mapped tables.", read.transactions},
                       {"changes", "Changes of rows of mapped tables.", read.changes},
                       {"invalidations", "Keys and tags, and clears of one cache.", read.invalidations},
                       {"unclear", "Changes whose key could not be told, so that a cache was cleared.", read.unclear},
                       {"cleared_all", "Times that all mapped caches were cleared.", read.cleared_all},
                       {"connections", "Streams that were begun.", read.connections},
                       {"failures", "Streams that ended, and attempts in vain.", read.failures},
                       {"slots", "Slots that were created, and tables that were given triggers.", read.slots}},
          .gauges = {{"streaming", "1: connected, and reading.", read.streaming},
                     {"lag_bytes", "Of the server's log behind what is confirmed; of the queue.", behind.bytes},
                     {"lag_rows", "Of the queue.", behind.rows},
                     {"lag_milliseconds", "Since the oldest commit that is not confirmed was received.",
                      static_cast<std::uint64_t>(behind.oldest / std::chrono::milliseconds{1})}}};
}

capture_lag change_capture::worker::lag() const {
  const std::lock_guard lock{figures_};
  capture_lag now = lag_;
  if (oldest_ != never) now.oldest = source::steady_now() - oldest_;
  return now;
}

}  // namespace seawall

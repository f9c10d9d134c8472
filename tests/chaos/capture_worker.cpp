#include "capture_worker.hpp"

#include "worker.hpp"

#include "seawall/sql.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;

constexpr std::int64_t nearby = 1000 * millisecond;

std::shared_ptr<seawall::postgres::database> connect_database(const truth& shared, std::size_t index) {
  const std::size_t readers = shared.head().threads.load() + 1;
  auto made = seawall::postgres::open({.url = shared.head().state[index].database, .writers = 1, .readers = readers,
                                       .connect_timeout = 1s, .statement_timeout = 1s,
                                       .application_name = fmt::format("worker {}", index), .lazy = true});
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

std::array<std::uint64_t, tally_count> tallies_of(const process_state& state) {
  std::array<std::uint64_t, tally_count> all{};
  for (std::size_t i = 0; i != tally_count; ++i) all[i] = state.tallies[i].load();
  return all;
}

// Leaves out every second row, to see that it is noticed.
std::optional<std::uint64_t> half_of_the_rows(const seawall::row_image& image) {
  const std::string_view text = image.text("id");
  std::uint64_t key = 0;
  std::from_chars(text.data(), text.data() + text.size(), key);
  if (key % 2 == 1) return std::nullopt;
  return key;
}

}  // namespace

capture_worker::capture_worker(truth& shared, std::size_t index)
    : shared_(shared),
      index_(index),
      state_(shared.head().state[index]),
      before_(tallies_of(state_)),
      db_(connect_database(shared, index)),
      tier_(connect_tier(shared, index)),
      cache_(std::make_unique<cache>(options())) {}

// Nothing ends by its age: what is not invalidated stays.
capture_worker::cache::options capture_worker::options() {
  return {.name = "rows",
          .capacity = shared_.keys() * 2,
          .ttl = 24h,
          .jitter = 0,
          .negative_ttl = 24h,
          .loader = seawall::sql::row<std::int64_t>(db_, "SELECT n FROM rows WHERE id = $1"),
          .load_deadline = 3s,
          .backoff = {.initial = 2ms, .max = 20ms},
          .shared = tier_};
}

void capture_worker::run() {
  ++state_.started;
  std::vector<std::jthread> threads;  // which end when `check` throws, too
  if (index_ == 0) threads.emplace_back([this](const std::stop_token& stop) { capture(stop); });
  for (std::size_t i = 0; i != shared_.head().threads.load(); ++i) {
    threads.emplace_back([this, i](const std::stop_token& stop) { read(i, stop); });
  }
  while (goes_on()) {
    const std::uint64_t round = shared_.head().round.load();
    if (round != state_.checked.load()) {
      check();
      state_.checked.store(round);
    }
    pause_between_tries();
  }
}

// --- the readers ----------------------------------------------------------------------------------------------------

void capture_worker::read(std::size_t thread, const std::stop_token& stop) {
  const std::size_t step = shared_.head().threads.load();
  std::vector<known> all(shared_.keys());
  for (std::size_t key = thread; key < all.size(); key += step) {
    all[key].dated = shared_.at(key).by[0].told.count.load();
  }
  local_tally mine;
  while (goes_on() && !stop.stop_requested()) {
    for (std::size_t key = thread; key < all.size(); key += step) {
      const auto got = cache_->get_or_load(key);
      ++mine[tally::any_reads];
      if (!got) {
        ++mine[tally::errors];
        continue;
      }
      std::optional<std::int64_t> version;
      if (*got) version = **got;
      else ++mine[tally::absences];
      if (version && *version < 0) report(broken::rolled_back, key, static_cast<std::uint64_t>(-*version), 0);
      date(shared_.at(key), all[key], version, mine);
    }
    mine.give_to(state_);
    pause_between_tries(1ms);
  }
}

// An answer shows all commits up to the last one that it fits: its version, or an absence. How long they took to be
// seen is counted. What was read before its commit was written down took no time.
void capture_worker::date(const row& of, known& what, std::optional<std::int64_t> got, local_tally& mine) {
  const std::int64_t at = now();
  const history& told = of.by[0].told;
  const std::uint64_t count = told.count.load();
  const std::uint64_t kept = count > history::size ? count - history::size : 0;
  if (what.dated < kept) {
    mine[tally::undated] += kept - what.dated;
    what.dated = kept;
  }
  std::uint64_t shown = count;
  for (; shown != what.dated; --shown) {
    const std::uint64_t code = told.last[(shown - 1) % history::size].version.load();
    if (got ? static_cast<std::int64_t>(code / 2) <= *got : code % 2 == 1) break;
  }
  const auto& head = shared_.head();
  for (; what.dated < shown; ++what.dated) {
    const history::item& one = told.last[what.dated % history::size];
    const bool earlier = static_cast<std::int64_t>(one.version.load() / 2) <= what.version;
    const std::int64_t when = one.when.load();
    const bool disturbed = head.faults_open.load() != 0 || head.fault_ended.load() + nearby > when;
    state_.staleness[disturbed ? 1 : 0].add((earlier ? what.first_at : at) - when);
  }
  if (got && *got > what.version) {
    what.version = *got;
    what.first_at = at;
  }
}

// --- the capture ----------------------------------------------------------------------------------------------------

void capture_worker::capture(const std::stop_token& stop) {
  const auto print = [](seawall::log_level, std::string_view text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  };
  const bool by_triggers = shared_.head().by_triggers.load() != 0;
  seawall::change_capture changes{{.url = state_.database,
                                   .mode = by_triggers ? seawall::capture_mode::trigger : seawall::capture_mode::log,
                                   .slot = "chaos",
                                   .create = true,
                                   .connect_timeout = 1s,
                                   .statement_timeout = 5s,
                                   .silence = 3s,
                                   .status_every = 50ms,
                                   .first_retry = 10ms,
                                   .max_retry = 500ms,
                                   .log = print}};
  if (shared_.head().mischief.load() == static_cast<std::uint64_t>(mischief::silent)) {
    changes.table("rows").key(*cache_, half_of_the_rows);
  } else {
    changes.table("rows").key(*cache_, "id");
  }
  for (bool started = false; goes_on() && !stop.stop_requested(); pause_between_tries(20ms)) {
    if (!started) {
      const auto done = changes.start();
      started = done.has_value();
      if (!done) print(seawall::log_level::warning, done.error().message());
    }
    count(changes.stats());
  }
}

void capture_worker::count(const seawall::capture_stats& of) {
  for (const auto& [what, number] : {std::pair{tally::captured, of.changes}, std::pair{tally::streams, of.connections},
                                     std::pair{tally::slots, of.slots}, std::pair{tally::cleared, of.cleared_all}}) {
    const auto i = static_cast<std::size_t>(what);
    state_.tallies[i].store(before_[i] + number);
  }
}

// --- the end of a round ---------------------------------------------------------------------------------------------

// Nobody writes, no fault is left, and all is captured and delivered: D later the cache has what the database has.
void capture_worker::check() {
  pause_between_tries(std::chrono::milliseconds{shared_.head().bound_ns.load() / 1'000'000 + 1});
  std::map<std::uint64_t, std::int64_t> rows;
  const auto read = [&] {
    const auto found = db_->query<std::pair<std::int64_t, std::int64_t>>("SELECT id, n FROM rows");
    if (!found) return false;
    for (const auto& [key, n] : *found) rows[static_cast<std::uint64_t>(key)] = n;
    return true;
  };
  seawall::servers::wait_until("the database answers", read);
  for (std::uint64_t key = 0; key != shared_.keys(); ++key) {
    auto got = cache_->get_or_load(key);
    for (int i = 0; i != 200 && !got; ++i) {  // what has failed before is refused for a while
      pause_between_tries();
      got = cache_->get_or_load(key);
    }
    const auto stored = rows.find(key);
    const std::int64_t expected = stored == rows.end() ? 0 : stored->second;
    const std::int64_t cached = got && *got ? **got : 0;
    if (!got) fmt::print("key {}: {}\n", key, got.error().message());
    if (got && cached == expected) continue;
    report(got ? broken::not_converged : broken::strange_error, key, static_cast<std::uint64_t>(cached),
           static_cast<std::uint64_t>(expected));
  }
}

void capture_worker::report(broken what, std::uint64_t key, std::uint64_t version, std::uint64_t committed) {
  const std::uint64_t index = shared_.head().violations.fetch_add(1);
  if (index >= truth_header::kept) return;
  violation& to = shared_.head().list[index];
  to.process.store(index_);
  to.key.store(key);
  to.version.store(version);
  to.committed.store(committed);
  to.begun.store(now());
  to.ended.store(now());
  to.what.store(static_cast<std::uint64_t>(what));
}

}  // namespace chaos

#include "worker.hpp"

#include "seawall/redis.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "servers/wait.hpp"

namespace chaos {
namespace {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;

constexpr std::size_t batch = 2048;  // reads between two rests of a reader: all processes share few cores

}  // namespace

std::shared_ptr<seawall::remote_tier> connect_tier(const truth& shared, std::size_t index) {
  const seawall::duration bound{static_cast<std::int64_t>(shared.head().bound_ns.load())};
  auto like = seawall::redis::client::connect({.url = shared.head().state[index].url,
                                               .client_name = "chaos-" + std::to_string(index),
                                               .health_interval = 1s,
                                               .backoff = {.first = 5ms, .most = 200ms}});
  if (!like) throw std::runtime_error(like.error().message());
  auto made = seawall::redis_tier(*like, {.bound = bound,
                                          .heartbeat = bound / 4,
                                          .budget = 100ms,
                                          .feed = static_cast<seawall::tier::feed_mode>(shared.head().feed.load())});
  if (!made) throw std::runtime_error(made.error().message());
  return *std::move(made);
}

worker::worker(truth& shared, std::size_t index)
    : shared_(shared),
      index_(index),
      state_(shared.head().state[index]),
      mischief_(static_cast<mischief>(shared.head().mischief.load())),
      writers_(shared.head().writers.load()),
      tier_(connect_tier(shared, index)),
      cache_(std::make_unique<cache>(options())),
      checker_(shared, index, [this] { return cache_->stats().total.unlinearized_reads; }) {
  for (std::uint64_t key = 0; key != shared.keys(); ++key) tags_.emplace_back(tag_of(key));
}

worker::cache::options worker::options() {
  cache::options how{.name = "rows",
                     .capacity = shared_.keys() - shared_.keys() / 16,
                     .ttl = 3s,
                     .jitter = 0.5,
                     .negative_ttl = 2s,
                     .stale_for = 500ms,
                     .stale_if_error = 1s,
                     .refresh_ahead = 0.2,
                     .loader = [this](std::uint64_t key) { return load(key); },
                     .load_deadline = 2s,
                     .backoff = {.initial = 2ms, .max = 20ms}};
  if (!is_wrong(mischief::deaf)) how.shared = tier_;
  return how;
}

void worker::run() {
  std::array<std::uint64_t, tally_count> before{};  // what its forerunners have counted
  for (std::size_t i = 0; i != tally_count; ++i) before[i] = state_.tallies[i].load();
  for (std::size_t key = 0; key != shared_.keys(); ++key) mine_of(key).loading.store(0);
  ++state_.started;
  std::vector<std::jthread> threads;
  writing_.store(writers_);
  for (std::size_t i = 0; i != writers_; ++i) threads.emplace_back([this, i] { write_until_calm(i); });
  const std::uint64_t seed = shared_.head().seed.load() * 1000 + index_ * 100;
  for (std::size_t i = 0; i != shared_.head().threads.load(); ++i) {
    threads.emplace_back([this, of = seed + 10 + i] { read_until_settled(of); });
  }
  while (shared_.stage() < phase::settle) {
    sample(before);
    if (writing_.load() == 0) state_.reached.store(static_cast<std::uint64_t>(phase::calm));
    pause_between_tries(2ms);
  }
  for (auto& one : threads) one.join();
  settle();
  sample(before);
  state_.reached.store(static_cast<std::uint64_t>(phase::settle));
}

// What the cache and the tier count goes over this process's end only if it is written down all the time.
void worker::sample(std::span<const std::uint64_t> before) {
  checker_.sample();
  const auto counts = cache_->stats().total;
  const auto tier = tier_->stats();
  const auto& totals = tier.totals;
  const auto put = [&](tally what, std::uint64_t value) {
    const auto i = static_cast<std::size_t>(what);
    state_.tallies[i].store(before[i] + value);
  };
  put(tally::process_hits, counts.answered() - std::min(counts.shared_hits, counts.answered()));
  put(tally::tier_hits, counts.shared_hits);
  put(tally::source_reads, counts.misses);
  put(tally::coalesced, counts.coalesced);
  put(tally::unlinearized, counts.unlinearized_reads);
  put(tally::tier_failures, totals.failures_timeout + totals.failures_transport + totals.failures_server +
                                totals.failures_breaker + totals.failures_other);
  put(tally::rejected_fills, totals.rejected_fills);
  put(tally::takeovers, totals.takeovers);
  put(tally::reign_changes, totals.reign_changes);
  put(tally::flushes, totals.flushes);
  put(tally::connections, totals.connections);
  put(tally::replayed, totals.replayed_keys);
  put(tally::breaker_opened, tier.breaker_counters.opened);
}

// --- the database ---------------------------------------------------------------------------------------------------

seawall::loaded<std::string> worker::load(std::uint64_t key) {
  thread_local dice chance{shared_.head().seed.load() + static_cast<std::uint64_t>(now())};
  row& of = shared_.at(key);
  local_tally mine;
  const std::uint64_t invalidations = of.invalidations.load();
  ++mine[tally::loads];
  const auto same = [&](const row::of_process& other) { return other.loading.load() == invalidations + 1; };
  if (shared_.head().is_calm.load() && std::ranges::any_of(of.by, same)) ++mine[tally::loads_twice];
  mine_of(key).loading.store(invalidations + 1);

  const bool settling = shared_.stage() >= phase::settle;
  const auto query = [&] {
    if (!settling) pause_between_tries(std::chrono::milliseconds{chance.one_in(200) ? 50 : chance.below(2)});
  };
  query();
  const std::uint64_t version = of.committed.load();
  query();
  const bool fails = !settling && chance.one_in(300);
  if (fails) ++mine[tally::failed_loads];
  mine.give_to(state_);

  mine_of(key).loading.store(0);
  if (fails) return seawall::error{seawall::errc::loader_failed, "by chance"};
  if (version % absent_every == 0) return seawall::not_found;
  return row_text(version, key);
}

// --- readers --------------------------------------------------------------------------------------------------------

void worker::read_until_settled(std::uint64_t seed) {
  dice chance{seed};
  local_tally mine;
  while (shared_.stage() < phase::settle) {
    for (std::size_t i = 0; i != batch; ++i) read_one(chance, mine);
    mine.give_to(state_);
    pause_between_tries(1ms);
  }
}

void worker::read_one(dice& chance, local_tally& mine) {
  const std::uint64_t key = chance.key(shared_.keys());
  const std::uint64_t kind = chance.below(4096);
  const auto own = [this](std::uint64_t wanted) { return load(wanted); };
  seawall::entry_options how{.tags = tags_[key]};
  if (kind < 12) {  // a round trip each
    how.consistency = seawall::consistency::fresh;
    const auto asked = checker_.before(key, true);
    checker_.judge(asked, kind < 10 ? cache_->get_or_load(key, own, how) : cache_->get_or_load(key, how), mine);
  } else if (kind < 24) {
    const auto asked = checker_.before(key, false, true);
    checker_.judge(asked, cache_->get(key), mine);
  } else if (kind < 28) {
    read_many(chance, mine);
  } else if (kind < 40) {
    const auto asked = checker_.before(key, false);
    how.deadline = 10ms;
    checker_.judge(asked, cache_->get_or_load(key, how), mine);
  } else if (kind < 1000) {
    const auto asked = checker_.before(key, false);
    checker_.judge(asked, cache_->get_or_load(key, how), mine);
  } else {
    const auto asked = checker_.before(key, false);
    checker_.judge(asked, cache_->get_or_load(key, own, how), mine);
  }
}

void worker::read_many(dice& chance, local_tally& mine) {
  std::vector<std::uint64_t> keys;
  std::vector<checker::question> asked;
  while (keys.size() != 8) {
    const std::uint64_t key = chance.key(shared_.keys());
    if (!contains(keys, key)) keys.push_back(key);
  }
  for (const std::uint64_t key : keys) asked.push_back(checker_.before(key, false));
  const auto all = [this](std::span<const std::uint64_t> wanted) {
    std::vector<seawall::loaded<std::string>> rows;
    for (const std::uint64_t key : wanted) rows.push_back(load(key).with({.tags = tags_[key]}));
    return rows;
  };
  const auto got = cache_->get_many(keys, all);
  for (std::size_t i = 0; i != keys.size(); ++i) checker_.judge(asked[i], got[i], mine);
}

void worker::settle() {
  const auto get = [this](std::uint64_t key, const seawall::entry_options& how) {
    checker::answer got = cache_->get_or_load(key, how);
    for (int i = 0; i != 100 && !got; ++i) {  // what has failed before is refused for a while
      pause_between_tries(5ms);
      got = cache_->get_or_load(key, how);
    }
    checker_.judge_last(key, got);
  };
  for (std::uint64_t key = 0; key != shared_.keys(); ++key) get(key, {.consistency = seawall::consistency::fresh});
  pause_between_tries(std::chrono::milliseconds{shared_.head().bound_ns.load() / 1'000'000 + 1});
  for (std::uint64_t key = 0; key != shared_.keys(); ++key) get(key, {});
}

}  // namespace chaos

#include "world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace simulation {

using seawall::step;

seawall::cache_options<int, int> world::options_of(process& one) {
  seawall::cache_options<int, int> how{.name = "c",
                                       .capacity = 100,
                                       .ttl = policy_.ttl,
                                       .jitter = policy_.jitter,
                                       .negative_ttl = policy_.negative_ttl,
                                       .stale_for = policy_.stale_for,
                                       .stale_if_error = policy_.stale_if_error,
                                       .refresh_ahead = policy_.refresh_ahead,
                                       .xfetch_beta = 0,
                                       .load_deadline = load_deadline_,
                                       .backoff = {.initial = 1ms, .max = 20ms},
                                       .clock = one.clock};
  if (rights_) {
    how.loader = [this, &one](int key) { return kept_load(one, key); };
    how.keep_fresh = keep_;
  }
  how.shared = std::shared_ptr<seawall::shared_tier>(one.tier);
  if (plain_) {
    how.shared_format = seawall::shared_format::plain;
    how.stale_for = how.stale_if_error = duration::zero();
  }
  how.seed = 1 + chance_.below(1'000'000);
  return how;
}

void world::start(process& one) {
  one.clock = std::make_shared<sim_clock>(now_, clock_lag_);
  one.life = load_rights::next_life(one.life);
  one.link = std::make_shared<sim_link>(chance_, now_, true, one.life);
  one.link->help = [this](const std::atomic<bool>& done) { help(done); };
  one.tasks = std::make_shared<executor>();
  auto how = tier_options_;
  how.clock = one.clock;
  how.seed = 1 + chance_.below(1'000'000'000);
  const auto target = [&](std::shared_ptr<seawall::redis::tracking_listener> feed)
      -> seawall::result<seawall::remote_tier::made_target> {
    one.link->use(std::move(feed), tier_options_.feed != seawall::tier::feed_mode::none);
    return seawall::remote_tier::made_target{
        .where = one.link.get(),
        .owner = std::shared_ptr<void>(nullptr, [link = one.link](void*) { link->kill(); }),
        .can = [natively = natively_] {
          return seawall::redis::capabilities{.set_ifeq = natively, .delifeq = natively};
        }};
  };
  auto made = seawall::remote_tier::make(target, how);
  if (!made) throw std::logic_error(made.error().message());
  one.tier = *std::move(made);
  one.cache = std::make_shared<core>(options_of(one), seawall::hash<int>{}, std::equal_to<>{}, one.clock, one.tasks);
  one.cache->attach();
  one.met = one.taken = one.returned = one.acknowledged = {};
  one.loaded = {};
  if (rights_) rights_->begins(one.life);
  start_database(one);
  note("process {}: starts", one.id);
}

/// As a process that is killed: it says nothing more. What it has not finished, an outbox knows.
void world::end(process& one) {
  if (!one.cache) return;
  one.link->kill();
  end_database(one);
  for (const writer& who : one.writers) {
    if (who.committed) orphan(who.what);
  }
  for (const write& what : std::exchange(one.undelivered, {})) orphan(what);
  one.writers.clear();
  one.callers.clear();
  one.batches.clear();
  one.tasks->items.clear();
  one.cache.reset();
  one.tier.reset();
  one.link.reset();
  one.tasks.reset();
  one.clock.reset();
}

// --- readers --------------------------------------------------------------------------------------------------------

void world::start_caller(process& one, bool fresh, bool may_leave) {
  load_op::settings how{.policy = policy_, .fresh = fresh};
  if (may_leave && chance_.one_in(3)) how.deadline = chance_.pick<duration>({500us, 5ms, 50ms});
  how.only_looks = chance_.one_in(12);
  const int key = static_cast<int>(chance_.below(keys));
  if (!fresh && committed_[key] != 0 && chance_.one_in(5)) {
    how.at_least = 1 + (chance_.one_in(2) ? static_cast<std::size_t>(committed_[key]) - 1
                                          : chance_.below(static_cast<std::size_t>(committed_[key])));
  }
  start_caller(one, key, how, how.only_looks);
}

void world::start_caller(process& one, int key, load_op::settings how, bool only_looks) {
  caller who;
  who.id = ++callers_ever_;
  who.key = key;
  who.fresh = how.fresh;
  who.only_looks = only_looks;
  if (!how.fresh && !only_looks && how.policy.refresh_ahead > 0 && chance_.one_in(2)) how.loader = &bound_[one.id];
  who.floor = floors_of(one, key, how.fresh);
  who.floor.all = std::max(who.floor.all, static_cast<int>(how.at_least));
  who.floor.not_linear = std::max(who.floor.not_linear, static_cast<int>(how.at_least));
  if (how.at_least != 0) {
    const auto there = one.cache->look(key, one.cache->hash_of(key));
    ++seen_[there.servable() && there.version < how.at_least ? "a read passes over what is in its process"
                                                             : "a read asks for a version"];
  }
  how.tags = tags_of(key, true);
  who.unlinearized_before = unlinearized(one);
  note("process {}: caller {} of key {} begins{}{}{}{}", one.id, who.id, key, how.fresh ? ", fresh" : "",
       only_looks ? ", only looks" : "", how.loader ? ", bound" : "",
       how.at_least != 0 ? fmt::format(", at least {}", how.at_least) : "");
  how.report = who.report.get();
  who.machine = std::make_unique<load_op>(one.cache, key, one.cache->hash_of(key), who.self, how);
  who.at = who.machine->start();
  one.callers.push_back(std::move(who));
  if (one.callers.back().at != step::run_loader) move_caller(one, one.callers.size() - 1);
}

/// One step: the loader reads; it returns; or the machine goes on.
void world::move_caller(process& one, std::size_t index) {
  caller& who = one.callers[index];
  if (who.at == step::run_loader && !who.read) {
    who.read = committed_[who.key];
    who.tags_before = tag_changes_;
    return note("process {}: caller {} reads version {} of key {}", one.id, who.id, *who.read, who.key);
  }
  if (who.at == step::run_loader) {
    note("process {}: caller {} has loaded", one.id, who.id);
    if (who.tags_before != tag_changes_) ++seen_["a tag changed during a load"];
    const int version = *std::exchange(who.read, std::nullopt);
    who.at = who.machine->loaded(outcome_of(one, who.key, version, !quiet_ && chance_.one_in(8)));
  } else if (who.at != step::done) {
    if (!std::exchange(who.self->woken, false)) return;
    who.at = who.machine->woken();
  }
  if (who.at != step::done) return;
  check_answer(one, who, who.machine->take());
  one.callers.erase(one.callers.begin() + static_cast<std::ptrdiff_t>(index));
}

seawall::loaded<int> world::outcome_of(process& one, int key, int version, bool fails) const {
  if (fails) return seawall::error{seawall::errc::loader_failed, "simulated"};
  one.loaded[key].insert(version);
  seawall::loaded<int> given = seawall::not_found;
  if (version % absent_every != 0) given = version;
  seawall::entry_options about{.tags = tags_of(key, false)};
  if (versioned_ && version != 0) about.version = version;
  return std::move(given).with(about);
}

/// In the background: other processes, servers and time go on meanwhile.
seawall::loaded<int> world::bound_load(process& one, int key) {
  const seawall::detail::running_load_scope others{nullptr};
  const bool outer = std::exchange(one.inside, true);
  for (std::size_t i = chance_.below(6); i != 0 && !broken_; --i) step(depth_ + 1);
  const int version = committed_[key];
  note("process {}: a load in the background reads version {} of key {}", one.id, version, key);
  for (std::size_t i = chance_.below(6); i != 0 && !broken_; --i) step(depth_ + 1);
  one.inside = outer;
  return outcome_of(one, key, version, !quiet_ && chance_.one_in(8));
}

void world::run_task(process& one, std::size_t which, int depth) {
  auto work = std::move(one.tasks->items[which]);
  one.tasks->items.erase(one.tasks->items.begin() + static_cast<std::ptrdiff_t>(which));
  if (!quiet_ && chance_.one_in(30)) return note("process {}: the executor drops a load", one.id);
  const int before = std::exchange(depth_, depth);
  work();
  depth_ = before;
}

}  // namespace simulation

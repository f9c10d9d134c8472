#include "world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace simulation {

using seawall::step;

world::world(std::uint64_t seed)
    : chance_(seed), executor_(std::make_shared<executor>(*this)), load_limit_(chance_.pick<std::size_t>({1, 2, 64})) {
  bound_ = [this](int key, seawall::load_context<row>& context) { return bound_load(key, context); };
  if (chance_.one_in(3)) source_ = std::make_shared<seawall::bulkhead>(source_limit_ = 1 + chance_.below(3));
  auto how = options();
  how.seed = seed + 1;
  core_ = std::make_shared<core>(std::move(how), seawall::hash<int>{}, std::equal_to<>{}, clock_, executor_);
  core_->attach();
}

seawall::cache_options<int, row> world::options() {
  const bool kept = chance_.one_in(4);
  return {.name = "simulated",
          .capacity = chance_.one_in(4) ? std::size_t{1} : std::size_t{100},
          .ttl = chance_.pick<duration>({5ms, 100ms, 10s}),
          .jitter = chance_.pick({0.0, 0.3}),
          .sliding = !kept && chance_.one_in(4) ? duration{3ms} : duration{0},
          .negative_ttl = chance_.pick<duration>({0ms, 20ms}),
          .stale_for = chance_.pick<duration>({0ms, 0ms, 50ms}),
          .stale_if_error = chance_.pick<duration>({0ms, 0ms, 80ms}),
          .refresh_ahead = chance_.pick({0.0, 0.0, 0.5}),
          .xfetch_beta = chance_.pick({0.0, 1.0}),
          .loader = bound_,
          .keep_fresh = {.stop_after = kept ? duration{30ms} : duration{0}, .concurrent = 2},
          .load_deadline = chance_.pick<duration>({20ms, 200ms}),
          .backoff = {.initial = chance_.pick<duration>({0ms, 5ms}), .max = 40ms},
          .max_concurrent_loads = load_limit_,
          .source_bulkhead = source_,
          .clock = clock_,
          .seed = 1};
}

load_op::settings world::settings() {
  seawall::entry_options per_call;
  if (chance_.one_in(10)) per_call.no_store = true;
  if (chance_.one_in(10)) per_call.ttl = 2ms;
  return {.loader = chance_.one_in(2) ? &bound_ : nullptr,
          .policy = core_->policy().with(per_call),
          .deadline = chance_.pick<duration>({0ms, 1ms, 10ms, 50ms, seawall::forever}),
          .inline_loader = chance_.one_in(10)};
}

std::optional<std::string> world::run(std::size_t steps) {
  for (std::size_t i = 0; i != steps && !broken_; ++i) step(0);
  draining_ = true;
  // No new callers; everybody must come to an end in bounded time: load deadlines end what hangs.
  for (int round = 0; round != 3'000 && !broken_ && (!callers_.empty() || !executor_->items.empty()); ++round) step(0);
  if (!broken_ && !callers_.empty()) broken(fmt::format("{} callers were left hanging", callers_.size()));
  callers_.clear();
  if (!broken_) check_nothing_is_left();
  core_->close();
  if (!broken_) return std::nullopt;
  std::string text = *broken_;
  const std::size_t shown = std::min<std::size_t>(history_.size(), 40);
  for (std::size_t i = history_.size() - shown; i != history_.size(); ++i) text += "\n    " + history_[i];
  return text;
}

void world::step(int depth) {
  ++step_;
  std::vector<std::function<void()>> choices;
  if (!draining_ && callers_.size() < 6) choices.push_back([this] { start_caller(); });
  for (std::size_t i = 0; i != callers_.size(); ++i) {
    const bool loading = callers_[i].at == step::run_loader;
    if (loading || callers_[i].self->woken) choices.push_back([this, i] { move_caller(i); });
    // Not at the end: there everybody has to be answered, and a caller that is left hanging must stand out.
    if (!draining_ && chance_.one_in(40)) choices.push_back([this, i] { cancel_caller(i); });
  }
  if (!executor_->items.empty() && depth < 3) choices.push_back([this, depth] { run_task(depth); });
  if (!draining_ && writers_.size() < 2) choices.push_back([this] { writers_.push_back({int(chance_.below(keys))}); });
  for (std::size_t i = 0; i != writers_.size(); ++i) choices.push_back([this, i] { move_writer(i); });
  if (!draining_ && chance_.one_in(20)) choices.push_back([this] { disturb(); });
  if (draining_ || chance_.one_in(3)) {
    choices.push_back([this] { advance_time(duration{1'000 * chance_.below(2'000)}); });
    choices.push_back([this] {
      const time_point next = clock_->next_timer();
      if (next != seawall::never) advance_time(std::max(next - clock_->now(), duration{0}));
    });
  }
  if (choices.empty()) return advance_time(1ms);
  choices[chance_.below(choices.size())]();
  check_store();
}

void world::start_caller() {
  caller who;
  const bool bulk = chance_.one_in(5);
  who.keys = bulk ? std::vector<int>{0, 1} : std::vector<int>{int(chance_.below(keys))};
  auto how = settings();
  if (bulk) how.loader = nullptr;
  who.deadline = seawall::after(clock_->now(), how.deadline);
  for (const int key : who.keys) {
    who.floors_read.push_back(std::max(returned_[key], acked_[key]));
    who.floors_acked.push_back(acked_[key]);
  }
  who.unlinearized_before = core_->stats().total.unlinearized_reads;
  lookups_ += who.keys.size();
  note(fmt::format("caller starts: keys {}, deadline {} us{}", bulk ? "0,1" : std::to_string(who.keys[0]),
                   how.deadline == seawall::forever ? -1 : how.deadline.count() / 1000, how.loader ? ", bound" : ""));
  if (bulk) {
    std::vector<seawall::bulk_request<core>> wanted;
    for (const int key : who.keys) wanted.push_back({key, core_->hash_of(key), core_->look(key, core_->hash_of(key))});
    who.bulk = std::make_unique<bulk_op>(core_, std::move(wanted), who.self, how);
    who.at = who.bulk->start();
  } else {
    who.single = std::make_unique<load_op>(core_, who.keys[0], core_->hash_of(who.keys[0]), who.self, how);
    who.at = who.single->start();
  }
  callers_.push_back(std::move(who));
  move_caller(callers_.size() - 1);
}

// Takes a caller as far as it goes without waiting: to its answer, or to a load that it has to run.
void world::move_caller(std::size_t index) {
  caller& who = callers_[index];
  if (who.at == step::run_loader && !who.loads.empty()) {
    const auto unfinished =
        std::find_if(who.loads.begin(), who.loads.end(), [](const own_load& load) { return !load.read; });
    if (unfinished != who.loads.end()) return advance_own_load(who, *unfinished);
    std::vector<seawall::loaded<row>> given;
    const auto previous = who.single ? who.single->context().previous() : nullptr;
    for (const own_load& load : who.loads) {
      // A loader that hangs comes back only when it is asked to stop.
      if (load.how == ending::hang && clock_->now() < loads_[load.id].gives_up) return;
      end_load(load.id);
      given.push_back(outcome_of(load.how, load.version, load.id, previous));
    }
    who.loads.clear();
    note("caller's load ends");
    who.at = who.single ? who.single->loaded(std::move(given[0])) : who.bulk->loaded(std::move(given));
  } else if (who.at == step::wait) {
    if (!std::exchange(who.self->woken, false)) return;
    const bool late = clock_->now() >= who.deadline;
    who.at = who.single ? who.single->woken() : who.bulk->woken();
    if (late && who.at == step::wait) broken("a caller still waits after its deadline");
  }
  if (who.at == step::run_loader) {
    const std::vector<int> batch =
        who.single ? who.keys : std::vector<int>(who.bulk->batch().begin(), who.bulk->batch().end());
    begin_own_loads(who, batch, std::min(who.deadline, seawall::after(clock_->now(), core_->options().load_deadline)));
  } else if (who.at == step::done) {
    if (who.single) check_answer(who, 0, who.single->take());
    else {
      const auto answers = who.bulk->take();
      for (std::size_t i = 0; i != answers.size(); ++i) check_answer(who, i, answers[i]);
    }
    callers_.erase(callers_.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

void world::begin_own_loads(caller& who, const std::vector<int>& batch, time_point gives_up) {
  for (const int key : batch) {
    const auto how = chance_.pick({ending::value, ending::value, ending::value, ending::failure, ending::unmodified,
                                   ending::hang});
    // A load without any deadline must not hang, or nothing would end it.
    who.loads.push_back({begin_load(key, step_, gives_up, false), key,
                         how == ending::hang && gives_up == seawall::never ? ending::value : how});
  }
}

void world::advance_own_load(caller&, own_load& load) {
  load.read = true;
  load.version = committed_[load.key];
  note(fmt::format("load {} of key {} reads version {}", load.id, load.key, load.version));
}

void world::cancel_caller(std::size_t index) {
  caller& who = callers_[index];
  for (const own_load& load : who.loads) {
    loads_[load.id].cut = true;
    end_load(load.id);
  }
  uncounted_ += who.keys.size();
  note(who.loads.empty() ? "a waiting caller leaves" : "a leading caller leaves");
  callers_.erase(callers_.begin() + static_cast<std::ptrdiff_t>(index));
}

void world::run_task(int depth) {
  const std::size_t index = chance_.below(executor_->items.size());
  auto item = std::move(executor_->items[index]);
  executor_->items.erase(executor_->items.begin() + static_cast<std::ptrdiff_t>(index));
  if (chance_.one_in(30)) return note("the executor drops a load");
  const std::uint64_t outer = std::exchange(task_posted_, item.posted);
  const int before = std::exchange(nesting_, depth + 1);
  item.work();
  nesting_ = before;
  task_posted_ = outer;
}

// Other things happen while a bound loader runs: the scheduler is called from inside it.
seawall::loaded<row> world::bound_load(int key, seawall::load_context<row>& context) {
  const seawall::detail::running_load_scope others{nullptr};
  const int depth = nesting_;
  const std::uint64_t posted = task_posted_;
  // It may have waited for the executor for longer than its flight lived.
  const bool cut_already = cut_at_[key] > posted || clock_->now() >= context.deadline();
  const int id = begin_load(key, posted, context.deadline(), cut_already);
  const auto how = chance_.pick({ending::value, ending::value, ending::value, ending::failure, ending::unmodified,
                                 ending::hang});
  for (std::size_t i = chance_.below(6); i != 0 && !broken_; --i) step(depth);
  const int version = committed_[key];
  note(fmt::format("bound load {} of key {} reads version {}", id, key, version));
  for (std::size_t i = chance_.below(6); i != 0 && !broken_; --i) step(depth);
  for (int i = 0; how == ending::hang && !context.stop_token().stop_requested() && !broken_; ++i) {
    if (i < 50) step(depth);
    else advance_time(5ms);
    if (i > 500) {
      broken("a hung load was never asked to stop");
      break;
    }
  }
  end_load(id);
  return outcome_of(how, version, id, context.previous());
}

seawall::loaded<row> world::outcome_of(ending how, int version, int id, const seawall::value_ptr<row>& previous) {
  if (how == ending::failure) return seawall::error{seawall::errc::loader_failed, "simulated"};
  if (how == ending::unmodified && previous && previous->version == version) {
    // The old value now stands for what this load has seen.
    auto& began = loads_[static_cast<std::size_t>(previous->load)].began;
    began = std::max(began, loads_[static_cast<std::size_t>(id)].began);
    return seawall::not_modified;
  }
  if (version % absent_every == 0) return seawall::not_found;
  return row{version, id};
}

void world::move_writer(std::size_t index) {
  writer& who = writers_[index];
  const int key = who.key;
  switch (who.stage++) {
    case 0:
      if (written_now_[key]) {
        --who.stage;
        return;
      }
      written_now_[key] = true;
      who.version = ++committed_[key];
      return note(fmt::format("key {} is committed at version {}", key, who.version));
    case 1: {
      const std::size_t hash = core_->hash_of(key);
      cut_loads(key);
      if (chance_.one_in(3)) {
        const bool exists = who.version % absent_every != 0;
        core_->put(key, hash, exists ? std::make_shared<const row>(row{who.version, 0}) : nullptr, core_->policy());
        note(fmt::format("key {} is put at version {}", key, who.version));
      } else if (chance_.one_in(6)) {
        for (int other = 0; other != keys; ++other) cut_loads(other);
        core_->clear();
        note("the cache is cleared");
      } else {
        core_->invalidate(key, hash);
        note(fmt::format("key {} is invalidated", key));
      }
      return;
    }
    default:
      acked_[key] = std::max(acked_[key], who.version);
      written_now_[key] = false;
      note(fmt::format("version {} of key {} is acknowledged", who.version, key));
      writers_.erase(writers_.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

// What may happen at any time without a write.
void world::disturb() {
  const int key = int(chance_.below(keys));
  const bool expires = chance_.one_in(2);
  cut_loads(key, !expires);
  if (expires) {
    core_->expire(key, core_->hash_of(key));
    note(fmt::format("key {} is expired", key));
  } else {
    core_->invalidate(key, core_->hash_of(key));
    note(fmt::format("key {} is invalidated for no reason", key));
  }
}

void world::advance_time(duration span) {
  clock_->advance(span);
  check_deadlines();
}

}  // namespace simulation

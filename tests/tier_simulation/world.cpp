#include "world.hpp"

#include <algorithm>

namespace simulation {
namespace {

constexpr std::size_t trace_length = 400;

}  // namespace

world::world(std::uint64_t seed, bool tracing) : chance_(seed), added_(~seed), tracing_(tracing), seed_(seed) {
  for (int i = 0; i != 2; ++i) nodes_.push_back(std::make_unique<sim_node>(chance_, server_now_ms_));
  nodes_[1]->follow(*nodes_[0]);
  server_now_ms_ = server_ahead_ms_ + now_.time_since_epoch() / 1ms;
  const duration bound = chance_.pick<duration>({40ms, 100ms, 400ms});
  tier_options_.bound = bound;
  tier_options_.heartbeat = bound / chance_.pick({3, 5, 10});
  tier_options_.budget = chance_.pick<duration>({5ms, 20ms, bound, 2 * bound});
  tier_options_.breaker = {.enabled = !chance_.one_in(3), .first_pause = 5ms, .most_pause = 40ms};
  tier_options_.idle = chance_.pick<duration>({bound, 10s});
  tier_options_.undelivered.keys = chance_.one_in(8) ? 1 : 1000;
  clock_lag_ = chance_.pick<duration>({0ms, 4ms});
  natively_ = chance_.one_in(3);
  fault_every_ = chance_.pick<std::size_t>({30, 100, 300, 1000});
  if (chance_.one_in(2)) fault_kinds_ = chance_.below(1 << 16) | chance_.below(1 << 16);
  write_every_ = chance_.pick<std::size_t>({4, 4, 20, 60});
  slowest_step_ = chance_.pick<duration>({200us, 500us, 1ms});
  policy_ = {.ttl = chance_.pick<duration>({20ms, 300ms, 10s}),
             .jitter = chance_.pick({0.0, 0.3}),
             .negative_ttl = chance_.pick<duration>({0ms, 100ms}),
             .stale_for = chance_.pick<duration>({0ms, 0ms, 100ms}),
             .stale_if_error = chance_.pick<duration>({0ms, 0ms, 200ms}),
             .refresh_ahead = chance_.pick({0.0, 0.0, 0.5})};
  load_deadline_ = chance_.pick<duration>({100ms, 1s});
  plain_ = chance_.one_in(5);
  if (plain_) tier_options_.undelivered.keys = 1000;
  name_tags();
  draw_keeping();
  if (added_.one_in(8)) {
    tier_options_.feed = seawall::tier::feed_mode::none;
    ++seen_["nobody hears of changes"];
  }
  locks_rows_ = chance_.one_in(2);
  relay_batch_ = chance_.pick<std::size_t>({1, 2, 256});
  transact_every_ = chance_.pick<std::size_t>({6, 12, 40});
  tables_.share_of = [this](const outbox_row& row, const versions& made) { return share_of(row, made); };
  tables_.on_removed = [this](const outbox_row& row) { has_relayed(row); };
  tables_.on_violation = [this](const std::string& what) { broken(what); };
  if (chance_.one_in(8)) tables_.insert({.cache = "c", .kind = "key", .item = "?"});  // it can never be done
  if (chance_.one_in(8)) tables_.insert({.cache = "another", .kind = "all"});
  const std::size_t count = 2 + chance_.below(3);
  for (std::size_t i = 0; i != count; ++i) {
    processes_.push_back(std::make_unique<process>());
    process& one = *processes_.back();
    one.id = one.life = static_cast<int>(i);
    bound_.emplace_back([this, &one](int key) { return bound_load(one, key); });
    start(one);
  }
}

world::~world() {
  for (const auto& one : processes_) end(*one);
}

std::optional<std::string> world::run(std::size_t steps) {
  while (step_ < steps && !broken_) step(0);
  if (!broken_) drain();
  for (const auto& one : processes_) add_counters(*one);
  return broken_;
}

void world::write_note(const std::string& what) {
  const duration since = now_.time_since_epoch() - std::chrono::hours{1};
  history_.push_back(fmt::format("{:5} {:9.3f} ms  {}", step_,
                                 std::chrono::duration<double, std::milli>(since).count(), what));
}

std::string world::trace() const {
  std::string text;
  const std::size_t shown = std::min(history_.size(), trace_length);
  for (std::size_t i = history_.size() - shown; i != history_.size(); ++i) text += "    " + history_[i] + "\n";
  return text;
}

void world::broken(const std::string& what) {
  if (!broken_) broken_ = what;
  note("BROKEN: {}", what);
}

// --- one step -------------------------------------------------------------------------------------------------------

void world::list_of(process& one, std::size_t index, int depth) {
  const auto add = [&](act what, std::size_t which = 0) { actions_.add(what, index, which); };
  if (paused(one)) return;
  if (!quiet_ && one.callers.size() < 4) add(act::start_caller);
  for (std::size_t i = 0; i != one.callers.size(); ++i) {
    const caller& who = one.callers[i];
    if (who.at == seawall::step::run_loader || who.self->woken) add(act::move_caller, i);
    if (!quiet_ && chance_.one_in(60)) add(act::cancel_caller, i);
  }
  if (!quiet_ && one.batches.empty() && chance_.one_in(3)) add(act::start_batch);
  for (std::size_t i = 0; i != one.batches.size(); ++i) {
    const batch& who = one.batches[i];
    if (who.at == seawall::step::run_loader || who.self->woken) add(act::move_batch, i);
    if (!quiet_ && chance_.one_in(60)) add(act::cancel_batch, i);
  }
  if (!draining_ && one.writers.empty() && chance_.one_in(write_every_)) add(act::start_writer);
  for (std::size_t i = 0; i != one.writers.size(); ++i) {
    const writer& who = one.writers[i];
    const bool would_block = who.committed && who.blocks;
    if (who.invalidating ? *who.ended != writer::end::none : depth == 0 || !would_block) add(act::move_writer, i);
  }
  const bool may_begin = !draining_ && depth < 2 && one.transactions < 2 && (depth == 0 || chance_.one_in(4));
  if (may_begin && chance_.one_in(transact_every_)) add(act::transact);
  if (depth < 2 && !one.relays && !tables_.outbox.empty() && chance_.one_in(4) && outbox_is_due()) add(act::relay);
  if (one.clock->next() <= now_) add(act::fire_timer);
  if (depth < 2) {
    for (std::size_t i = 0; i != one.tasks->items.size(); ++i) add(act::run_task, i);
  }
  sim_link& link = *one.link;
  if (link.connected()) {
    if (link.can_hear()) {
      add(act::hear);
      add(act::hear);
    }
    if (link.must_notice_loss()) add(act::notice_loss);
  } else if (link.waits()) {
    add(act::connect);
  }
  if (link.has_late()) add(act::time_out);
}

void world::list_of_servers() {
  for (std::size_t n = 0; n != nodes_.size(); ++n) {
    const auto& all = nodes_[n]->connections();
    for (std::size_t i = 0; i != all.size(); ++i) {
      if (all[i]->in.empty()) continue;
      if (!all[i]->heard && !chance_.one_in(6)) continue;  // what a lost connection still carries comes late
      actions_.add(act::serve, n, i);
      actions_.add(act::serve, n, i);
    }
  }
  if (chance_.one_in(4)) actions_.add(act::copy);
  if (chance_.one_in(20)) actions_.add(act::remember);
  if (chance_.one_in(4)) actions_.add(act::expire_key);
}

void world::list_actions(int depth) {
  actions_.clear();
  for (std::size_t i = 0; i != processes_.size(); ++i) list_of(*processes_[i], i, depth);
  list_of_servers();
  if (!outbox_.empty()) actions_.add(act::replay_outbox);
  if (!tables_.late.empty() && chance_.one_in(10)) actions_.add(act::arrive_late);
  if (plain_ && !draining_ && chance_.one_in(write_every_ * 4)) actions_.add(act::write_elsewhere);
  actions_.add(act::pass_time);
  if (chance_.one_in(2)) actions_.add(act::pass_time);
  if (primary().out_of_memory && chance_.one_in(10)) actions_.add(act::give_memory);
}

void world::step(int depth) {
  ++step_;
  if (!draining_ && chance_.one_in(fault_every_)) {
    fault();
  } else {
    list_actions(depth);
    perform(actions_[chance_.below(actions_.size())], depth);
  }
  for (const auto& one : processes_) {
    if (!one->undelivered.empty()) look_for_deliveries(*one);
  }
  probe();
}

void world::perform(action chosen, int depth) {
  process& one = *processes_[std::min<std::size_t>(chosen.who, processes_.size() - 1)];
  switch (chosen.what) {
    case act::start_caller: return start_caller(one, chance_.one_in(3), true);
    case act::move_caller: return move_caller(one, chosen.which);
    case act::cancel_caller:
      note("process {}: caller {} leaves", one.id, one.callers[chosen.which].id);
      one.callers.erase(one.callers.begin() + static_cast<std::ptrdiff_t>(chosen.which));
      return;
    case act::start_batch: return start_batch(one, chance_.one_in(4));
    case act::move_batch: return move_batch(one, chosen.which);
    case act::cancel_batch:
      note("process {}: batch {} leaves", one.id, one.batches[chosen.which].id);
      one.batches.erase(one.batches.begin() + static_cast<std::ptrdiff_t>(chosen.which));
      return;
    case act::start_writer: return start_writer(one);
    case act::move_writer: return move_writer(one, chosen.which, depth);
    case act::replay_outbox: return replay_outbox();
    case act::fire_timer: return one.clock->fire_one();
    case act::run_task: return run_task(one, chosen.which, depth);
    case act::connect:
      if (now_ < one.link->down_until || now_ < servers_down_until_) {
        if (chance_.one_in(4)) one.link->refuse();
        return;
      }
      note("process {}: connects", one.id);
      return one.link->connect(!draining_ && chance_.one_in(12) ? replica() : primary());
    case act::serve: return serve(*nodes_[chosen.who], chosen.which);
    case act::hear:
      if (tracing_) note("process {}: hears {}", one.id, one.link->next_frame());
      return one.link->hear_one();
    case act::notice_loss:
      note("process {}: its connection is gone", one.id);
      return one.link->lose();
    case act::time_out:
      note("process {}: a command is given up", one.id);
      return one.link->time_out();
    case act::pass_time: return pass_time();
    case act::copy: return replica().copy(primary());
    case act::remember: remembered_ = primary().keys(); return;
    case act::expire_key:
      if (primary().expire_one()) note("a key ends at the server");
      return;
    case act::give_memory:
      primary().out_of_memory = false;
      return note("the server has memory again");
    case act::transact: return transact(one, depth);
    case act::relay: return relay(one, depth);
    case act::arrive_late: return arrive_late();
    case act::write_elsewhere: return write_elsewhere();
  }
}

void world::serve(sim_node& node, std::size_t which) {
  sim_connection& client = *node.connections()[which];
  // A snapshot from just before an invalidation is what a restart can do most harm with.
  const bool removes = client.in.front().bytes.find("UNLINK") != std::string::npos;
  if (removes && node.is_primary() && chance_.one_in(6)) remembered_ = primary().keys();
  if (tracing_) {
    const auto words = split(client.in.front().bytes);
    const bool script = words[0] == "EVAL" || words[0] == "EVALSHA";
    std::string text;
    for (std::size_t i = script ? 3 : 1; i < words.size(); ++i) text += " " + printable(words[i].substr(0, 40));
    note("the {} does {} for process {}{}: {}{}", node.is_primary() ? "primary" : "replica", client.in.front().ticket,
         load_rights::process_of(client.owner), client.heard ? "" : " (which has left)", words[0], text);
  }
  const load_rights::change change{.by = client.owner, .gives_up = client.heard && !removes};
  const std::string asked = client.in.front().bytes;
  const versions before = stored_;
  node.serve(client);
  look_at_store();
  if (node.is_primary()) look_at_dealings(client.owner, asked, before);
  if (node.is_primary()) look_at_rights(change);
}

void world::pass_time() {
  duration span{static_cast<duration::rep>(chance_.below(static_cast<std::size_t>(slowest_step_.count())))};
  if (chance_.one_in(150)) {
    span = duration{static_cast<duration::rep>(chance_.below(static_cast<std::size_t>(tier_options_.bound.count())))};
  }
  if (draining_) span *= 4;
  pass_until(now_ + span);
}

void world::pass_until(time_point when) {
  now_ = when;
  server_now_ms_ = server_ahead_ms_ + now_.time_since_epoch() / 1ms;
  for (const auto& node : nodes_) node->tidy();
}

// --- the end --------------------------------------------------------------------------------------------------------

// Everything works again. Then every process must find what the database has: at the source or in the tier at once, in
// its own memory after the bound.
void world::drain() {
  draining_ = quiet_ = tables_.quiet = true;
  servers_down_until_ = {};
  for (const auto& node : nodes_) node->out_of_memory = false;
  for (const auto& one : processes_) {
    one->paused_until = {};
    one->link->stalled_until = one->link->down_until = {};
    if (one->link->connected() && one->link->must_notice_loss()) one->link->lose();
  }
  for (const auto& client : replica().connections()) client->broken = true;
  note("everything works again");
  settle();
  outlive_what_was_lost();
  for (const bool fresh : {true, false}) {
    if (broken_) return;
    if (!fresh) {
      pass_until(now_ + tier_options_.bound);
    }
    for (int key = 0; key != keys; ++key) {
      if (last_acknowledged_[key] != committed_[key]) {
        return broken(fmt::format("key {}: version {} was committed, {} acknowledged", key, committed_[key],
                                  last_acknowledged_[key]));
      }
      for (const auto& one : processes_) start_caller(*one, key, {.policy = policy_, .fresh = fresh}, false);
    }
    for (const auto& one : processes_) start_batch(*one, fresh);
    settle();
  }
  stop_keeping();
}

void world::settle() {
  const auto busy = [](const auto& one) {
    return !one->callers.empty() || !one->batches.empty() || !one->writers.empty() || !one->undelivered.empty();
  };
  for (int i = 0; i != 30'000 && !broken_; ++i) {
    if (std::ranges::none_of(processes_, busy) && outbox_.empty() && !outbox_owes()) return;
    step(0);
  }
  if (broken_) return;
  for (const auto& one : processes_) {
    note("process {}: {} callers, {} batches, {} writers, {} not delivered ({} in the tier), link {}", one->id,
         one->callers.size(), one->batches.size(), one->writers.size(), one->undelivered.size(),
         one->tier->stats().undelivered, one->link->connected() ? "up" : "down");
    const auto tier = one->tier->stats();
    note("  {} heartbeats, {} failed, {} replayed, breaker {}, next timer in {} ms", tier.totals.heartbeats,
         tier.totals.failed_heartbeats, tier.totals.replayed_keys, static_cast<int>(tier.breaker),
         (one->clock->next() - now_) / 1ms);
    for (const caller& who : one->callers) {
      note("  caller {} of key {}, step {}", who.id, who.key, static_cast<int>(who.at));
    }
  }
  note("{} rows in the outbox, {} late commits", tables_.outbox.size(), tables_.late.size());
  broken("the end does not come: somebody was left hanging");
}

bool world::has_unread_commands() const {
  return std::ranges::any_of(nodes_, [](const auto& node) {
    return std::ranges::any_of(node->connections(), [](const auto& one) { return !one->in.empty(); });
  });
}

/// What nobody has invalidated is served until its entries end, and no longer.
void world::outlive_what_was_lost() {
  if (lost_ == versions{}) return;
  for (int i = 0; i != 30'000 && has_unread_commands() && !broken_; ++i) step(0);
  ++seen_["a write that nobody had invalidated was outlived"];
  const duration ttl = std::max(policy_.ttl, ttl_elsewhere());
  pass_until(now_ + ttl + std::max(policy_.stale_for, policy_.stale_if_error) + clock_slack_ + tier_options_.bound);
  for (int key = 0; key != keys; ++key) acknowledge(key, lost_[key]);
}

}  // namespace simulation

#include "world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace simulation {

void world::broken(const std::string& what) {
  if (!broken_) broken_ = what;
}

void world::note(const std::string& what) {
  history_.push_back(fmt::format("{:5} {:9.3f} ms  {}", step_,
                                 std::chrono::duration<double, std::milli>(clock_->now().time_since_epoch()).count() -
                                     3'600'000.0,
                                 what));
  if (history_.size() > 200) history_.erase(history_.begin(), history_.begin() + 100);
}

int world::begin_load(int key, std::uint64_t began, time_point gives_up, bool cut_already) {
  std::size_t active = 1;
  for (const load_record& other : loads_) {
    if (!other.active) continue;
    ++active;
    const bool freed = other.cut || clock_->now() >= other.gives_up;
    if (other.key == key && !freed && !cut_already) broken(fmt::format("two loads of key {} at once", key));
  }
  // A batch holds one permit for all its keys.
  const std::size_t limit = std::min(load_limit_, source_limit_);
  if (active > limit * keys) broken(fmt::format("{} loads at once, the limit is {}", active, limit));
  loads_.push_back({key, began, gives_up, true, cut_already});
  note(fmt::format("load {} of key {} begins", loads_.size() - 1, key));
  return static_cast<int>(loads_.size() - 1);
}

void world::end_load(int id) { loads_[static_cast<std::size_t>(id)].active = false; }

// Called just before the cache is told: from then on the loads in progress have lost the key.
void world::cut_loads(int key, bool removes) {
  for (load_record& load : loads_) {
    if (load.active && load.key == key) load.cut = true;
  }
  cut_at_[key] = step_;
  if (removes) removed_at_[key] = step_;
}

// What is stored was read by a load that began after the last invalidation, and what is fresh by one that began after
// the last expiry too.
void world::check_store() {
  for (int key = 0; key != keys; ++key) {
    core_->inspect(key, core_->hash_of(key), [&](const seawall::local::entry<row>& item, time_point now) {
      if (!item.value || item.value->load == 0) return;
      const std::uint64_t began = loads_[static_cast<std::size_t>(item.value->load)].began;
      if (began < removed_at_[key]) {
        broken(fmt::format("key {} holds what load {} read, begun before an invalidation", key, item.value->load));
      }
      if (began < cut_at_[key] && now < item.times.fresh_until) {
        broken(fmt::format("key {} is fresh from load {}, which began before an expiry", key, item.value->load));
      }
    });
  }
}

void world::check_deadlines() {
  for (const caller& who : callers_) {
    if (who.at == seawall::step::wait && clock_->now() >= who.deadline && !who.self->woken) {
      broken("a caller was not woken at its deadline");
    }
  }
}

// When everybody has gone: every permit is back, no timer is armed but that of the sweep, which ends when there is
// nothing to expire, and each look-up was counted once.
void world::check_nothing_is_left() {
  const seawall::cache_stats stats = core_->stats();
  if (stats.running_loads != 0) broken(fmt::format("{} loads hold a permit and do not run", stats.running_loads));
  if (source_ && source_->running() != 0) broken("a permit of the source is lost");
  if (core_->options().keep_fresh.on()) core_->close();  // else it would keep the keys for a while
  core_->clear();
  for (int sweeps = 0; clock_->next_timer() != seawall::never; ++sweeps) {
    if (clock_->next_timer() != core_->next_sweep()) return broken("a timer was left behind");
    if (sweeps == 10) return broken("the sweep of an empty cache does not end");
    clock_->advance(clock_->next_timer() - clock_->now());
  }
  if (stats.total.lookups() > lookups_ || stats.total.lookups() + uncounted_ < lookups_) {
    broken(fmt::format("{} look-ups were counted, {} were made, {} of them left", stats.total.lookups(), lookups_,
                       uncounted_));
  }
}

void world::check_answer(const caller& who, std::size_t position, const core::answer& answer) {
  const int key = who.keys[position];
  if (!answer) {
    const auto& why = answer.error();
    const bool known = why == seawall::errc::timed_out || why == seawall::errc::load_timed_out ||
                       why == seawall::errc::overloaded || why == seawall::errc::loader_failed ||
                       why == seawall::errc::cancelled;
    if (!known) broken("a caller got an error that nothing here explains: " + why.message());
    if (why == seawall::errc::timed_out && clock_->now() < who.deadline) broken("a caller timed out too early");
    return note(fmt::format("caller of key {} ends: {}", key, why.message()));
  }
  // Linearizable, but for the reads that say that they are not: those are no older than what was acknowledged, and may
  // be ahead of what the next caller gets.
  const bool linear = core_->stats().total.unlinearized_reads == who.unlinearized_before;
  const int floor = linear ? who.floors_read[position] : who.floors_acked[position];
  if (*answer) {
    const int version = (*answer)->version;
    note(fmt::format("caller of key {} gets version {}", key, version));
    if (version < floor) broken(fmt::format("key {}: version {} is served after version {}", key, version, floor));
    if (version > committed_[key]) broken("a version from the future");
    if (linear) returned_[key] = std::max(returned_[key], version);
  } else {
    note(fmt::format("caller of key {} gets an absence", key));
    const int last_absent = committed_[key] - committed_[key] % absent_every;
    if (last_absent < floor) broken(fmt::format("key {}: absent, but it exists since version {}", key, floor));
  }
}

void world::add_coverage(coverage& sum) const {
  const seawall::cache_stats stats = core_->stats();
  for (const auto& counter : seawall::counter_table) {
    if (stats.total.*counter.field != 0) ++sum[std::string(counter.name)];
  }
}

}  // namespace simulation

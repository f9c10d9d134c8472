#include "world.hpp"

#include "entry_format.hpp"
#include "seawall/tier/stats.hpp"
#include "tag_cache.hpp"

#include <algorithm>

namespace simulation {

/// What a read of the process, if it begins now, must not be older than.
int world::floor_of(const process& one, int key, bool fresh) const {
  if (fresh) return std::max(last_acknowledged_[key], fresh_returned_[key]);
  return std::max({acknowledged_before_bound(key), one.acknowledged[key], one.returned[key]});
}

floors world::floors_of(const process& one, int key, bool fresh) const {
  const int not_linear = fresh ? last_acknowledged_[key]
                               : std::max(acknowledged_before_bound(key), one.acknowledged[key]);
  return {.all = floor_of(one, key, fresh), .not_linear = not_linear};
}

int world::acknowledged_before_bound(int key) const {
  const auto& all = acknowledged_[key];
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    if (one->when <= now_ - tier_options_.bound) return one->version;
  }
  return 0;
}

/// The version that the value stands for, at least.
int world::judge(const process& one, int key, const seawall::value_ptr<int>& value, int floor, const char* what) {
  if (value) {
    if (*value < floor) {
      broken(fmt::format("process {}, {}: key {} has version {}, after {}", one.id, what, key, *value, floor));
    }
    if (*value > committed_[key]) broken("a version from the future");
    return *value;
  }
  const int first_absent = (floor + absent_every - 1) / absent_every * absent_every;
  if (first_absent > committed_[key]) {
    broken(fmt::format("process {}, {}: key {} is absent, but it exists since version {}", one.id, what, key, floor));
  }
  return first_absent;
}

void world::check_error(const seawall::error& why) {
  const bool known = why == seawall::errc::timed_out || why == seawall::errc::load_timed_out ||
                     why == seawall::errc::overloaded || why == seawall::errc::loader_failed ||
                     why == seawall::errc::cancelled;
  if (!known) broken("a caller got an error that is none of its source: " + why.message());
  if (quiet_ && !(why == seawall::errc::loader_failed)) ++seen_["an error at the end"];
}

void world::check_answer(process& one, const caller& who, const core::answer& answer) {
  if (!answer) {
    check_error(answer.error());
    return note("process {}: caller {} of key {} ends: {}", one.id, who.id, who.key, answer.error().message());
  }
  if (who.only_looks && !*answer) return note("process {}: caller {} of key {} finds nothing", one.id, who.id, who.key);
  note("process {}: caller {} of key {} gets {}", one.id, who.id, who.key,
       *answer ? std::to_string(**answer) : "an absence");
  const bool linear = unlinearized(one) == who.unlinearized_before;
  const int version = judge(one, who.key, *answer, linear ? who.floor.all : who.floor.not_linear,
                            who.fresh ? "a fresh read" : "a read");
  if (!linear) return;
  if (who.fresh) fresh_returned_[who.key] = std::max(fresh_returned_[who.key], version);
  else has_answered(one, who.key, version, who.report->from);
}

/// A read of what is in a process costs nothing, so there is one after every step.
void world::probe() {
  process& one = *processes_[chance_.below(processes_.size())];
  if (paused(one)) return;
  const int key = static_cast<int>(chance_.below(keys));
  const auto found = one.cache->look(key, one.cache->hash_of(key), false);
  if (!found.servable()) {
    const bool silent = now_ - one.link->last_heard >= tier_options_.bound;
    if (silent && one.cache->size() != 0) ++seen_["an entry is not served any more"];
    return;
  }
  const int version = judge(one, key, found.value, floor_of(one, key, false), "its memory");
  has_answered(one, key, version);
}

/// `from`: if it is known. What a process has loaded by itself binds nothing unless the tier has taken it, even if
/// another process has stored the same meanwhile.
void world::has_answered(process& one, int key, int version, std::optional<seawall::served_from> from) {
  const bool may_be_own = from == seawall::served_from::source ||
                          (from != seawall::served_from::shared && one.loaded[key].contains(version));
  // Of bare values, what was only in a process may be older than what another program has stored.
  const bool was_stored = plain_ ? plain_stored_[key].contains(version) : version <= one.met[key];
  if (was_stored && (!may_be_own || version <= one.taken[key])) {
    one.returned[key] = std::max(one.returned[key], version);
  }
}

/// After a command.
void world::look_at_dealings(int life, std::string_view asked, const versions& before) {
  process& one = *processes_[load_rights::process_of(life)];
  if (one.life != life) return;
  for (int key = 0; key != keys; ++key) {
    if (asked.find(key_names[key]) == std::string_view::npos) continue;
    one.met[key] = stored_[key];
    if (stored_[key] != before[key]) one.taken[key] = std::max(one.taken[key], stored_[key]);
  }
}

void world::look_at_store() {
  for (int key = 0; key != keys; ++key) {
    const auto found = primary().keys().find(key_names[key]);
    if (found == primary().keys().end()) continue;
    const std::string_view bytes = found->second.bytes;
    if (plain_) {
      stored_[key] = seawall::codec<int>::decode(bytes).value_or(0);
      plain_stored_[key].insert(stored_[key]);
      continue;
    }
    if (bytes.substr(0, seawall::tier::reign_at) == last_seen_[key]) continue;
    last_seen_[key] = bytes.substr(0, seawall::tier::reign_at);
    look_at_entry(key, bytes);
  }
  look_at_tags();
}

void world::look_at_entry(int key, std::string_view bytes) {
  const auto entry = seawall::tier::decode_entry(bytes, server_now_ms_, 100);
  if (!entry) return;
  if (has_old_tag(*entry)) ++seen_["what was stored had an old tag"];
  if (entry->absent) return;
  const auto version = seawall::codec<int>::decode(entry->payload);
  if (version) stored_[key] = std::max(stored_[key], *version);
}

bool world::has_old_tag(const seawall::tier_entry& entry) {
  return std::ranges::any_of(entry.tags, [&](const seawall::tag_stamp& stamp) {
    const auto found = primary().keys().find(seawall::tier::tag_key_of("c:", stamp.tag));
    if (found == primary().keys().end()) return true;
    std::uint64_t generation = 0;
    for (const char byte : found->second.bytes) generation = generation << 8 | static_cast<std::uint8_t>(byte);
    return generation != stamp.generation;
  });
}

/// Counts what a change of a tag meets.
void world::look_at_tags() {
  bool changed = false;
  for (std::size_t tag = 0; tag != tag_keys_.size(); ++tag) {
    const auto found = primary().keys().find(tag_keys_[tag]);
    const std::string_view now = found == primary().keys().end() ? std::string_view{} : found->second.bytes;
    if (now == last_generations_[tag]) continue;
    changed |= !last_generations_[tag].empty();
    last_generations_[tag] = now;
  }
  if (!changed) return;
  ++tag_changes_;
  for (int key = 0; key != keys; ++key) {
    const auto found = primary().keys().find(key_names[key]);
    if (found == primary().keys().end()) continue;
    const std::string_view bytes = found->second.bytes;
    if (const auto entry = seawall::tier::decode_entry(bytes, server_now_ms_, 100)) {
      if (has_old_tag(*entry)) ++seen_["a tag changed while there was an entry with it"];
    } else {
      ++seen_["a tag changed while there was a lease"];
    }
  }
}

std::uint64_t world::unlinearized(const process& one) const {
  return one.cache->recorder().sum(seawall::cache_counter::unlinearized_reads);
}

void world::add_counters(const process& one) {
  if (!one.cache) return;
  const auto caches = one.cache->stats();
  for (const auto& counter : seawall::counter_table) {
    counters_["cache: " + std::string(counter.name)] += caches.total.*counter.field;
  }
  const auto tiers = one.tier->stats();
  for (const auto& counter : seawall::tier_totals_table) {
    counters_["tier: " + std::string(counter.name)] += tiers.totals.*counter.field;
  }
  counters_["breaker: opened"] += tiers.breaker_counters.opened;
  counters_["link: repeated"] += one.link->counted.repeated;
  counters_["link: unknown"] += one.link->counted.unknown;
  counters_["link: timeouts"] += one.link->counted.timeouts;
  counters_["link: late_commands"] += one.link->counted.late_commands;
  counters_["link: tags_told"] += one.link->counted.tags_told;
}

void world::add_coverage(coverage& sum) const {
  seen_.add_to(sum);
  tables_.seen.add_to(sum);
  for (const auto& [name, times] : counters_) sum[name] += times;
  for (const auto& node : nodes_) {
    sum["server: no_script"] += node->counted.no_script;
    sum["server: refused_for_memory"] += node->counted.refused_for_memory;
    sum["server: read_only"] += node->counted.read_only;
    sum["server: expired"] += node->counted.expired;
    sum["server: a lease ended"] += node->counted.leases_ended;
    sum["server: pushes"] += node->counted.pushes;
  }
}

}  // namespace simulation

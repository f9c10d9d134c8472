#include "world.hpp"

#include "tag_cache.hpp"

#include <algorithm>
#include <utility>

namespace simulation {
namespace {

constexpr const char* tag_names[] = {"t0", "t1"};

}  // namespace

void world::name_tags() {
  versioned_ = chance_.one_in(2);
  if (!chance_.one_in(4) && !plain_) {
    tagged_ = {chance_.pick({0b11, 0b11, 0b01}), chance_.pick({0, 0b01, 0b10})};
    named_late_ = {chance_.one_in(20), chance_.one_in(4)};
  }
  for (int tag = 0; tag != tags; ++tag) {
    tag_keys_[tag] = seawall::tier::tag_key_of("c:", seawall::tag_list::hash_of(tag_names[tag]));
  }
  tag_keys_[tags] = seawall::tier::tag_key_of("c:", 0);
}

seawall::tag_list world::all_tags_of(int key) const {
  seawall::tag_list all = tags_of(key, true);
  for (const std::uint64_t tag : tags_of(key, false).hashes()) all.add(tag);
  return all;
}

std::string world::name_of_tag(int tag) { return tag_names[tag]; }

bool world::is_tagged(std::string_view tag, int key) const {
  const auto* const found = std::ranges::find(tag_names, tag);
  return found != std::end(tag_names) && is_tagged(static_cast<int>(found - tag_names), key);
}

/// The tags of a key that its callers name, or those that only its loaders do.
seawall::tag_list world::tags_of(int key, bool of_call) const {
  seawall::tag_list list;
  for (int tag = 0; tag != tags; ++tag) {
    if ((tagged_[tag] >> key & 1) != 0 && named_late_[tag] != of_call) list.add(tag_names[tag]);
  }
  return list;
}

std::string world::text_of(const write& what) const {
  switch (what.what) {
    case write::of::key: return fmt::format("key {} for version {}", what.which, what.made[what.which]);
    case write::of::tag: return fmt::format("tag {} for versions {}", what.which, fmt::join(what.made, " "));
    case write::of::everything: return fmt::format("everything for versions {}", fmt::join(what.made, " "));
    case write::of::put: return fmt::format("key {} by a put of version {}", what.which, what.made[what.which]);
    case write::of::prefix: return fmt::format("keys like {} for version {}", what.which, what.made[what.which]);
    case write::of::expire: return fmt::format("key {} by marking it stale", what.which);
    case write::of::every_key: break;
  }
  return fmt::format("every key for versions {}", fmt::join(what.made, " "));
}

void world::start_writer(process& one) {
  writer who{.what = {.which = static_cast<int>(chance_.below(keys))}, .blocks = chance_.one_in(4)};
  const std::size_t kind = chance_.below(10);
  const int tag = static_cast<int>(chance_.below(tags));
  if (kind < 4 && tagged_[tag] != 0) {
    who.what = {.what = write::of::tag, .which = tag};
  } else if (kind < 7) {
    who.what.what = chance_.pick({write::of::everything, write::of::every_key, write::of::put, write::of::put,
                                  write::of::expire, write::of::prefix});
    const bool may_wait = who.what.what == write::of::put ? chance_.one_in(2) : added_.one_in(2);
    who.blocks = !who.what.has_asynchronous_form() || may_wait;
  }
  one.writers.push_back(std::move(who));
}

void world::move_writer(process& one, std::size_t index, int depth) {
  writer& who = one.writers[index];
  if (!who.committed) return commit(one, who);
  if (who.invalidating) {
    const writer done = std::move(who);
    one.writers.erase(one.writers.begin() + static_cast<std::ptrdiff_t>(index));
    if (*done.ended == writer::end::well) return has_invalidated(one, done.what);
    ++seen_["a prefix that was not waited for could not be removed"];
    return orphan(done.what);
  }
  if (who.blocks) return invalidate_blocking(one, index, depth);
  begin_to_invalidate(one, who);
}

void world::commit(process& one, writer& who) {
  if (!std::ranges::all_of(tables_.held_by, [](std::uint64_t by) { return by == 0; })) return;
  who.committed = true;
  for (int key = 0; key != keys; ++key) {
    const bool one_key = who.what.what == write::of::key || who.what.what == write::of::put ||
                         who.what.what == write::of::prefix;
    const bool of_key = one_key && who.what.which == key;
    const bool of_tag = who.what.what == write::of::tag && (tagged_[who.what.which] >> key & 1) != 0;
    const bool of_all = who.what.what == write::of::everything || who.what.what == write::of::every_key;
    if (of_key || of_tag || of_all) who.what.made[key] = ++committed_[key];
  }
  note("process {}: commits {}", one.id, text_of(who.what));
}

void world::begin_to_invalidate(process& one, writer& who) {
  who.invalidating = true;
  note("process {}: begins to invalidate {}", one.id, text_of(who.what));
  const auto well = [ended = who.ended](auto...) { *ended = writer::end::well; };
  if (who.what.what == write::of::tag) {
    one.cache->begin_invalidate_tag(seawall::tag_list::hash_of(tag_names[who.what.which]), well);
  } else if (who.what.what == write::of::put) {
    ++seen_["a put did not block"];
    const int version = who.what.made[who.what.which];
    const auto value = version % absent_every == 0 ? nullptr : std::make_shared<const int>(version);
    seawall::put_call<core>::begin(one.cache, who.what.which, one.cache->hash_of(who.what.which), value, policy_,
                                   all_tags_of(who.what.which), static_cast<std::uint64_t>(version), well);
  } else if (who.what.what == write::of::prefix) {
    seawall::prefix_invalidation<core>::begin(
        one.cache, std::to_string(who.what.which), prefix_limits(),
        [this, ended = who.ended](const seawall::result<seawall::prefix_removal>& gone) {
          const bool done = gone && gone->done;
          if (done) ++seen_["a prefix was removed that nobody waited for"];
          *ended = done ? writer::end::well : writer::end::failed;
        });
  } else {
    const int key = who.what.which;
    one.cache->begin_invalidate(key, one.cache->hash_of(key), well);
  }
}

/// On a thread of its own: everything else goes on meanwhile, this process included, which may even be killed.
void world::invalidate_blocking(process& one, std::size_t index, int depth) {
  const write what = one.writers[index].what;
  one.writers.erase(one.writers.begin() + static_cast<std::ptrdiff_t>(index));
  const auto cache = one.cache;
  note("process {}: waits for the invalidation of {}", one.id, text_of(what));
  const int before = std::exchange(depth_, depth);
  bool well = true;
  switch (what.what) {
    case write::of::key: cache->invalidate(what.which, cache->hash_of(what.which)); break;
    case write::of::tag: cache->invalidate_tag(seawall::tag_list::hash_of(tag_names[what.which])); break;
    case write::of::everything: well = cache->clear(); break;
    case write::of::every_key: {
      std::array<int, keys> all{};
      for (int key = 0; key != keys; ++key) all[key] = key;
      cache->invalidate_many(all);
      break;
    }
    case write::of::put: put(*cache, what); break;
    case write::of::prefix: well = remove_prefix(*cache, what); break;
    case write::of::expire: cache->expire(what.which, cache->hash_of(what.which)); break;
  }
  depth_ = before;
  ++seen_[what.what == write::of::everything ? "a cache was cleared" : "an invalidation was waited for"];
  if (one.cache == cache && well) return has_invalidated(one, what);
  ++seen_[well ? "a process was killed while it waited for an invalidation" : "a prefix could not be removed at once"];
  orphan(what);
}

void world::put(core& cache, const write& what) {
  const int version = what.made[what.which];
  const auto value = version % absent_every == 0 ? nullptr : std::make_shared<const int>(version);
  cache.put(what.which, cache.hash_of(what.which), value, policy_, all_tags_of(what.which),
            static_cast<std::uint64_t>(version));
}

seawall::prefix_options world::prefix_limits() { return {.count = chance_.pick<std::int64_t>({1, 500})}; }

bool world::remove_prefix(core& cache, const write& what) {
  const seawall::prefix_options how = prefix_limits();
  const auto gone = seawall::prefix_invalidation<core>{cache, std::to_string(what.which), how}.run();
  if (gone && gone->done) ++seen_["a prefix was removed"];
  return gone && gone->done;
}

/// What goes on while a thread is blocked.
void world::help(const std::atomic<bool>& done) {
  constexpr int most_steps = 100'000;
  for (int i = 0; !done.load() && !broken_; ++i) {
    if (i == most_steps) broken("a call that blocks does not return");
    else step(depth_ + 1);
  }
  if (done.load()) return;
  for (const auto& one : processes_) one->link->kill();  // a request may be gone with the call that waits for it
}

void world::has_invalidated(process& one, const write& what) {
  for (int key = 0; key != keys; ++key) one.acknowledged[key] = std::max(one.acknowledged[key], what.made[key]);
  one.undelivered.push_back(what);
  one.looked_at = 0;
  note("process {}: has invalidated {}", one.id, text_of(what));
  look_for_deliveries(one);
  const bool of_tag = what.what == write::of::tag || what.what == write::of::everything;
  if (!one.undelivered.empty() && of_tag) ++seen_["a change of a tag was not delivered at once"];
}

/// What waits to be delivered does so until a command ends.
void world::look_for_deliveries(process& one) {
  if (std::exchange(one.looked_at, one.link->ends()) == one.link->ends()) return;
  if (one.tier->stats().undelivered != 0) {
    ++seen_["an invalidation was not delivered at once"];
    return;
  }
  for (const write& what : std::exchange(one.undelivered, {})) {
    for (int key = 0; key != keys; ++key) acknowledge(key, what.made[key]);
  }
}

void world::acknowledge(int key, int version) {
  if (version <= last_acknowledged_[key]) return;
  note("version {} of key {} is acknowledged", version, key);
  last_acknowledged_[key] = version;
  acknowledged_[key].push_back({now_, version});
}

/// Some process takes over what another one did not live to invalidate.
void world::replay_outbox() {
  if (outbox_.empty()) return;
  process& one = *processes_[chance_.below(processes_.size())];
  if (paused(one)) return;
  const write what = outbox_.back();
  outbox_.pop_back();
  ++seen_["an outbox was replayed"];
  one.writers.push_back({.what = what, .blocks = !what.has_asynchronous_form(), .committed = true});
}

}  // namespace simulation

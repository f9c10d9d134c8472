#include "world.hpp"

#include <algorithm>
#include <utility>

namespace simulation {

using seawall::step;

/// As cache::get_many: what is fresh in the process is answered at once, and the rest is asked for together.
void world::start_batch(process& one, bool fresh) {
  batch who{.id = ++callers_ever_, .fresh = fresh};
  load_op::settings how{.policy = policy_, .fresh = fresh};
  if (!chance_.one_in(3)) how.deadline = tier_options_.bound;
  const int oldest = *std::ranges::min_element(committed_);
  if (!fresh && oldest != 0 && added_.one_in(4)) {
    how.at_least = 1 + added_.below(static_cast<std::size_t>(oldest));
    ++seen_["a batch asks for a version"];
  }
  std::vector<seawall::bulk_request<core>> wanted;
  note("process {}: batch {} begins{}{}", one.id, who.id, fresh ? ", fresh" : "",
       how.at_least != 0 ? fmt::format(", at least {}", how.at_least) : "");
  for (int key = 0; key != keys; ++key) {
    const std::size_t hash = one.cache->hash_of(key);
    auto found = one.cache->look(key, hash);
    const bool is_fresh = !fresh && found.is == seawall::standing::fresh;
    if (is_fresh && found.version < how.at_least) ++seen_["a batch passes over what is in its process"];
    if (is_fresh && found.version >= how.at_least) {
      has_answered(one, key, judge(one, key, found.value, floor_of(one, key, false), "its memory"));
      continue;
    }
    who.floor[key] = floors_of(one, key, fresh);
    who.floor[key].all = std::max(who.floor[key].all, static_cast<int>(how.at_least));
    who.floor[key].not_linear = std::max(who.floor[key].not_linear, static_cast<int>(how.at_least));
    who.asked.push_back(key);
    wanted.push_back({key, hash, std::move(found)});
    for (const std::uint64_t tag : tags_of(key, true).hashes()) how.tags.add(tag);  // for all of them
  }
  if (wanted.empty()) return;
  who.unlinearized_before = unlinearized(one);
  who.machine = std::make_unique<bulk_op>(one.cache, std::move(wanted), who.self, how);
  who.at = who.machine->start();
  one.batches.push_back(std::move(who));
  if (one.batches.back().at != step::run_loader) move_batch(one, one.batches.size() - 1);
}

void world::move_batch(process& one, std::size_t index) {
  batch& who = one.batches[index];
  if (who.at == step::run_loader && !who.read) {
    who.read = committed_;
    return note("process {}: batch {} reads versions {}", one.id, who.id, fmt::join(*who.read, " "));
  }
  if (who.at == step::run_loader) {
    const versions read = *std::exchange(who.read, std::nullopt);
    std::vector<seawall::loaded<int>> given;
    for (const int key : who.machine->batch()) {
      given.push_back(outcome_of(one, key, read[key], !quiet_ && chance_.one_in(8)));
    }
    if (given.size() > 1) ++seen_["a batch loaded several keys"];
    note("process {}: batch {} has loaded {} keys", one.id, who.id, given.size());
    who.at = who.machine->loaded(std::move(given));
  } else if (who.at != step::done) {
    if (!std::exchange(who.self->woken, false)) return;
    who.at = who.machine->woken();
  }
  if (who.at != step::done) return;
  check_batch(one, who);
  one.batches.erase(one.batches.begin() + static_cast<std::ptrdiff_t>(index));
}

void world::check_batch(process& one, batch& who) {
  const auto answers = who.machine->take();
  const bool linear = unlinearized(one) == who.unlinearized_before;
  for (std::size_t i = 0; i != answers.size(); ++i) {
    const int key = who.asked[i];
    if (!answers[i]) {
      check_error(answers[i].error());
      note("process {}: batch {}, key {} ends: {}", one.id, who.id, key, answers[i].error().message());
      continue;
    }
    note("process {}: batch {} gets {} for key {}", one.id, who.id,
         *answers[i] ? std::to_string(**answers[i]) : "an absence", key);
    const int floor = linear ? who.floor[key].all : who.floor[key].not_linear;
    const int version = judge(one, key, *answers[i], floor, who.fresh ? "a fresh batch" : "a batch");
    if (!linear) continue;
    if (who.fresh) fresh_returned_[key] = std::max(fresh_returned_[key], version);
    else has_answered(one, key, version);
  }
}

}  // namespace simulation

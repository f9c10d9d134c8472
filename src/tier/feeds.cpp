#include "feeds.hpp"

#include <algorithm>
#include <utility>

namespace seawall::tier {

bool feeds::announce(std::uint64_t generation) {
  lose(generation);
  const auto [proof, tell_all] = proofs_.take();
  feeds_.push_back({.generation = generation, .proof = proof});
  // The next answer will come over it.
  if (slots_.size() == 1) slots_.front().verified = false;
  return tell_all;
}

void feeds::lose(std::uint64_t generation) {
  end_sets_of(generation);
  for (slot_state& one : slots_) {
    if (one.generation == generation) one.verified = false;
  }
  std::erase_if(feeds_, [&](const feed& one) {
    if (one.generation != generation) return false;
    proofs_.end(one.proof);
    return true;
  });
}

auto feeds::doubt(std::uint64_t generation) -> doubted {
  feed* const one = find(generation);
  // A map that lost thousands of slots says so slot by slot.
  if (!one || !one->believed) return {};
  ++one->epoch;
  one->believed = false;
  return {.new_to_it = true, .tell_all = prove_anew(*one)};
}

void feeds::mute(std::uint64_t generation) {
  feed* const one = find(generation);
  if (!one || std::exchange(one->mute, true)) return;
  end_sets_of(generation);
  proofs_.end(std::exchange(one->proof, nullptr));
}

bool feeds::unmute(std::uint64_t generation) {
  feed* const one = find(generation);
  if (!one || !std::exchange(one->mute, false)) return false;
  const auto [proof, tell_all] = proofs_.take();
  one->proof = proof;
  return tell_all;
}

void feeds::recheck(std::uint64_t generation, slot_number slot) {
  slot_state& here = slots_[slot];
  if (here.generation == generation) here.verified = false;
}

bool feeds::beat(std::uint64_t generation, slot_number slot, time_point sent, const beat_answer& what) {
  feed* one = find(generation);
  if (!one) one = &feeds_.emplace_back(feed{.generation = generation});
  slot_state& here = slots_[slot];
  bool tell_all = here.known && here.generation == generation && here.reign != what.reign;
  if (tell_all) tell_all |= prove_anew(*one);
  if (here.known && here.reign != what.reign) ++reign_changes_;
  // It was a replica meanwhile, which only the record of this slot has told: those of the others are to be asked, too.
  if (slots_.size() > 1 && one->believed && one->history != what.history) tell_all |= doubt(generation).tell_all;
  one->history = what.history;
  one->ahead_ms = last_ahead_ms_ = what.ahead_ms;
  one->believed = true;
  one->pulse = slot;
  one->checked = std::max(one->checked, sent);
  one->alive = std::max(one->alive, sent);
  here = {.generation = generation, .reign = what.reign, .epoch = one->epoch, .known = true, .verified = true};
  extend(*one);
  return tell_all;
}

std::optional<feeds::slot_number> feeds::pulse(std::uint64_t generation) {
  feed* const one = find(generation);
  if (!one || !one->believed) return std::nullopt;
  if (is_of(one->pulse, *one)) return one->pulse;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (is_of(static_cast<slot_number>(slot), *one)) return one->pulse = static_cast<slot_number>(slot);
  }
  return std::nullopt;
}

std::vector<std::uint64_t> feeds::generations() const {
  std::vector<std::uint64_t> all;
  for (const feed& one : feeds_) all.push_back(one.generation);
  return all;
}

std::optional<footing> feeds::stand_on(std::uint64_t generation, slot_number slot, time_point asked) {
  if (!trusts(generation, slot)) return std::nullopt;
  feed& one = *find(generation);
  one.alive = std::max(one.alive, asked);
  if (one.proof) one.proof->extend(after(asked, bound_));
  return footing{
      .generation = generation, .reign = slots_[slot].reign, .ahead_ms = one.ahead_ms, .proof = one.proof};
}

bool feeds::trusts(std::uint64_t generation, slot_number slot) const {
  const feed* const one = find(generation);
  return one && is_of(slot, *one) && slots_[slot].verified;
}

std::optional<footing> feeds::expected(slot_number slot, time_point now) const {
  const slot_state& here = slots_[slot];
  if (!trusts(here.generation, slot)) return std::nullopt;
  const feed& one = *find(here.generation);
  if (after(one.checked, bound_) <= now) return std::nullopt;
  return footing{
      .generation = one.generation, .reign = here.reign, .ahead_ms = one.ahead_ms, .proof = one.proof};
}

std::optional<time_point> feeds::told_until(std::uint64_t generation) const {
  const feed* const one = find(generation);
  return one && one->proof ? std::optional{one->alive} : std::nullopt;
}

proofs::taken feeds::prove(std::span<const std::uint64_t> generations) {
  members of{generations.begin(), generations.end()};
  std::ranges::sort(of);
  of.erase(std::ranges::unique(of).begin(), of.end());
  if (of.empty() || of.size() > most_members) return {};
  for (const std::uint64_t one : of) {
    if (!told_until(one)) return {};
  }
  if (of.size() == 1) return {.proof = find(of.front())->proof};
  const auto found = sets_.find(of);
  if (found == sets_.end()) {
    if (sets_.size() >= most_sets) return {};
    const auto taken = proofs_.take();
    if (!taken.proof) return taken;
    if (!taken.tell_all) extend_set(of, *taken.proof);
    sets_.emplace(std::move(of), taken.proof);
    return taken;
  }
  extend_set(found->first, *found->second);
  return {.proof = found->second};
}

auto feeds::find(std::uint64_t generation) noexcept -> feed* {
  const auto found = std::ranges::find(feeds_, generation, &feed::generation);
  return found == feeds_.end() ? nullptr : &*found;
}

auto feeds::find(std::uint64_t generation) const noexcept -> const feed* {
  const auto found = std::ranges::find(feeds_, generation, &feed::generation);
  return found == feeds_.end() ? nullptr : &*found;
}

bool feeds::prove_anew(feed& one) {
  if (!one.proof) return false;
  end_sets_of(one.generation);
  proofs_.end(one.proof);
  const auto [proof, tell_all] = proofs_.take();
  one.proof = proof;
  return tell_all;
}

void feeds::end_sets_of(std::uint64_t generation) {
  std::erase_if(sets_, [&](const auto& set) {
    if (!std::ranges::binary_search(set.first, generation)) return false;
    proofs_.end(set.second);
    return true;
  });
}

void feeds::extend(const feed& one) {
  if (!one.proof) return;
  one.proof->extend(after(one.alive, bound_));
  for (const auto& [of, proof] : sets_) {
    if (std::ranges::binary_search(of, one.generation)) extend_set(of, *proof);
  }
}

void feeds::extend_set(const members& of, tier_proof& proof) {
  time_point alive = never;
  for (const std::uint64_t one : of) alive = std::min(alive, find(one)->alive);
  if (alive != time_point::min()) proof.extend(after(alive, bound_));
}

}  // namespace seawall::tier

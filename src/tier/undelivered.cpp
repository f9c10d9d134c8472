#include "undelivered.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace seawall::tier {

undelivered::undelivered(namespace_of divide, undelivered_limits limits)
    : divide_(std::move(divide)), limits_(limits) {}

void undelivered::add(std::string_view key, bool has_lease) {
  if (covered(key)) return;
  const auto found = index_.find(key);
  if (found != index_.end()) {
    const places::iterator at = found->second;
    at->sequence = ++sequence_;
    at->has_lease |= has_lease;
    waiting_.splice(waiting_.end(), std::exchange(at->taken, false) ? taken_ : waiting_, at);
    return;
  }
  const std::string_view name = divide_(key);
  waiting_.push_back({.key = std::string{key}, .divided = name.size(), .sequence = ++sequence_,
                      .has_lease = has_lease});
  index_.emplace(waiting_.back().key, std::prev(waiting_.end()));
  bytes_ += key.size();
  auto held = held_.find(name);
  if (held == held_.end()) held = held_.emplace(name, share{}).first;
  ++held->second.keys;
  held->second.bytes += key.size();
  while (index_.size() > limits_.keys || bytes_ > limits_.bytes) overflow();
  publish();
}

bool undelivered::contains(std::string_view key) const {
  if (size() == 0) return false;
  if (index_.contains(key)) return true;
  return std::ranges::any_of(wholes_, [&](const auto& of) { return key.starts_with(of.first); });
}

std::vector<undelivered::item> undelivered::take_batch(std::size_t most) {
  std::vector<item> batch;
  for (auto& [name, of] : wholes_) {
    if (batch.size() == most) return batch;
    if (std::exchange(of.taken, true)) continue;
    batch.push_back({.name = name, .prefix = true, .sequence = of.sequence});
  }
  while (batch.size() < most && !waiting_.empty()) {
    const places::iterator first = waiting_.begin();
    first->taken = true;
    batch.push_back({.name = first->key, .sequence = first->sequence, .has_lease = first->has_lease});
    taken_.splice(taken_.end(), waiting_, first);
  }
  return batch;
}

void undelivered::delivered(std::span<const item> batch) {
  for (const item& one : batch) {
    if (one.prefix) {
      const auto found = wholes_.find(one.name);
      if (found != wholes_.end() && found->second.sequence == one.sequence) wholes_.erase(found);
    } else {
      const auto found = index_.find(one.name);
      if (found != index_.end() && found->second->sequence == one.sequence) erase(found->second);
    }
  }
  publish();
}

void undelivered::put_back(std::span<const item> batch) {
  for (auto one = batch.rbegin(); one != batch.rend(); ++one) {
    if (one->prefix) {
      const auto found = wholes_.find(one->name);
      if (found != wholes_.end() && found->second.sequence == one->sequence) found->second.taken = false;
    } else {
      const auto found = index_.find(one->name);
      if (found == index_.end() || found->second->sequence != one->sequence || !found->second->taken) continue;
      found->second->taken = false;
      waiting_.splice(waiting_.begin(), taken_, found->second);
    }
  }
}

/// Whether a namespace will be cleared after this moment that the key is in. Of one that is being cleared it is unknown
/// whether the key's turn was already.
bool undelivered::covered(std::string_view key) const {
  return std::ranges::any_of(wholes_, [&](const auto& of) { return !of.second.taken && key.starts_with(of.first); });
}

void undelivered::overflow() {
  const auto largest = std::ranges::max_element(held_, {}, [](const auto& of) { return of.second.bytes; });
  std::string name = largest->first;
  ++overflows_;
  drop_keys(name);
  wholes_[std::move(name)] = {.sequence = ++sequence_};
  if (wholes_.size() <= most_namespaces) return;
  drop_keys({});
  wholes_.clear();
  wholes_[std::string{}] = {.sequence = ++sequence_};
}

/// Forgets the keys that begin so, which are more than those of the namespace if others lie inside of it.
void undelivered::drop_keys(std::string_view of) {
  for (places* all : {&waiting_, &taken_}) {
    for (auto at = all->begin(); at != all->end();) {
      const auto next = std::next(at);
      if (at->key.starts_with(of)) erase(at);
      at = next;
    }
  }
}

void undelivered::erase(places::iterator which) {
  const auto held = held_.find(std::string_view{which->key}.substr(0, which->divided));
  held->second.bytes -= which->key.size();
  if (--held->second.keys == 0) held_.erase(held);
  bytes_ -= which->key.size();
  index_.erase(which->key);
  places& from = which->taken ? taken_ : waiting_;
  from.erase(which);
}

void undelivered::publish() noexcept { size_.store(index_.size() + wholes_.size(), std::memory_order_release); }

}  // namespace seawall::tier

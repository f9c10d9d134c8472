#include "own_writes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace seawall::source {

void own_writes::add(unsigned partition, const stream_id& id, operation_ptr operation, time_point now) {
  ++size_;
  bytes_ += operation->bytes();
  last_.insert_or_assign(operation->key, operation);
  entries_[partition].emplace_hint(entries_[partition].end(), id, entry{std::move(operation), now});
}

bool own_writes::remove(unsigned partition, const stream_id& id) {
  const auto found = entries_[partition].find(id);
  if (found == entries_[partition].end()) return false;
  const operation_ptr operation = std::move(found->second.operation);
  entries_[partition].erase(found);
  --size_;
  bytes_ -= operation->bytes();
  const auto last = last_.find(operation->key);
  if (last != last_.end() && last->second == operation) last_.erase(last);
  return true;
}

operation_ptr own_writes::find(unsigned partition, const stream_id& id) const {
  const auto found = entries_[partition].find(id);
  return found == entries_[partition].end() ? nullptr : found->second.operation;
}

operation_ptr own_writes::pending(std::string_view key) const {
  const auto found = last_.find(key);
  return found == last_.end() ? nullptr : found->second;
}

std::vector<stream_id> own_writes::first(unsigned partition, std::size_t most) const {
  std::vector<stream_id> ids;
  for (const auto& [id, at] : entries_[partition]) {
    if (ids.size() == most) break;
    ids.push_back(id);
  }
  return ids;
}

std::vector<std::optional<stream_id>> own_writes::last() const {
  std::vector<std::optional<stream_id>> ids;
  for (const auto& all : entries_) {
    ids.push_back(all.empty() ? std::nullopt : std::optional{std::prev(all.end())->first});
  }
  return ids;
}

std::size_t own_writes::up_to(std::span<const std::optional<stream_id>> last) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i != last.size(); ++i) {
    if (!last[i]) continue;
    count += static_cast<std::size_t>(std::distance(entries_[i].begin(), entries_[i].upper_bound(*last[i])));
  }
  return count;
}

time_point own_writes::oldest() const noexcept {
  time_point oldest = never;
  for (const auto& all : entries_) {
    if (!all.empty()) oldest = std::min(oldest, all.begin()->second.since);
  }
  return oldest;
}

}  // namespace seawall::source

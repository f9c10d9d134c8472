// record_keys: under which keys a tier keeps its own records and what lies beside an entry, and in which slots that is.
//
// One primary: one record of the reign, one for each tag and one for each whole cache. A cluster: one record of the
// reign for each slot, which moves with it, so that whoever serves the slot is found out. The record of a whole cache
// is in parts there, each for a range of slots and inside of it: nearly all entries then have theirs on their own
// server, and one that fails takes no entries of the others with it.
#pragma once

#include "seawall/redis/cluster_slot.hpp"
#include "tag_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

/// A short text without braces that is a hash tag of the slot. The table is made at the first call.
std::string slot_tag(redis::slot_number slot);

/// The key that serializes refreshes of `key`, in the same slot of a cluster.
std::string lock_key_of(std::string_view key);
/// The key that holds the lease of `key`, whose value is stored plain, in the same slot.
std::string lease_key_of(std::string_view key);

/// Thread safety: const members may be called from any thread.
class record_keys {
 public:
  using slot_number = redis::slot_number;
  static constexpr std::size_t slots_of_part = 256;

  explicit record_keys(std::string reign_key) : reign_key_(std::move(reign_key)) {}
  /// The store is a cluster. Before everything else.
  void divide() noexcept { divided_ = true; }

  bool divided() const noexcept { return divided_; }
  std::size_t slots() const noexcept { return divided_ ? redis::slot_count : 1; }
  /// 0 for one primary.
  slot_number slot_of(std::string_view key) const noexcept { return divided_ ? redis::slot_of(key) : slot_number{0}; }

  std::string reign_key(slot_number slot) const {
    return divided_ ? reign_key_ + ":{" + slot_tag(slot) + '}' : reign_key_;
  }
  /// Nothing for other keys.
  std::optional<slot_number> slot_of_reign(std::string_view key) const noexcept {
    if (!key.starts_with(reign_key_)) return std::nullopt;
    if (!divided_) return key.size() == reign_key_.size() ? std::optional{slot_number{0}} : std::nullopt;
    if (!key.substr(reign_key_.size()).starts_with(":{") || !key.ends_with('}')) return std::nullopt;
    return redis::slot_of(key);
  }

  /// The record that an entry with this key depends on, if it has the tag.
  tag_record tag_of(std::string_view prefix, std::uint64_t tag, std::string_view entry) const noexcept {
    return {prefix, tag, part_of(tag, entry)};
  }
  std::string key_of(const tag_record& which) const {
    return divided_ && which.tag == 0 ? part(which.prefix, which.part) : tag_key_of(which.prefix, which.tag);
  }
  /// The record with this key; nothing for other keys.
  std::optional<tag_record> tag_at(std::string_view key) const noexcept {
    const auto found = tag_of_key(key);
    if (!found) return std::nullopt;
    return tag_record{found->first, found->second, part_of(found->second, key)};
  }
  /// All records of the tag: it has changed when they all have.
  std::vector<std::string> tag_keys(std::string_view prefix, std::uint64_t tag) const;

 private:
  std::uint16_t part_of(std::uint64_t tag, std::string_view key) const noexcept {
    return divided_ && tag == 0 ? static_cast<std::uint16_t>(redis::slot_of(key) / slots_of_part) : std::uint16_t{0};
  }
  std::string part(std::string_view prefix, std::size_t which) const {
    return tag_key_of(prefix, 0) + '{' + slot_tag(static_cast<slot_number>(which * slots_of_part)) + '}';
  }

  const std::string reign_key_;
  bool divided_ = false;
};

}  // namespace seawall::tier

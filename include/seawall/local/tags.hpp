// tags: entries that are invalidated together, in O(1), without a list of them. An invalidation of a tag is an event
// with a number; an entry remembers its tags and the number of the last event before its load began, and is valid as
// long as none of its tags has had a later one.
#pragma once

#include "seawall/base/hash.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall {

/// Up to eight tags of an entry, held as hashes of their names, so the names need not live on:
///     {.tags = {"users", tenant}}
/// Trivially destructible, so that a braced temporary is safe inside a co_await expression with GCC 12.
class tag_list {
 public:
  static constexpr std::size_t most = 8;

  constexpr tag_list() noexcept = default;
  template <class... Name>
    requires(sizeof...(Name) > 0 && sizeof...(Name) <= most &&
             (std::is_convertible_v<const Name&, std::string_view> && ...))
  tag_list(const Name&... names) noexcept {
    (add(std::string_view{names}), ...);
  }

  /// False, and nothing has changed, when there are eight already: such an entry must not be stored.
  bool add(std::string_view name) noexcept { return add(hash_of(name)); }
  /// The same for a name's hash.
  bool add(std::uint64_t tag) noexcept {
    for (const std::uint64_t one : hashes()) {
      if (one == tag) return true;
    }
    if (size_ == most) return false;
    hashes_[size_++] = tag;
    return true;
  }

  std::span<const std::uint64_t> hashes() const noexcept { return {hashes_.data(), size_}; }
  bool empty() const noexcept { return size_ == 0; }

  /// What stands for a name; never 0. The same on every machine.
  static std::uint64_t hash_of(std::string_view name) noexcept {
    const std::uint64_t hash = hash_bytes(name.data(), name.size());
    return hash != 0 ? hash : 1;
  }

 private:
  std::array<std::uint64_t, most> hashes_{};
  std::uint8_t size_ = 0;
};

static_assert(std::is_trivially_destructible_v<tag_list>);

namespace local {

/// The last event of each tag. Thread safety: all members may be called from any thread.
class tag_table {
 public:
  /// Tags remembered. When one more is invalidated, all are forgotten, and every entry with a tag that was loaded
  /// before is invalid: too much, but never too little.
  static constexpr std::size_t max_tags = 65'536;

  /// The number of the last event. Whoever begins a load, or reads another store, takes it before.
  std::uint64_t now() const noexcept { return events_.load(std::memory_order_acquire); }

  /// An event: from its return on, what was loaded before is not valid under this tag.
  void invalidate(std::uint64_t tag) {
    const std::unique_lock lock{mutex_};
    const std::uint64_t event = events_.load(std::memory_order_relaxed) + 1;
    if (last_.size() >= max_tags && !last_.contains(tag)) {
      last_.clear();
      all_before_ = event;
    } else {
      last_[tag] = event;
    }
    events_.store(event, std::memory_order_release);
  }

  /// An event of every tag.
  void invalidate_all() {
    const std::unique_lock lock{mutex_};
    last_.clear();
    all_before_ = events_.load(std::memory_order_relaxed) + 1;
    events_.store(all_before_, std::memory_order_release);
  }

  /// Whether none of the tags has had an event after `since`; then `seen` is the last event that this takes account of.
  bool valid(std::span<const std::uint64_t> tags, std::uint64_t since, std::uint64_t& seen) const {
    const std::shared_lock lock{mutex_};
    seen = events_.load(std::memory_order_relaxed);
    if (since < all_before_) return false;
    for (const std::uint64_t tag : tags) {
      const auto found = last_.find(tag);
      if (found != last_.end() && found->second > since) return false;
    }
    return true;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::atomic<std::uint64_t> events_{0};                    // written under mutex_
  std::unordered_map<std::uint64_t, std::uint64_t> last_;   // guarded by mutex_
  std::uint64_t all_before_ = 0;                            // guarded by mutex_: entries before this event are invalid
};

/// The tags of a stored entry, and up to which event they are known to be valid; and the version of what it holds. One
/// word for an entry that has neither.
class entry_tags {
 public:
  entry_tags() noexcept = default;
  entry_tags(std::span<const std::uint64_t> tags, std::uint64_t since, std::uint64_t version = 0) {
    if (tags.empty() && version == 0) return;
    known_ = std::make_unique<known>(since, version, std::vector<std::uint64_t>{tags.begin(), tags.end()});
  }

  std::span<const std::uint64_t> hashes() const noexcept {
    return known_ ? std::span<const std::uint64_t>{known_->tags} : std::span<const std::uint64_t>{};
  }
  /// 0: none is known.
  std::uint64_t version() const noexcept { return known_ ? known_->version : 0; }

  /// Without tags, or without events since the last check, this is a comparison. May run on several threads at once.
  bool valid(const tag_table& table) const noexcept {
    if (!known_ || known_->tags.empty()) [[likely]] return true;
    const std::uint64_t since = known_->checked.load(std::memory_order_relaxed);
    if (since == table.now()) return true;
    std::uint64_t seen = 0;
    if (!table.valid(known_->tags, since, seen)) return false;
    known_->checked.store(seen, std::memory_order_relaxed);
    return true;
  }

 private:
  struct known {
    known(std::uint64_t since, std::uint64_t newest, std::vector<std::uint64_t> all)
        : checked(since), version(newest), tags(std::move(all)) {}

    std::atomic<std::uint64_t> checked;
    const std::uint64_t version;
    const std::vector<std::uint64_t> tags;
  };

  std::unique_ptr<known> known_;
};

}  // namespace local
}  // namespace seawall

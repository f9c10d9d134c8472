// listeners: the caches that are told of changes, each of the keys with its prefix.
#pragma once

#include "seawall/cache/shared_tier.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::tier {

/// Thread safety: all members may be called from any thread. Listeners are called without a lock.
class listeners {
 public:
  void attach(std::string prefix, std::weak_ptr<tier_listener> who) {
    const std::lock_guard lock{mutex_};
    auto next = std::make_shared<list>(*all_);
    std::erase_if(*next, [](const place& one) { return one.who.expired(); });
    prefixes_.insert(prefix);
    next->push_back({.prefix = std::move(prefix), .who = std::move(who)});
    all_ = std::move(next);
  }

  /// The prefixes that begin so, of all that were ever attached: what is stored outlives its caches.
  std::vector<std::string> prefixes_under(std::string_view begin) const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> found;
    for (auto at = prefixes_.lower_bound(begin); at != prefixes_.end() && at->starts_with(begin); ++at) {
      found.push_back(*at);
    }
    return found;
  }

  /// Tells all whose prefix the key has: a cache's prefix may begin as another's does. Returns how many.
  std::size_t changed(std::string_view key) const {
    std::size_t told = 0;
    for (const auto all = snapshot(); const place& one : *all) {
      if (!key.starts_with(one.prefix)) continue;
      const auto who = one.who.lock();
      if (!who) continue;
      who->on_changed(key.substr(one.prefix.size()));
      ++told;
    }
    return told;
  }

  void tag_changed(std::string_view prefix, std::uint64_t tag) const {
    for (const auto all = snapshot(); const place& one : *all) {
      if (prefix != one.prefix) continue;
      if (const auto who = one.who.lock()) who->on_tag_changed(tag);
    }
  }

  void tags_lost() const {
    for (const auto all = snapshot(); const place& one : *all) {
      if (const auto who = one.who.lock()) who->on_tags_lost();
    }
  }

  void all_changed() const {
    for (const auto all = snapshot(); const place& one : *all) {
      if (const auto who = one.who.lock()) who->on_all_changed();
    }
  }

  /// The longest prefix that the key has; empty without any.
  std::string_view prefix_of(std::string_view key) const {
    std::size_t longest = 0;
    for (const auto all = snapshot(); const place& one : *all) {
      if (key.starts_with(one.prefix)) longest = std::max(longest, one.prefix.size());
    }
    return key.substr(0, longest);
  }

  /// How many entries they may keep in this process together, as far as they say.
  std::uint64_t most_entries() const {
    std::uint64_t most = 0;
    for (const auto all = snapshot(); const place& one : *all) {
      if (const auto who = one.who.lock()) most += who->most_entries();
    }
    return most;
  }

  /// Of all caches that live.
  std::vector<std::string> prefixes() const {
    std::vector<std::string> found;
    for (const auto all = snapshot(); const place& one : *all) {
      if (!one.who.expired()) found.push_back(one.prefix);
    }
    return found;
  }

 private:
  struct place {
    std::string prefix;
    std::weak_ptr<tier_listener> who;
  };
  using list = std::vector<place>;

  std::shared_ptr<const list> snapshot() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }

  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> prefixes_;                   // guarded by mutex_
  std::shared_ptr<const list> all_ = std::make_shared<const list>();  // guarded by mutex_; never changed
};

}  // namespace seawall::tier

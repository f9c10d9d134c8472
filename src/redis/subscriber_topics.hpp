// subscriber_topics: names of three kinds, checked, and what is kept for each.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/redis/subscriber.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace seawall::redis {

/// Whether the lists are within their limits; the error names the list.
result<void> check_topics(const topics& those);

template <class Each>
void for_each_name(const topics& those, const Each& each) {
  for (const std::string& one : those.channels) each(topic_kind::channel, one);
  for (const std::string& one : those.patterns) each(topic_kind::pattern, one);
  for (const std::string& one : those.sharded) each(topic_kind::sharded, one);
}

/// A value for each topic; an entry stays where it is until it is erased. Thread safety: none.
template <class T>
class topic_table {
 public:
  T* find(topic_kind kind, std::string_view name) {
    auto& mine = of(kind);
    const auto at = mine.find(name);
    return at == mine.end() ? nullptr : &at->second;
  }
  /// The new entry; nullptr if there is one.
  T* insert(topic_kind kind, std::string_view name) {
    const auto [at, added] = of(kind).try_emplace(std::string{name});
    return added ? &at->second : nullptr;
  }
  void erase(topic_kind kind, std::string_view name) {
    auto& mine = of(kind);
    if (const auto at = mine.find(name); at != mine.end()) mine.erase(at);
  }
  void clear() {
    for (auto& one : by_kind_) one.clear();
  }
  std::size_t size() const noexcept { return by_kind_[0].size() + by_kind_[1].size() + by_kind_[2].size(); }
  /// each(kind, name, value&). A call must not insert or erase.
  template <class Each>
  void for_each(const Each& each) {
    for (std::size_t i = 0; i < by_kind_.size(); ++i) {
      for (auto& [name, value] : by_kind_[i]) each(static_cast<topic_kind>(i), std::string_view{name}, value);
    }
  }

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>{}(name); }
  };
  using table = std::unordered_map<std::string, T, hash, std::equal_to<>>;

  table& of(topic_kind kind) noexcept { return by_kind_[static_cast<std::size_t>(kind)]; }

  std::array<table, 3> by_kind_;
};

}  // namespace seawall::redis

// One shard of the engine: a hash table and an LRU list under one mutex.
// Thread safety: all members but `init` may be called from any thread.
#pragma once

#include "seawall/eviction/lru.hpp"
#include "seawall/local/entry.hpp"
#include "seawall/local/prehashed.hpp"
#include "seawall/metrics/cache_stats.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seawall::local {

struct shard_usage {
  std::size_t entries = 0;
  std::size_t bytes = 0;
  std::array<std::uint64_t, removal_cause_table.size()> removals{};
};

template <class K, class V, class Eq>
class alignas(64) shard {
  struct node;
  using table_type = std::unordered_map<prehashed<K>, node, prehash, prehashed_equal<K, Eq>>;

  struct node : eviction::lru_hook {
    entry<V> item;
    std::size_t weight = 0;
    typename table_type::iterator self;
  };

 public:
  /// What was removed. Its destructor runs the user's code, so the caller keeps it until it holds no lock.
  struct removed {
    std::vector<typename table_type::node_type> nodes;
    std::vector<table_type> tables;
    value_ptr<V> replaced;
  };

  /// Requires: no other member was called yet.
  void init(std::size_t capacity, std::size_t max_bytes, const Eq& equal) {
    capacity_ = capacity;
    max_bytes_ = max_bytes;
    table_ = table_type(0, prehash{}, prehashed_equal<K, Eq>{equal});
  }

  template <class Q, class F>
  bool read(const Q& key, std::size_t hash, time_point now, removed& dead, F&& visit) {
    const std::lock_guard lock{mutex_};
    const auto found = table_.find(prehashed_ref<Q>{key, hash});
    if (found == table_.end()) return false;
    node& item = found->second;
    if (now >= item.item.times.keep_until()) {
      remove(found, removal_cause::expired, dead);
      return false;
    }
    if (visit(item.item)) order_.use(item);
    return true;
  }

  template <class Q>
  void put(Q&& key, std::size_t hash, entry<V> item, std::size_t weight, time_point now, removed& dead) {
    const std::lock_guard lock{mutex_};
    auto found = table_.find(prehashed_ref<std::remove_cvref_t<Q>>{key, hash});
    if (max_bytes_ != 0 && weight > max_bytes_) {  // it would not fit, whatever else were evicted
      if (found != table_.end()) remove(found, removal_cause::replaced, dead);
      ++usage_.removals[index(removal_cause::capacity)];
      dead.replaced = std::move(item.value);
      return;
    }
    if (found != table_.end()) {
      dead.replaced = std::exchange(found->second.item, std::move(item)).value;
      usage_.bytes += weight - found->second.weight;
      found->second.weight = weight;
      order_.use(found->second);
      ++usage_.removals[index(removal_cause::replaced)];
    } else {
      found = table_.try_emplace(prehashed<K>{K(std::forward<Q>(key)), hash}).first;
      found->second.item = std::move(item);
      found->second.weight = weight;
      found->second.self = found;
      order_.insert(found->second);
      usage_.bytes += weight;
    }
    shrink(now, dead);
  }

  template <class Q>
  bool erase(const Q& key, std::size_t hash, removal_cause cause, removed& dead) {
    const std::lock_guard lock{mutex_};
    const auto found = table_.find(prehashed_ref<Q>{key, hash});
    if (found == table_.end()) return false;
    remove(found, cause, dead);
    return true;
  }

  void clear(removed& dead) {
    table_type& old = dead.tables.emplace_back(0, prehash{}, table_.key_eq());
    const std::lock_guard lock{mutex_};
    usage_.removals[index(removal_cause::cleared)] += table_.size();
    usage_.bytes = 0;
    order_.clear();
    table_.swap(old);
  }

  shard_usage usage() const {
    const std::lock_guard lock{mutex_};
    shard_usage copy = usage_;
    copy.entries = table_.size();
    return copy;
  }

 private:
  static constexpr std::size_t index(removal_cause cause) noexcept { return static_cast<std::size_t>(cause); }

  void remove(typename table_type::iterator found, removal_cause cause, removed& dead) {
    order_.remove(found->second);
    usage_.bytes -= found->second.weight;
    ++usage_.removals[index(cause)];
    dead.nodes.push_back(table_.extract(found));
  }

  bool over_limit() const noexcept {
    return table_.size() > capacity_ || (max_bytes_ != 0 && usage_.bytes > max_bytes_);
  }

  // Evicts from the old end; what has expired there goes even when there is room, two at a time.
  void shrink(time_point now, removed& dead) {
    int expired_left = 2;
    while (!order_.empty()) {
      node& oldest = static_cast<node&>(order_.victim());
      const bool expired = now >= oldest.item.times.keep_until();
      if (!over_limit() && !(expired && expired_left-- > 0)) return;
      remove(oldest.self, expired ? removal_cause::expired : removal_cause::capacity, dead);
    }
  }

  mutable std::mutex mutex_;
  table_type table_;          // guarded by mutex_
  eviction::lru_list order_;  // guarded by mutex_
  shard_usage usage_;         // guarded by mutex_; `entries` is taken from the table
  std::size_t capacity_ = 0;   // constant after init
  std::size_t max_bytes_ = 0;  // constant after init
};

}  // namespace seawall::local

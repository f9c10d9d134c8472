// What the tests of this directory share: values that are counted, clocks that lag, and a listener that remembers.
#pragma once

#include "seawall/local_cache.hpp"
#include "seawall/testing/manual_clock.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace seawall::local {

/// Knows how many of its kind there are.
struct counted {
  int id = 0;

  counted(int value) : id(value) { ++alive; }
  counted(const counted& other) : id(other.id) { ++alive; }
  counted(counted&& other) noexcept : id(other.id) { ++alive; }
  counted& operator=(const counted&) = default;
  ~counted() { --alive; }
  bool operator==(const counted&) const = default;

  inline static std::atomic<int> alive{0};
};

/// Throws when the countdown of moves, copies or comparisons comes to its end; -1: never.
struct fragile {
  int id = 0;

  fragile(int value) : id(value) { ++alive; }
  fragile(const fragile& other) : id(other.id) {
    step();
    ++alive;
  }
  fragile& operator=(const fragile&) = default;
  ~fragile() { --alive; }
  friend bool operator==(const fragile& a, const fragile& b) {
    step();
    return a.id == b.id;
  }
  friend std::size_t hash_value(const fragile& key) { return static_cast<std::size_t>(key.id); }

  static void step() {
    if (countdown >= 0 && countdown-- == 0) throw std::runtime_error("fragile");
  }
  inline static int countdown = -1;
  inline static int alive = 0;
};

/// Every key in one bucket, with the same tag.
struct one_bucket {
  std::size_t operator()(int) const noexcept { return 42; }
};

/// A clock whose coarse reading is as late as it may be.
class lagging_clock final : public clock {
 public:
  static constexpr duration lag = std::chrono::milliseconds{32};
  manual_clock exact;

  time_point now() const noexcept override { return exact.now(); }
  time_point read_coarse() const noexcept override { return exact.now() - lag; }
  duration coarse_lag() const noexcept override { return lag; }
  timer_id call_at(time_point when, callback fn) override { return exact.call_at(when, std::move(fn)); }
  bool cancel(timer_id id) override { return exact.cancel(id); }
};

/// What a listener was told, in order.
template <class K, class V>
struct removal_log {
  std::vector<std::tuple<K, V, removal_cause>> seen;

  auto listener() {
    return [this](const K& key, const V& value, removal_cause cause) { seen.emplace_back(key, value, cause); };
  }
  /// What came since the last call.
  auto take() { return std::exchange(seen, {}); }
};

inline constexpr std::array all_policies{
    eviction_policy::adaptive,        eviction_policy::lru,          eviction_policy::lfu,
    eviction_policy::fifo,            eviction_policy::sieve,        eviction_policy::s3_fifo,
    eviction_policy::random,          eviction_policy::volatile_lru, eviction_policy::volatile_lfu,
    eviction_policy::volatile_random, eviction_policy::volatile_ttl, eviction_policy::noeviction,
};

}  // namespace seawall::local

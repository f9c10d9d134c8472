// The engine with values that know whether they live, and a listener that checks what it hears.
#pragma once

#include "scheduler.hpp"

#include "seawall/local/engine.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace seawall::schedules {

using local::entry_meta;
using local::put_result;
using local::store_options;

inline constexpr time_point now = time_point{} + std::chrono::hours{1};
inline constexpr std::uint32_t living = 0x600d'600d;

/// Says so when it is read after its death.
struct mortal {
  int id = 0;
  volatile std::uint32_t state = living;

  mortal(int value) : id(value) { ++alive; }
  mortal(mortal&& other) noexcept : id(other.id) { ++alive; }
  mortal(const mortal&) = delete;
  ~mortal() {
    state = 0xdead'dead;
    --alive;
  }
  inline static int alive = 0;  // one thread runs at a time
};

/// One engine for one seed. Members may be called from the threads of a scheduler.
class subject {
 public:
  using engine_type = local::engine<int, mortal, std::equal_to<>>;

  explicit subject(store_options how, bool listens = true)
      : engine_(how, {}, listens ? typename engine_type::listener([this](int key, const mortal& value, removal_cause) {
          EXPECT_EQ(value.state, living) << "the listener hears of a value that is gone";
          EXPECT_TRUE(heard_.insert(value.id).second) << value.id << " left twice";
          order_[key].push_back(value.id);
          local::schedule_point();
        })
                                 : nullptr) {}

  static std::size_t hash_of(int key) noexcept { return mix64(static_cast<std::uint64_t>(key)); }

  put_result put(int key, int id, const entry_meta& meta = {}) {
    const put_result result = engine_.put(key, hash_of(key), id, meta, now, [&](const auto& current) {
      if (current) replaced_[key].push_back(current.value().id);
      return true;
    });
    engine_.tidy();
    return result;
  }
  bool put_if_absent(int key, int id) {
    const auto none = [](const auto& current) { return !current; };
    const bool done = engine_.put(key, hash_of(key), id, {}, now, none) == put_result::inserted;
    engine_.tidy();
    return done;
  }
  /// The id; 0 when nothing is there. What was found stays while it is looked at.
  int get(int key, int looks = 1) {
    const local::epoch_domain::quick_guard quick{engine_.epochs()};
    const auto guard = engine_.pin();  // does nothing under a quick one
    const std::size_t hash = hash_of(key);
    const auto found = engine_.find(key, hash);
    if (!found) return 0;
    const int id = found.value().id;
    for (int i = 0; i != looks; ++i) {
      local::schedule_point();
      EXPECT_EQ(found.value().state, living) << "key " << key << " was destroyed while it was read";
      EXPECT_EQ(found.value().id, id);
      EXPECT_EQ(found.key(), key);
    }
    engine_.use(found, found.header->now(), hash);
    return id;
  }
  bool erase(int key) {
    const bool gone = engine_.erase(key, hash_of(key), now, removal_cause::invalidated);
    engine_.tidy();
    return gone;
  }
  void tidy() { engine_.tidy_all(); }
  engine_type& engine() { return engine_; }

  /// At rest: everything adds up, and what has left was heard of once and is destroyed.
  void finish(int stored = -1) {
    engine_.tidy_all();
    engine_.machinery().check();
    engine_.tidy_all();
    engine_.tidy_all();
    EXPECT_EQ(static_cast<std::size_t>(mortal::alive), engine_.size()) << "a value was neither kept nor destroyed";
    EXPECT_TRUE(stored < 0 || heard_.size() + engine_.size() == static_cast<std::size_t>(stored));
  }
  /// What has left, in the order in which the listener heard of it, and in that in which it was replaced.
  const std::vector<int>& heard(int key) { return order_[key]; }
  const std::vector<int>& replaced(int key) { return replaced_[key]; }

 private:
  std::set<int> heard_;
  std::map<int, std::vector<int>> order_;
  std::map<int, std::vector<int>> replaced_;
  engine_type engine_;
};

inline store_options options(std::size_t capacity, std::size_t batch = 1,
                             eviction_policy policy = eviction_policy::fifo) {
  return {.capacity = capacity, .policy = policy, .seed = 1, .shards = 1, .batch = batch};
}

}  // namespace seawall::schedules

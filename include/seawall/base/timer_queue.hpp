// Callbacks ordered by their time. Single-threaded: the clock that owns it locks around it.
#pragma once

#include "seawall/base/clock.hpp"

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

namespace seawall {

class timer_queue {
 public:
  clock::timer_id add(time_point when, clock::callback fn) {
    const clock::timer_id id = ++last_id_;
    times_.emplace(id, when);
    callbacks_.emplace(std::pair{when, id}, std::move(fn));
    return id;
  }

  /// The callback of a timer that has not run, or an empty function.
  clock::callback remove(clock::timer_id id) {
    const auto found = times_.find(id);
    if (found == times_.end()) return {};
    auto node = callbacks_.extract(std::pair{found->second, id});
    times_.erase(found);
    return std::move(node.mapped());
  }

  /// The earliest time, or `never`. A timer set to `never` does not count.
  time_point next() const { return callbacks_.empty() ? never : callbacks_.begin()->first.first; }

  /// Takes out the earliest callback; timers of one moment leave in the order they came.
  /// Requires: next() != never.
  clock::callback take_first() {
    auto node = callbacks_.extract(callbacks_.begin());
    times_.erase(node.key().second);
    return std::move(node.mapped());
  }

 private:
  clock::timer_id last_id_ = 0;
  std::map<std::pair<time_point, clock::timer_id>, clock::callback> callbacks_;
  std::unordered_map<clock::timer_id, time_point> times_;
};

}  // namespace seawall

// What the core of a cache tells the machines that drive a call. Part of core.hpp.
#pragma once

#include "seawall/cache/policy.hpp"
#include "seawall/local/entry.hpp"
#include "seawall/metrics/cache_stats.hpp"

#include <cstdint>

namespace seawall {

template <class Core>
class prefix_invalidation;
template <class Core>
class put_call;

/// What the cache has for a key at one moment. `value` is null for a cached absence.
template <class V>
struct lookup {
  standing is = standing::missing;
  value_ptr<V> value{};
  time_point written{};
  std::uint64_t version = 0;  ///< 0: none is known.

  bool servable() const noexcept {
    return is == standing::fresh || is == standing::refresh_due || is == standing::stale;
  }
};

/// Whether what was found in the process is a hit: it is counted then, and told to `report`.
template <class Core, class Q, class V>
bool answer_hit(Core& core, const Q& key, const lookup<V>& found, served* report) {
  if (found.is != standing::fresh) return false;
  core.count(core.class_of(key), found.value ? cache_counter::hits : cache_counter::negative_hits);
  if (report) *report = {served_from::process, served_why::hit, core.time().now() - found.written, found.version};
  return true;
}

/// What became of a request to load a key.
enum class admitted {
  leads,     ///< A flight was opened; the caller must bring it to an end.
  joins,     ///< A flight was there; the waiter was added to it.
  busy,      ///< A flight was there and the caller did not want to wait.
  answered,  ///< Somebody else had filled the entry in the meantime.
  refused,   ///< Back-off, overload, recursion, or the cache is closed: the error says which.
};

/// How a load ended, as its leader sees it.
enum class fate {
  accepted,    ///< Stored if it could be, and handed to all waiters. A failure is accepted too.
  superseded,  ///< An invalidation or a write came during the load.
  late,        ///< The flight had been given up before.
  filling,     ///< The value went to the shared tier, whose answer ends the flight.
};

}  // namespace seawall

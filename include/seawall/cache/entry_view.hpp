// What `cache::peek` shows of an entry.
#pragma once

#include "seawall/local/entry.hpp"

namespace seawall {

template <class V>
struct entry_view {
  value_ptr<V> value;   ///< Null: a cached absence.
  bool fresh;           ///< False: kept to be served stale, or for a failing source.
  duration age;         ///< Since it was loaded or confirmed, in whichever process.
  duration fresh_for;   ///< Until it turns stale; 0 when it is; `forever` without a TTL.

  static entry_view of(const local::entry<V>& item, time_point now) {
    const bool is_fresh = now < item.times.fresh_until;
    const duration left = item.times.fresh_until == never ? forever : item.times.fresh_until - now;
    return {item.value, is_fresh, now - item.times.written, is_fresh ? left : duration::zero()};
  }
};

}  // namespace seawall

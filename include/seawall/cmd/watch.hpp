// Optimistic locking: for connections of one's own (redis::session).
// Thread safety: pure functions.
#pragma once

#include "seawall/cmd/builder.hpp"

namespace seawall::cmd {

/// WATCH: the next transaction on this connection fails with errc::watch_failed if one of the keys changes before it.
template <key_argument... K>
command<ok> watch(const K&... keys) {
  return builder{"WATCH"}.keys(keys...);
}

/// UNWATCH: forgets them.
inline command<ok> unwatch() { return builder{"UNWATCH"}; }

}  // namespace seawall::cmd

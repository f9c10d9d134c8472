// What cache::invalidate_prefix and remote_tier::remove_prefix are told, and what they tell.
//
//     auto gone = users.invalidate_prefix("list:", {.count = 500, .pause = 1ms});
//     if (!gone) return gone.error();      // the server's, or of the way to it: what was removed is removed
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/cache/shared_format.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>

namespace seawall {

/// How far a removal has come.
struct prefix_removal {
  std::uint64_t scanned = 0;  ///< Keys of the database that were looked at: about so many, some more than once.
  std::uint64_t total = 0;    ///< That there were when it began (DBSIZE); 0: the server does not say.
  std::uint64_t removed = 0;  ///< Keys that were there and are not any more, leases and records included.
  std::uint64_t removed_here = 0;  ///< Entries of a cache that were in this process; not of remove_prefix.
  bool done = false;          ///< To the end; false: it was stopped.
};

struct prefix_options {
  /// Keys that one SCAN looks at, about: 1 to 10,000. The server does nothing else meanwhile.
  std::int64_t count = 500;
  duration pause{};          ///< Between two steps: `count` divided by it is the rate. Not negative.
  /// Called after each step, on the thread that removes. If it throws, so does the call.
  std::function<void(const prefix_removal&)> on_progress = nullptr;
  std::stop_token stop = {};  ///< Looked at between two steps, and during the pause.
  /// Of remote_tier::remove_prefix; a cache knows its own. `plain`: leases lie beside the keys, and go before them,
  /// which takes a second walk.
  shared_format format = shared_format::framed;
};

}  // namespace seawall

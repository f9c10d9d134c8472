// retry: what to do with a command whose connection broke, or which the server refused before running it.
#pragma once

#include "seawall/cmd/error.hpp"
#include "seawall/cmd/request.hpp"

#include <cstdint>

namespace seawall::redis {

/// After the connection broke: may the command be written once more?
constexpr bool may_repeat(cmd::effect effect, bool written, int attempts, int max_retries) noexcept {
  if (!written) return true;  // surely not applied, and not an attempt
  if (attempts >= max_retries) return false;
  return effect == cmd::effect::read || effect == cmd::effect::write_last;
}

/// What an error reply asks of the client. All of these say that the command was not applied, so that even an INCR may
/// be sent again.
enum class remedy : std::uint8_t {
  none,       ///< The error is the answer.
  later,      ///< Same server, after a pause: LOADING, TRYAGAIN, BUSY of a cluster bus.
  elsewhere,  ///< This server has lost its role: READONLY, MASTERDOWN; look for the primary, then again.
  moved,      ///< Another server, for good: the map of slots is out of date.
  ask,        ///< Another server, this time.
  cluster,    ///< CLUSTERDOWN: refresh the map, then again after a pause.
};

constexpr remedy remedy_for(cmd::errc code) noexcept {
  switch (code) {
    case cmd::errc::loading:
    case cmd::errc::try_again: return remedy::later;
    case cmd::errc::read_only:
    case cmd::errc::master_down: return remedy::elsewhere;
    case cmd::errc::moved: return remedy::moved;
    case cmd::errc::ask: return remedy::ask;
    case cmd::errc::cluster_down: return remedy::cluster;
    default: return remedy::none;
  }
}

}  // namespace seawall::redis

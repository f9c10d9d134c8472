// What is given back when it is not needed any more. Nobody waits for these: what is not released ends by itself.
#pragma once

#include "core.hpp"

#include <memory>
#include <string>

namespace seawall::tier {

/// Sends a command that gives something back, and forgets it.
void release_by(const std::shared_ptr<core>& of, cmd::any_command what);
/// Gives a lease back, so that others need not wait for its end.
void release_lease(const std::shared_ptr<core>& of, std::string key, const tier_nonce& lease);
/// Gives the right to refresh a key back.
void release_lock(const std::shared_ptr<core>& of, std::string key);

/// The command that gives the right to refresh a key back, as the server has it.
cmd::any_command unlock_command(const core& of, std::string_view key);

}  // namespace seawall::tier

// The Lua programs that a tier runs on its server. Each touches one key, and of what is stored only the header
// (entry_format.hpp).
//
// A server that is out of memory refuses a program's first write if it takes memory, so those that must get through
// delete first. Versions are compared byte by byte: a Lua number would lose the low bits.
// Thread safety: pure functions; the programs may be used by any threads.
#pragma once

#include "seawall/cmd/scripting.hpp"

namespace seawall::tier {

/// KEYS: the record of the reign; ARGV: a number of 8 bytes, the reign that begins if none goes on. Answers the reign
/// (8 bytes), the server's clock (milliseconds since 1970) and a text that changes whenever the server becomes a
/// primary again, or the error READONLY if it is none. A reign goes on as long as the server's process does, if it was
/// no replica meanwhile; in a cluster, as long as the record's slot stays with it.
const cmd::script& beat_script();

/// KEYS: the key; ARGV: the first 48 bytes that were seen there, a lease, milliseconds.
/// Replaces what is there by the lease if it is still what was seen; the floor of what was there stays. Answers 1 or 0.
const cmd::script& takeover_script();

/// KEYS: the key; ARGV: a nonce, the bytes of an entry, milliseconds (0: no end).
/// Stores the entry over the lease, or the entry, with that nonce and of the same reign. Answers 1, 0 (something else
/// is there) or -1 (the entry is older than what it may replace).
const cmd::script& fill_script();

/// KEYS: the key; ARGV: the bytes of an entry, milliseconds (0: no end).
/// Replaces an older entry of the same reign, and raises the floor of a lease. What cannot be compared goes. Answers 1
/// if it was stored, else 0.
const cmd::script& put_script();

/// KEYS: the key; ARGV: a nonce. Removes the lease with that nonce. Answers how many keys it removed.
const cmd::script& release_script();

/// KEYS: the key; ARGV: its value. Removes the key if that is its value. Answers how many keys it removed.
const cmd::script& unlock_script();

}  // namespace seawall::tier

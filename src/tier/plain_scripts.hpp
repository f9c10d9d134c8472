// The Lua programs for keys whose values are stored plain. A lease lies beside the key, and says what may be replaced:
//
//   at | bytes   | what
//   ---|---------|-----------------------------------------------------------------------------------------------
//    0 |      12 | nonce
//   12 |       8 | reign: the generation of the primary under which it was taken
//   20 | 0 or 40 | SHA-1, in hexadecimal, of the value that was there; without one, the key was not
//
// Thread safety: pure functions; the programs may be used by any threads.
#pragma once

#include "seawall/cmd/scripting.hpp"

namespace seawall::tier {

/// KEYS: the key, its lease; ARGV: nonce and reign, milliseconds, "1" if what is there may be replaced, else "0".
/// Takes the lease, also if it is one's own already. Answers 1, or 0: it is another's, or the key holds something.
const cmd::script& plain_claim_script();

/// KEYS: the key, its lease, the record of the reign; ARGV: a nonce, a value, milliseconds (0: no end).
/// Stores the value if the lease has that nonce, its reign goes on, and the key holds what it held when the lease was
/// taken; ends the lease. Answers 1 or 0.
const cmd::script& plain_fill_script();

/// KEYS: a lease; ARGV: a nonce. Removes it if it has that nonce. Answers how many keys it removed.
const cmd::script& plain_release_script();

}  // namespace seawall::tier

// cluster_keys: the keys of an encoded command, and the slot that they lie in.
#pragma once

#include "seawall/cmd/request.hpp"
#include "seawall/redis/cluster_slot.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace seawall::redis {

/// The places of the keys among the arguments of a command (0 is its name), by `cmd::traits`. Places beyond the last
/// argument are left out: what is wrong with such a command, the server says.
std::vector<std::uint32_t> key_places(const cmd::request& asked);

struct key_slots {
  enum class kind : std::uint8_t { none, one, several };
  kind what = kind::none;
  slot_number slot = 0;            // of the first key
  std::string_view first_key{};
  std::string_view other_key{};    // one in another slot, if there are several
};

/// Whether the keys of the command lie in one slot. Of a transaction only the command at `keyed_at` is looked at.
key_slots slots_of(const cmd::request& asked);

}  // namespace seawall::redis

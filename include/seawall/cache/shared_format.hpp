// shared_format: how the values of a cache are stored in its shared tier.
#pragma once

#include <cstdint>

namespace seawall {

/// All programs that share a cache must agree.
enum class shared_format : std::uint8_t {
  framed,  ///< As entries: with a header that says when, under which lease, version, tags and type they were stored.
  plain,   ///< The bytes that the value's codec writes and nothing else, so that any program can read and write them.
};

}  // namespace seawall

// scanner: finds where frames end in a stream of RESP bytes, and proves that they are well formed.
#pragma once

#include "seawall/base/result.hpp"
#include "seawall/resp/kind.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace seawall::resp {

/// Splits a byte stream into frames: one top-level value each, the attributes before it included. Incremental: every
/// byte is looked at once, however the stream is cut into pieces. Performs no I/O and keeps no bytes.
/// RESP2 and RESP3, streamed strings and aggregates included.
/// Thread safety: none.
class scanner {
 public:
  explicit scanner(const limits& most = {}) : limits_(most) {}

  /// `stream` begins where the present frame begins and holds all bytes of it that are there; between two calls it may
  /// grow and move, not change. Returns the length of the frame when it is complete (the next call begins behind it),
  /// and 0 when more bytes are needed.
  /// An error (errc::protocol) says at which byte of the frame what came instead of what; the stream is lost.
  result<std::size_t> scan(std::string_view stream);

  /// At least this many bytes of the present frame must be there before `scan` can get further: the end of the bulk
  /// string that is arriving. A reader may wait for them without calling `scan`.
  std::size_t needed() const noexcept { return needed_; }

  /// Whether the frame that `scan` found last holds a streamed string or aggregate: `view` wants `normalized` bytes.
  bool streamed() const noexcept { return streamed_; }

  /// Forgets a frame that was begun: for a new connection.
  void reset() noexcept;

 private:
  limits limits_;
  std::size_t needed_ = 0;
  bool streamed_ = false;
};

}  // namespace seawall::resp

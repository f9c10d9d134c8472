// What can be tuned of a tier: when payloads are compressed, when the breaker opens, how many invalidations wait.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace seawall::tier {

/// When payloads are stored as a zstd frame: if they are longer than `above` and get shorter by it.
struct compression {
  std::size_t above = 1024;  ///< Bytes; the largest number: never.
  int level = 1;             ///< Of zstd: negative is faster, above 3 is slower; what zstd does not have is clamped.
};

/// When calls to a store that fails are given up before they are made. Closed: all calls go. Open: none does, for a
/// while that doubles with each attempt that fails. Half-open: one does, and closes or opens the breaker.
struct breaker_options {
  bool enabled = true;               ///< False: all calls go, always.
  std::uint32_t in_a_row = 5;        ///< Opens after that many failures without a success between them; 0: never so.
  double failure_ratio = 0.5;        ///< Opens if so many of the calls in `window` failed, in (0, 1]; 0: never so.
  std::uint32_t least_calls = 20;    ///< For the ratio: fewer calls than that in `window` say nothing.
  duration window = std::chrono::seconds{10};            ///< It slides in steps of a tenth of it.
  duration first_pause = std::chrono::milliseconds{100};  ///< How long it is open first, less up to half by chance.
  duration most_pause = std::chrono::seconds{5};          ///< What the doubled pause is at most.
};

/// An error that names the field which is out of its limits.
result<void> validate(const breaker_options& how);

enum class breaker_state : std::uint8_t { closed, open, half_open };

/// Totals since the breaker was made.
struct breaker_counters {
  std::uint64_t opened = 0;     ///< Times that it went from closed to open.
  std::uint64_t probes = 0;     ///< Calls that went while it was half-open.
  std::uint64_t refused = 0;    ///< Calls that did not go.
  std::uint64_t succeeded = 0;  ///< Calls that went and succeeded.
  std::uint64_t failed = 0;     ///< Calls that went and failed.
};

/// How a tier hears of changes that other processes make.
enum class feed_mode : std::uint8_t {
  tracking,   ///< The server remembers who has read what, and tells in order with its answers: see redis/tracking.hpp.
  broadcast,  ///< The server tells of all changes of the caches' keys: it remembers nothing, and tells more.
  pub_sub,    ///< Whoever changes a key publishes it: for servers and proxies that know no CLIENT TRACKING.
  none,       ///< Not at all.
};

/// How many invalidations that could not be delivered are kept as keys, before all keys of a cache count as invalid.
struct undelivered_limits {
  std::size_t keys = 100'000;
  std::size_t bytes = std::size_t{16} << 20;  ///< Of the keys themselves; each takes about 150 bytes more.
};

}  // namespace seawall::tier

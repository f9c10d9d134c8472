// What a write-behind is told: when a write counts as accepted, where the log lies, how batches are made, when callers
// wait. Everything has a default but the directory of the log.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace seawall {

/// What has happened when `put` returns.
enum class acknowledged {
  memory,     ///< The process knows it. The end of the process takes it, unless it was closed.
  local_log,  ///< The log has it: it survives the process and, by `sync`, the machine.
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // GCC 12: sync::never "shadows" seawall::never

/// When the log is on the disk, and not merely in the memory of the operating system.
enum class sync {
  group,         ///< Before `put` returns. Writers that wait at the same time share one sync.
  each = group,  ///< The same.
  interval,      ///< Every `sync_every`: a crash of the machine, not of the process, takes what came later. After one
                 ///< that failed, as `group` until one succeeds.
  never,         ///< When the operating system likes.
};

#pragma GCC diagnostic pop

struct write_log_options {
  std::string directory = {};               ///< Created if need be; of one write-behind and one process at a time.
  seawall::sync sync = seawall::sync::group;
  duration sync_every = std::chrono::seconds{1};          ///< 1 ms or more; of sync::interval
  std::size_t segment_bytes = std::size_t{64} << 20;      ///< 4 KiB or more; what is longer is followed by a new file
  /// Opens a log that has damage: what cannot be read is left out, and the files with damage are put aside.
  bool repair = false;
};

struct write_batch_options {
  std::size_t most = 500;                                 ///< operations, 1 or more
  std::size_t most_bytes = std::size_t{8} << 20;          ///< of keys and values; one operation may be more
  duration linger = std::chrono::milliseconds{20};        ///< how long an operation may wait for others
};

struct write_retry_options {
  duration first = std::chrono::milliseconds{20};         ///< the pause after a failure, doubled with each further one
  duration longest = std::chrono::seconds{30};
  /// An operation that has failed so often by itself, while others succeeded, becomes a dead letter. 1 or more.
  unsigned attempts = 10;
};

/// What becomes of a write that finds the backlog full.
enum class when_full {
  wait,           ///< It waits for room, at most until its deadline.
  write_through,  ///< It is taken all the same, in its order, and returns when the source has it.
};

struct write_receipt {
  std::uint64_t sequence = 0;  ///< greater than that of every write before it
  bool applied = false;        ///< the source has it already
};

/// Numbers of one write-behind; counters begin at 0 with the process.
struct write_behind_stats {
  std::uint64_t accepted = 0;        ///< writes acknowledged
  std::uint64_t refused = 0;         ///< writes that got an error
  std::uint64_t coalesced = 0;       ///< operations that a later one of the key has replaced before they were applied
  std::uint64_t applied = 0;         ///< operations in batches that succeeded
  std::uint64_t batches = 0;         ///< that succeeded
  std::uint64_t failed_batches = 0;
  std::uint64_t buried = 0;          ///< operations that became dead letters
  std::uint64_t dead_letters = 0;    ///< that are kept now
  std::uint64_t backlog = 0;         ///< operations that wait, or are being applied
  std::uint64_t backlog_bytes = 0;   ///< of their keys and values
  duration lag{};                    ///< the age of the oldest of them
  std::uint64_t log_bytes = 0;
  std::uint64_t log_segments = 0;
  std::uint64_t commits = 0;         ///< groups that went to the log
  std::uint64_t syncs = 0;
  std::uint64_t failed_syncs = 0;
  std::uint64_t failed_checkpoints = 0;
  duration sync_time{};              ///< of all syncs together
  duration longest_sync{};
  std::uint64_t recovered = 0;       ///< operations that opening found in the log
  std::uint64_t torn_bytes = 0;      ///< that opening dropped: writes which a crash had cut off
  std::uint64_t lost_records = 0;    ///< that a repair could not read
};

}  // namespace seawall

// What a write-behind is told: when a write counts as accepted, where the log lies, how batches are made, when callers
// wait. Everything has a default but the directory of the log, or client and name of the stream.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace seawall {

namespace redis {
class client;
}

namespace source {

/// A handle of a client of Redis or Valkey, made from one: `.client = *redis`. Copies share the client.
class redis_handle {
 public:
  redis_handle() noexcept = default;
  redis_handle(const redis::client& client);
  bool is_given() const noexcept { return client_ != nullptr; }
  /// Requires: it was given.
  redis::client& get() const noexcept { return *client_; }

 private:
  std::shared_ptr<redis::client> client_;
};

}  // namespace source

/// What has happened when `put` returns.
enum class acknowledged {
  memory,     ///< The process knows it. The end of the process takes it, unless it was closed.
  local_log,  ///< The log has it: it survives the process and, by `sync`, the machine.
  redis,      ///< A stream in Redis has it: it survives the process and its machine, and Redis as Redis is configured.
  redis_replicated,  ///< So do `redis.replicas` replicas of it.
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

/// Of acknowledged::redis and redis_replicated. Needs Redis 5 or newer; the user needs XADD, XREADGROUP, XGROUP, XACK,
/// XDEL, XRANGE, GET, SET, DEL, PEXPIRE, TIME, INFO, HSET, HGET, HVALS, HEXISTS, HLEN, HDEL, EVAL, EVALSHA and WAIT, on
/// keys "{stream:*".
struct write_redis_options {
  source::redis_handle client = {};  ///< Standalone, Sentinel or Cluster. Shared with the program; not to be closed.
  /// What all processes that write the same rows have in common: 1 to 200 bytes without braces.
  std::string stream = {};
  /// Streams, 1 to 1024, the same in all processes. Each is drained by one process at a time, in a cluster it lies in a
  /// slot of its own. It may be changed when the streams are empty.
  unsigned partitions = 1;
  unsigned replicas = 1;             ///< 1 to 100; redis_replicated: that have a write when it is acknowledged
  duration replica_timeout = std::chrono::milliseconds{500};  ///< 1 ms to 1 h: how long they may take
  duration lease = std::chrono::seconds{10};      ///< 100 ms to 1 h: silence after which another process takes over
  duration poll = std::chrono::milliseconds{50};  ///< 1 ms or more: how often others' news are asked for
};

struct write_batch_options {
  std::size_t most = 2000;                                ///< operations, 1 or more
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
  std::uint64_t recovered = 0;       ///< operations that opening, or a take-over, found
  std::uint64_t torn_bytes = 0;      ///< that opening dropped: writes which a crash had cut off
  std::uint64_t lost_records = 0;    ///< that a repair could not read
  std::uint64_t drained_partitions = 0;  ///< of a stream, by this process, now
  std::uint64_t take_overs = 0;      ///< leases of partitions that this process was given
  std::uint64_t lost_leases = 0;     ///< that ended before it gave them back
};

}  // namespace seawall

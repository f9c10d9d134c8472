// write_engine: a write-behind of encoded keys and values: the log, the queue and the two threads behind
// seawall::write_behind, which is what programs use.
// Thread safety: every member may be called from any thread at once.
#pragma once

#include "seawall/base/clock.hpp"
#include "seawall/base/log.hpp"
#include "seawall/base/result.hpp"
#include "seawall/metrics/counter_source.hpp"
#include "seawall/source/stored_operation.hpp"
#include "seawall/source/write_behind_options.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::source {

struct stored_letter {
  operation_ptr operation = nullptr;
  std::string reason = {};
  unsigned attempts = 0;
  std::chrono::system_clock::time_point at = {};
};

struct engine_options {
  std::string name;
  seawall::acknowledged acknowledged = seawall::acknowledged::local_log;
  write_log_options log = {};
  write_redis_options redis = {};
  write_batch_options batch = {};
  write_retry_options retry = {};
  seawall::when_full when_full = seawall::when_full::wait;
  std::size_t most_backlog = 0;
  std::size_t most_backlog_bytes = 0;
  std::size_t most_operation_bytes = 0;
  std::size_t most_dead_letters = 0;
  log_hook on_log = nullptr;
};

/// An error that names the field which is out of its limits.
result<void> validate(const engine_options& how);

/// What the engine calls, from its own threads and that of open_write_engine, and never under a lock. What `write`
/// throws is its failure; an exception of the others goes to the log hook, and one of that hook is dropped.
struct engine_hooks {
  std::function<result<void>(std::span<const operation_ptr>)> write;
  std::function<bool(const error&)> is_permanent;
  /// Their keys have another value from now on: the source has them, or they have become dead letters, and when this
  /// has returned they are no longer pending, and the log may forget them; or opening has found them; or they were
  /// accepted when their caller had left with timed_out.
  std::function<void(std::span<const operation_ptr>)> settled;
};

/// How many of the operations that a flush waits for are done.
using flush_progress = std::function<void(std::size_t done, std::size_t of)>;

class write_engine : public counter_source {
 public:
  virtual result<write_receipt> submit(bool removed, std::string key, std::string value, duration limit) = 0;
  virtual operation_ptr pending(std::string_view key) const = 0;
  virtual result<void> flush(duration limit, const flush_progress& progress) = 0;
  virtual result<void> close(duration limit) = 0;
  virtual write_behind_stats stats() const = 0;

  virtual std::vector<stored_letter> letters() const = 0;
  virtual result<void> replay(std::uint64_t sequence) = 0;
  virtual result<void> discard(std::uint64_t sequence) = 0;
};

class file_layer;

/// Starts the threads, after it has read a local log; a stream is read when its lease is held. `files`: the machine's
/// own if null.
result<std::shared_ptr<write_engine>> open_write_engine(engine_options how, engine_hooks hooks,
                                                        std::shared_ptr<file_layer> files = nullptr);

}  // namespace seawall::source

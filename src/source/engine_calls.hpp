// engine_calls: what a write engine calls of its user: the writer, the judge of its errors, the caches, the log hook.
// What they throw ends here.
// Thread safety: const members from any thread; the writer is called by one thread at a time.
#pragma once

#include "seawall/source/write_engine.hpp"

#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace seawall::source {

class engine_calls {
 public:
  engine_calls(std::string name, log_hook on_log, engine_hooks hooks)
      : name_(std::move(name)), on_log_(std::move(on_log)), hooks_(std::move(hooks)) {}

  /// An exception of the writer is errc::loader_failed.
  result<void> write(std::span<const operation_ptr> batch);
  /// Their keys have another value from now on.
  void tell(std::span<const operation_ptr> operations) const;
  /// Whether the error says that trying again is of no use.
  bool is_refusal(const error& failure) const;
  void say(log_level level, const std::string& text) const;

 private:
  const std::string name_;
  const log_hook on_log_;
  const engine_hooks hooks_;
  std::mutex writing_;
};

/// The numbers that every engine exports.
counter_set counters_of(const std::string& name, const write_behind_stats& read);

}  // namespace seawall::source

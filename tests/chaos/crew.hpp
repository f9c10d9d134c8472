// crew: the worker processes of a run, as the driver starts, kills and freezes them.
#pragma once

#include "schedule.hpp"
#include "truth.hpp"

#include "servers/process.hpp"

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace chaos {

/// Thread safety: all members.
class crew {
 public:
  /// `file` is the shared one; its folder gets what the workers print.
  crew(truth& shared, std::filesystem::path program, std::filesystem::path file);

  void start_all();
  /// SIGKILL.
  void kill(std::size_t which);
  void start(std::size_t which);
  void freeze(std::size_t which);
  void thaw(std::size_t which);
  /// What went wrong with a worker that has ended by itself, if one has.
  std::optional<std::string> failure();
  /// Waits until all workers have reached the end of the phase; says who has not in time.
  std::optional<std::string> wait_for(phase stage, std::chrono::milliseconds most);
  /// Waits for their end.
  std::optional<std::string> wait_for_end(std::chrono::milliseconds most);

  std::vector<fault> faults();
  /// What the worker and its forerunners have printed.
  std::string printed(std::size_t which) const;

 private:
  std::filesystem::path log_of(std::size_t which) const;

  truth& shared_;
  const std::filesystem::path program_;
  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<seawall::servers::process> processes_;  // guarded by mutex_
  std::vector<bool> killed_;                          // guarded by mutex_
};

}  // namespace chaos

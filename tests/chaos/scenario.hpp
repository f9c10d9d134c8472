// scenario: what a run proves of the sources, beside the topologies of the shared tier. Each prints its summary, and
// answers whether every promise held. All throw std::runtime_error.
#pragma once

#include "settings.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace chaos {

/// Change capture: caches over a shared tier, a database that a stranger changes, and everything is killed in turn.
bool run_capture(const settings& how, const std::filesystem::path& program);
/// Write-behind with a log: its process is killed, and PostgreSQL, if there is one; and Redis, if the log is there.
bool run_write_behind(const settings& how);
/// Of these the levels redis and redis_replicated.
bool run_shared_write_behind(const settings& how);

/// A line of progress on stderr: several in a second at a terminal, else one in ten seconds.
class progress_line {
 public:
  explicit progress_line(bool verbose);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// Whether it is time for one.
  bool due() noexcept;
  void show(const std::string& text) const;

 private:
  const bool terminal_;
  std::int64_t next_ = 0;
};

}  // namespace chaos

// victim_process: a program that is killed, and whose output is read, also what it left in the pipe.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace kills {

class victim_process {
 public:
  /// Throws std::runtime_error if it cannot be started.
  explicit victim_process(std::vector<std::string> command);
  victim_process(const victim_process&) = delete;
  victim_process& operator=(const victim_process&) = delete;
  ~victim_process();

  /// The next line; empty at the end of the output.
  std::string line();
  /// Whether `line` has an answer without waiting.
  bool has_line();
  /// SIGKILL.
  void kill() const noexcept;
  /// SIGSTOP and SIGCONT.
  void stop() const noexcept;
  void go_on() const noexcept;
  /// Waits for its end: the exit status, or minus the signal.
  int end() noexcept;

 private:
  bool read_more();

  pid_t process_ = 0;
  int output_ = -1;
  std::string text_;
};

}  // namespace kills

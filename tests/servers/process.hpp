// process: a program that a test starts, signals, and surely ends.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace seawall::servers {

/// A child process. It is killed (SIGKILL) when its owner is destroyed, and by the kernel when the test process dies in
/// whatever way. It inherits nothing but the environment: no file descriptor, no signal mask.
/// Thread safety: none; any thread may start one.
class process {
 public:
  process() = default;
  /// Starts `command[0]` (a path, not searched for) in `directory`; what it prints is appended to `log`.
  /// Throws std::runtime_error if it cannot be executed.
  process(std::vector<std::string> command, const std::filesystem::path& directory, const std::filesystem::path& log);
  ~process() { kill(); }
  process(process&& other) noexcept;
  process& operator=(process&& other) noexcept;

  /// 0 when there is none, or when it has ended and its end was seen.
  pid_t pid() const noexcept { return pid_; }
  /// A stopped process runs, too.
  bool running() { return pid_ != 0 && !wait(std::chrono::milliseconds{0}); }
  void signal(int number) const;
  /// SIGKILL, and waits until it is gone. No effect on a process that has ended.
  void kill();
  /// The status as waitpid(2) gives it; std::nullopt if it still runs after `most`.
  std::optional<int> wait(std::chrono::milliseconds most);

 private:
  pid_t pid_ = 0;
  int status_ = 0;
};

/// The path of a program in PATH, if there is one that may be executed. A name with a slash is taken as a path.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace seawall::servers

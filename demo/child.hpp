// A program that runs beside this one, and ends with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seawall::demo {

struct child_options {
  int inherit = -1;          ///< a descriptor that it gets under the same number
  bool own_group = false;    ///< out of reach of the terminal's Ctrl-C
  std::string output = {};   ///< a file for what it prints; empty: where this program prints
};

class child {
 public:
  /// Starts `command[0]`, the path of a program. Throws std::system_error. To be called by a thread that lives as long
  /// as the child is to live: the kernel kills the child when that thread ends in any way.
  child(const std::vector<std::string>& command, const child_options& how);
  /// Kills it, unless it has ended.
  ~child();
  child(child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}
  child& operator=(child&&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Whether it has not ended yet.
  bool running();
  /// Asks it to end (SIGTERM), and kills it if it has not within `most`.
  void end(std::chrono::milliseconds most);
  /// Waits for its end; whether it came within `most`.
  bool wait(std::chrono::milliseconds most);
  /// "was ended by signal 9 (Killed)" or "ended with status 1", once it is not running.
  std::string how_it_ended() const;
  /// It has ended by itself, with status 0.
  bool ended_well() const noexcept;

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Where a program is: `name` is looked for in PATH, unless it has a slash.
std::optional<std::filesystem::path> find_program(const std::string& name);

}  // namespace seawall::demo

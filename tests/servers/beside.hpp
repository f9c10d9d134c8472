// run_beside: a program that runs while a server of the caller's does.
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

namespace seawall::servers {

/// The status of a test that ctest counts as skipped.
inline constexpr int skipped = 77;

/// Runs `command` to its end; its status, or 2 if it has none.
inline int run_beside(char** command) {
  pid_t child = 0;
  if (posix_spawn(&child, command[0], nullptr, nullptr, command, environ) != 0) {
    std::cerr << "cannot run " << command[0] << '\n';
    return 2;
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 2;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::cerr << command[0] << " ended by signal " << WTERMSIG(status) << '\n';
  return 2;
}

}  // namespace seawall::servers

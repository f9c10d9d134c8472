#include "victim_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

extern char** environ;

namespace kills {

victim_process::victim_process(std::vector<std::string> command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for " + command.front());
  output_ = ends[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> pointers;
  for (std::string& each : command) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const int failure = ::posix_spawn(&process_, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failure == 0) return;
  ::close(output_);
  throw std::runtime_error("cannot run " + command.front());
}

victim_process::~victim_process() {
  ::close(output_);
  if (process_ <= 0) return;
  kill();
  end();
}

std::string victim_process::line() {
  std::size_t end = 0;
  while ((end = text_.find('\n')) == std::string::npos) {
    char piece[4096];
    const ssize_t got = ::read(output_, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    text_.append(piece, static_cast<std::size_t>(got));
  }
  std::string first = text_.substr(0, end);
  text_.erase(0, end + 1);
  return first;
}

void victim_process::kill() const noexcept { ::kill(process_, SIGKILL); }

int victim_process::end() noexcept {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {}
  process_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace kills

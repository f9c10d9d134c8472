#include "victim_process.hpp"

#include <fcntl.h>
#include <poll.h>
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

// False: the end.
bool victim_process::read_more() {
  char piece[4096];
  ssize_t got = 0;
  do got = ::read(output_, piece, sizeof piece);
  while (got < 0 && errno == EINTR);
  if (got > 0) text_.append(piece, static_cast<std::size_t>(got));
  return got > 0;
}

std::string victim_process::line() {
  std::size_t end = 0;
  while ((end = text_.find('\n')) == std::string::npos) {
    if (!read_more()) return {};
  }
  std::string first = text_.substr(0, end);
  text_.erase(0, end + 1);
  return first;
}

bool victim_process::has_line() {
  while (text_.find('\n') == std::string::npos) {
    pollfd output{.fd = output_, .events = POLLIN, .revents = 0};
    if (::poll(&output, 1, 0) != 1) return false;
    if (!read_more()) return true;
  }
  return true;
}

void victim_process::kill() const noexcept { ::kill(process_, SIGKILL); }
void victim_process::stop() const noexcept { ::kill(process_, SIGSTOP); }
void victim_process::go_on() const noexcept { ::kill(process_, SIGCONT); }

int victim_process::end() noexcept {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {}
  process_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace kills

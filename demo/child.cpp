#include "child.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <system_error>
#include <thread>

namespace seawall::demo {
namespace {

constexpr int cannot_execute = 127;

/// Everything is made before the fork: after it, only what is safe in a signal handler is allowed.
struct plan {
  char* const* arguments;
  int inherit;
  bool own_group;
  int output;
  pid_t parent;
};

[[noreturn]] void become(const plan& what) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != what.parent) ::_exit(cannot_execute);  // it died before the line above
  if (what.own_group) ::setpgid(0, 0);
  if (what.inherit >= 0) ::fcntl(what.inherit, F_SETFD, 0);
  if (what.output >= 0) {
    ::dup2(what.output, STDOUT_FILENO);
    ::dup2(what.output, STDERR_FILENO);
  }
  ::execv(what.arguments[0], what.arguments);
  ::_exit(cannot_execute);
}

}  // namespace

child::child(const std::vector<std::string>& command, const child_options& how) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int output = -1;
  if (!how.output.empty()) {
    output = ::open(how.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) throw std::system_error(errno, std::generic_category(), how.output);
  }
  const plan what{arguments.data(), how.inherit, how.own_group, output, ::getpid()};
  pid_ = ::fork();
  if (pid_ == 0) become(what);
  const int why = errno;
  if (output >= 0) ::close(output);
  if (pid_ < 0) throw std::system_error(why, std::generic_category(), command[0]);
}

child::~child() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  wait(std::chrono::seconds(10));
}

bool child::running() {
  if (pid_ < 0 || status_) return false;
  int status = 0;
  const pid_t found = ::waitpid(pid_, &status, WNOHANG);
  if (found == pid_) status_ = status;
  if (found < 0 && errno != EINTR) status_ = 0;
  return !status_;
}

bool child::wait(std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (running()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void child::end(std::chrono::milliseconds most) {
  if (!running()) return;
  ::kill(pid_, SIGTERM);
  if (wait(most)) return;
  ::kill(pid_, SIGKILL);
  wait(most);
}

std::string child::how_it_ended() const {
  const int status = status_.value_or(0);
  if (WIFSIGNALED(status)) {
    return fmt::format("was ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  }
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

bool child::ended_well() const noexcept { return status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0; }

std::optional<std::filesystem::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return std::filesystem::absolute(name);
    return {};
  }
  const char* folders = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  std::istringstream all(folders != nullptr ? folders : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(all, folder, ':');) {
    const auto path = std::filesystem::path(folder) / name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

}  // namespace seawall::demo

#include "servers/process.hpp"
#include "servers/wait.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <future>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace seawall::servers {
namespace {

// Everything a child needs, made before the fork: after it only calls that are safe in a signal handler are allowed.
struct plan {
  char* const* arguments;
  const char* directory;
  int input;
  int output;
  pid_t parent;
};

[[noreturn]] void become(const plan& what) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != what.parent) ::_exit(126);  // it died before the line above
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(what.input, 0);
  ::dup2(what.output, 1);
  ::dup2(what.output, 2);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  if (::chdir(what.directory) == 0) ::execv(what.arguments[0], what.arguments);
  ::_exit(127);
}

// The thread that forks. PR_SET_PDEATHSIG fires when the thread that forked ends, so this one lives as long as the
// process: it is detached, and its object is never destroyed.
class forker {
 public:
  static forker& instance() {
    static auto* only = new forker;
    return *only;
  }

  pid_t fork(const plan& what) {
    std::packaged_task<pid_t()> task{[&what] {
      const pid_t child = ::fork();
      if (child == 0) become(what);
      return child;
    }};
    auto child = task.get_future();
    {
      const std::lock_guard lock{mutex_};
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
    return child.get();
  }

 private:
  forker() {
    std::thread{[this] { run(); }}.detach();
  }

  [[noreturn]] void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      wake_.wait(lock, [this] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<pid_t()>> tasks_;
};

}  // namespace

process::process(std::vector<std::string> command, const std::filesystem::path& directory,
                 const std::filesystem::path& log) {
  if (::access(command.at(0).c_str(), X_OK) != 0) throw std::runtime_error("cannot execute " + command[0]);
  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t child =
      output < 0 ? -1 : forker::instance().fork({arguments.data(), directory.c_str(), input, output, ::getpid()});
  ::close(input);
  if (output >= 0) ::close(output);
  if (child < 0) throw std::runtime_error("cannot start " + command[0] + " with its output in " + log.string());
  pid_ = child;
}

process::process(process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), status_(other.status_) {}

process& process::operator=(process&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, 0);
    status_ = other.status_;
  }
  return *this;
}

void process::signal(int number) const {
  if (pid_ != 0) ::kill(pid_, number);
}

void process::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {}
  pid_ = 0;
}

std::optional<int> process::wait(std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  while (pid_ != 0) {
    if (::waitpid(pid_, &status_, WNOHANG) == pid_) {
      pid_ = 0;
    } else if (std::chrono::steady_clock::now() >= end) {
      return std::nullopt;
    } else {
      pause_between_tries(std::chrono::milliseconds{2});
    }
  }
  return status_;
}

std::optional<std::filesystem::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return std::filesystem::absolute(name);
    return std::nullopt;
  }
  const char* folders = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): tests do not set variables
  std::istringstream all{folders ? folders : "/usr/local/bin:/usr/bin:/bin"};
  for (std::string folder; std::getline(all, folder, ':');) {
    auto path = std::filesystem::path{folder} / name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

}  // namespace seawall::servers

// Programs that the benchmark starts, talks to, and ends by their process id.
#pragma once

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace seawall::bench {

/// The path of a program that PATH leads to.
inline std::optional<std::string> find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (std::filesystem::path(folder) / name).string();
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

/// Keeps this thread, and what it starts from now on, on the processor `cpu` alone, or on all but that one.
inline void pin(int cpu, bool alone) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return;
  for (int i = 0; i != CPU_SETSIZE; ++i) {
    if ((i == cpu) != alone) CPU_CLR(static_cast<std::size_t>(i), &set);
  }
  if (CPU_COUNT(&set) == 0 || sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw std::runtime_error("--pin needs two processors, of which one is number 0");
  }
}

/// A child process with its stdin and stdout at our end. It is killed with the object, or with this process.
class child_process {
 public:
  /// `arguments[0]` is the name that the program sees. `output`: a file for stdout and stderr instead of a pipe and our
  /// stderr. Throws std::runtime_error when nothing could be started; a program that ends at once is seen later.
  child_process(const std::string& path, std::vector<std::string> arguments, bool on_cpu_0 = false,
                const std::string& output = {}) {
    std::array<int, 2> in{-1, -1};
    std::array<int, 2> out{-1, -1};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("no pipe could be made for a child process");
    }
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t parent = getpid();
    id_ = fork();
    if (id_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(127);
      setpgid(0, 0);  // the terminal's Ctrl-C is for this program, which ends it
      const int to = output.empty() ? out[1] : open(output.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
      dup2(in[0], STDIN_FILENO);
      dup2(to, STDOUT_FILENO);
      if (!output.empty()) dup2(to, STDERR_FILENO);
      if (on_cpu_0) pin(0, true);
      execv(path.c_str(), argv.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
    if (id_ < 0) throw std::runtime_error("no child process could be started");
  }

  ~child_process() {
    if (running()) {
      kill(id_, SIGKILL);
      waitpid(id_, nullptr, 0);
    }
    close(to_);
    close(from_);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t id() const noexcept { return id_; }

  bool running() noexcept {
    if (!ended_) ended_ = id_ <= 0 || waitpid(id_, nullptr, WNOHANG) != 0;
    return !ended_;
  }

  /// Sends the signal, and waits for the end; whether it came within `seconds`.
  bool end(int signal, double seconds) {
    if (running()) kill(id_, signal);
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (running() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return !running();
  }

  /// Whether the line was written.
  bool say(const std::string& line) {
    const std::string all = line + "\n";
    return write(to_, all.data(), all.size()) == static_cast<ssize_t>(all.size());
  }

  /// The next line, or nothing when the program ended or stayed silent for `seconds`.
  std::optional<std::string> hear(double seconds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (;;) {
      if (const auto end = heard_.find('\n'); end != std::string::npos) {
        std::string line = heard_.substr(0, end);
        heard_.erase(0, end + 1);
        return line;
      }
      const std::chrono::duration<double, std::milli> left = until - std::chrono::steady_clock::now();
      pollfd ready{.fd = from_, .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count()) + 1) < 0) return std::nullopt;
      if (ready.revents == 0) continue;
      std::array<char, 4096> block{};
      const ssize_t got = read(from_, block.data(), block.size());
      if (got <= 0) return std::nullopt;
      heard_.append(block.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  pid_t id_ = -1;
  int to_ = -1;
  int from_ = -1;
  bool ended_ = false;
  std::string heard_;
};

}  // namespace seawall::bench

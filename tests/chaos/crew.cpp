#include "crew.hpp"

#include "servers/wait.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace chaos {

using namespace std::chrono_literals;
using seawall::servers::pause_between_tries;
using seawall::servers::process;

crew::crew(truth& shared, std::filesystem::path program, std::filesystem::path file)
    : shared_(shared), program_(std::move(program)), file_(std::move(file)) {
  processes_.resize(shared.head().processes.load());
  killed_.resize(processes_.size(), true);
}

void crew::start_all() {
  for (std::size_t i = 0; i != processes_.size(); ++i) start(i);
}

std::filesystem::path crew::log_of(std::size_t which) const {
  return file_.parent_path() / fmt::format("worker{}.log", which);
}

void crew::start(std::size_t which) {
  const std::lock_guard lock{mutex_};
  shared_.head().state[which].reached.store(0);
  processes_[which] = process{{program_.string(), "--shared", file_.string(), "--index", std::to_string(which)},
                              file_.parent_path(),
                              log_of(which)};
  killed_[which] = false;
}

void crew::kill(std::size_t which) {
  const std::lock_guard lock{mutex_};
  killed_[which] = true;
  processes_[which].kill();
}

void crew::freeze(std::size_t which) {
  const std::lock_guard lock{mutex_};
  processes_[which].signal(SIGSTOP);
}

void crew::thaw(std::size_t which) {
  const std::lock_guard lock{mutex_};
  processes_[which].signal(SIGCONT);
}

std::string crew::printed(std::size_t which) const {
  std::ifstream from{log_of(which)};
  return {std::istreambuf_iterator<char>{from}, {}};
}

std::optional<std::string> crew::failure() {
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i != processes_.size(); ++i) {
    if (killed_[i] || processes_[i].running()) continue;
    const int status = processes_[i].wait(0ms).value_or(0);
    if (status == 0 && shared_.stage() >= phase::settle) continue;
    return fmt::format("worker {} has ended by itself ({} {}); it printed:\n{}", i,
                       WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), printed(i));
  }
  return std::nullopt;
}

std::optional<std::string> crew::wait_for(phase stage, std::chrono::milliseconds most) {
  const std::int64_t end = now() + most.count() * millisecond;
  for (;;) {
    if (auto why = failure()) return why;
    std::optional<std::size_t> missing;
    for (std::size_t i = 0; i != processes_.size(); ++i) {
      if (shared_.head().state[i].reached.load() < static_cast<std::uint64_t>(stage)) missing = i;
    }
    if (!missing) return std::nullopt;
    if (now() > end) {
      return fmt::format("worker {} does not {} when all faults are over", *missing,
                         stage == phase::calm ? "get its invalidations delivered" : "read everything");
    }
    pause_between_tries();
  }
}

std::optional<std::string> crew::wait_for_end(std::chrono::milliseconds most) {
  for (std::size_t i = 0; i != processes_.size(); ++i) {
    const std::lock_guard lock{mutex_};
    const auto status = processes_[i].wait(most);
    if (!status) return fmt::format("worker {} does not end", i);
    if (*status != 0) return fmt::format("worker {} ended badly; it printed:\n{}", i, printed(i));
  }
  return std::nullopt;
}

std::vector<fault> crew::faults() {
  const auto someone = [this](dice& chance) { return fmt::format("worker {}", chance.below(processes_.size())); };
  const auto index = [](const std::string& held) { return static_cast<std::size_t>(held.back() - '0'); };
  const auto freezing = [this, index](std::uint64_t least, std::uint64_t most) {
    return [=, this](dice& chance, const std::string& held) {
      const std::size_t which = index(held);
      const std::chrono::milliseconds length{least + chance.below(most - least)};
      freeze(which);
      return begun{.text = fmt::format("{} is stopped for {} ms", held, length.count()),
                   .lasts = length,
                   .mend = [this, which] { thaw(which); }};
    };
  };
  const auto killing = [this, index](dice& chance, const std::string& held) {
    const std::size_t which = index(held);
    const std::chrono::milliseconds length{chance.below(1500)};
    kill(which);
    return begun{.text = fmt::format("{} is killed, and started after {} ms", held, length.count()),
                 .lasts = length,
                 .mend = [this, which] { start(which); }};
  };
  return {{"worker stopped for a moment", "processes", 3, someone, freezing(5, 200)},
          {"worker stopped for long", "processes", 2, someone, freezing(400, 3000)},
          {"worker killed", "processes", 2, someone, killing}};
}

}  // namespace chaos

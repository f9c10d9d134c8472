// A PostgreSQL server of the benchmark's own: on a free port of the loopback, as durable as its defaults are.
#pragma once

#include <fmt/format.h>
#include <seawall_bench/child_process.hpp>
#include <seawall_bench/private_server.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::bench {

class private_postgres {
 public:
  /// Whether the programs are there.
  static bool available() { return folder_of_programs().has_value(); }

  /// `folder`: a new directory below it holds the data, and goes with this. Throws std::runtime_error with what to do.
  explicit private_postgres(const std::filesystem::path& folder) : home_(absolute(folder) / "postgres") {
    const auto programs = folder_of_programs();
    if (!programs) throw std::runtime_error("there is no PostgreSQL: install postgresql, or name one with --postgres");
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    give_to_user();
    run({(*programs / "initdb").string(), "--pgdata", data(), "--auth", "trust", "--username", "bench", "--no-sync",
         "--encoding", "UTF8", "--locale", "C"});
    port_ = free_port();
    auto command = as_user({(*programs / "postgres").string(), "-D", data(), "-p", std::to_string(port_), "-h",
                            "127.0.0.1", "-k", home_.string(), "-c", "max_connections=200"});
    const std::string program = command.front();
    child_.emplace(program, std::move(command), false, (home_ / "log").string());
    wait_until_ready(*programs);
  }
  ~private_postgres() {
    child_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(home_, ignored);
  }
  private_postgres(const private_postgres&) = delete;
  private_postgres& operator=(const private_postgres&) = delete;

  std::string url() const { return fmt::format("postgres://bench@127.0.0.1:{}/postgres", port_); }

 private:
  // By PATH, or where Debian puts them, the newest first.
  static std::optional<std::filesystem::path> folder_of_programs() {
    if (const auto found = find_program("initdb"); found && find_program("postgres")) {
      return std::filesystem::canonical(*found).parent_path();
    }
    std::vector<std::filesystem::path> all;
    std::error_code none;
    for (const auto& one : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
      if (exists(one.path() / "bin" / "initdb")) all.push_back(one.path() / "bin");
    }
    if (all.empty()) return std::nullopt;
    return *std::max_element(all.begin(), all.end());
  }

  std::string data() const { return (home_ / "data").string(); }

  // The server refuses to run for root; the package has made a user for it.
  static bool is_root() { return geteuid() == 0; }
  static std::vector<std::string> as_user(std::vector<std::string> command) {
    if (!is_root()) return command;
    const auto setpriv = find_program("setpriv");
    if (!setpriv) throw std::runtime_error("root cannot run PostgreSQL, and there is no setpriv to be another user");
    std::vector<std::string> all{*setpriv, "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL",
                                 "--"};
    all.insert(all.end(), std::make_move_iterator(command.begin()), std::make_move_iterator(command.end()));
    return all;
  }
  void give_to_user() const {
    if (is_root() && run_quietly({"/bin/chown", "postgres", home_.string()}, home_ / "chown.log") != 0) {
      throw std::runtime_error("there is no user postgres to run the server: install postgresql");
    }
  }

  static int run_quietly(std::vector<std::string> command, const std::filesystem::path& log) {
    const std::string program = command.front();
    child_process child{program, std::move(command), false, log.string()};
    int status = -1;
    if (waitpid(child.id(), &status, 0) != child.id()) return -1;
    return status;
  }
  void run(std::vector<std::string> command) const {
    const auto log = home_ / "initdb.log";
    const std::string name = command.front();
    if (run_quietly(as_user(std::move(command)), log) == 0) return;
    throw std::runtime_error(fmt::format("{} failed; what it said is in {}", name, log.string()));
  }

  void wait_until_ready(const std::filesystem::path& programs) {
    for (int wait = 0; wait != 500 && child_->running(); ++wait) {
      const std::vector<std::string> ask{(programs / "pg_isready").string(), "-q", "-h", "127.0.0.1", "-p",
                                         std::to_string(port_)};
      if (run_quietly(ask, home_ / "ready.log") == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error(fmt::format("postgres did not start; what it said is in {}", (home_ / "log").string()));
  }

  std::filesystem::path home_;
  std::uint16_t port_ = 0;
  std::optional<child_process> child_;
};

}  // namespace seawall::bench

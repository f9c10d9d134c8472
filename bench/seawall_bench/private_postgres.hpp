// A PostgreSQL server of a benchmark's or the demo's own: on a free port of the loopback with a password, on a Unix
// socket without.
#pragma once

#include <fmt/format.h>
#include <seawall_bench/child_process.hpp>
#include <seawall_bench/private_server.hpp>

#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace seawall::bench {

struct postgres_setup {
  /// `url()` names the socket, in the server's folder, which only its user and root may enter.
  bool by_socket = false;
  std::size_t connections = 200;
  std::vector<std::string> settings = {};  ///< "jit=off": more of postgresql.conf
};

class private_postgres {
 public:
  /// Whether the programs are there.
  static bool available() { return folder_of_programs().has_value(); }

  /// `folder`: a new directory below it holds the data, and goes with this. It must be one that everybody may pass
  /// through, if root starts this. The server is as durable as its defaults are. Throws std::runtime_error with what to
  /// do. For the thread: the kernel kills the server when the thread ends that made it.
  explicit private_postgres(const std::filesystem::path& folder, const postgres_setup& how = {})
      : home_(absolute(folder) / "postgres"), by_socket_(how.by_socket) {
    const auto programs = folder_of_programs();
    if (!programs) {
      throw std::runtime_error("there is no PostgreSQL: install it (on Debian: the package postgresql), or name a "
                               "server's URL");
    }
    std::filesystem::remove_all(home_);
    std::filesystem::create_directories(home_);
    std::filesystem::permissions(home_, std::filesystem::perms::owner_all);
    try {
      start(*programs, how);
    } catch (...) {
      end();
      throw;
    }
  }
  ~private_postgres() { end(); }
  private_postgres(const private_postgres&) = delete;
  private_postgres& operator=(const private_postgres&) = delete;

  std::string url() const {
    if (by_socket_) return fmt::format("postgres://bench@/postgres?host={}&port={}", home_.string(), port_);
    return url_of_port();
  }
  /// With the password in it.
  std::string url_of_port() const {
    return fmt::format("postgres://bench:{}@127.0.0.1:{}/postgres", password_, port_);
  }
  pid_t pid() const noexcept { return child_->id(); }

 private:
  // By PATH, or where Debian puts them, the newest first.
  static std::optional<std::filesystem::path> folder_of_programs() {
    if (const auto found = find_program("initdb"); found && find_program("postgres")) {
      return std::filesystem::canonical(*found).parent_path();
    }
    std::optional<std::filesystem::path> best;
    int newest = -1;
    std::error_code none;
    for (const auto& one : std::filesystem::directory_iterator("/usr/lib/postgresql", none)) {
      const int version = std::atoi(one.path().filename().c_str());  // "9.6" is older than "15"
      if (version <= newest || !exists(one.path() / "bin" / "initdb")) continue;
      newest = version;
      best = one.path() / "bin";
    }
    return best;
  }

  void start(const std::filesystem::path& programs, const postgres_setup& how) {
    const auto secret = (home_ / "password").string();
    if (!(std::ofstream(secret) << password_ << '\n')) throw std::runtime_error("cannot write " + secret);
    give_to_user();
    run({(programs / "initdb").string(), "--pgdata", data(), "--auth-local", "trust", "--auth-host", "scram-sha-256",
         "--pwfile", secret, "--username", "bench", "--no-sync", "--encoding", "UTF8", "--locale", "C"});
    port_ = free_port();
    std::vector<std::string> words{(programs / "postgres").string(), "-D", data(), "-p", std::to_string(port_), "-h",
                                   "127.0.0.1", "-k", home_.string(), "-c",
                                   fmt::format("max_connections={}", how.connections)};
    for (const std::string& setting : how.settings) {
      words.emplace_back("-c");
      words.push_back(setting);
    }
    auto command = as_user(std::move(words));
    const std::string program = command.front();
    child_.emplace(program, std::move(command), false, (home_ / "log").string());
    wait_until_ready(programs);
  }

  // At once and without a checkpoint: nobody wants the data any more.
  void end() noexcept {
    try {
      if (child_) child_->end(SIGQUIT, 10);
      child_.reset();
      forget_segment();
      std::error_code ignored;
      std::filesystem::remove_all(home_, ignored);
    } catch (const std::exception&) {  // no memory: the child is killed by its own destructor
    }
  }

  // A server that somebody has killed leaves a segment of shared memory behind: the second number of line 7.
  void forget_segment() const {
    std::ifstream from{home_ / "data" / "postmaster.pid"};
    std::string line;
    for (int i = 0; i != 7; ++i) std::getline(from, line);
    const auto number = line.find_last_of(' ');
    if (from && number != std::string::npos) shmctl(std::atoi(line.c_str() + number), IPC_RMID, nullptr);
  }

  std::string data() const { return (home_ / "data").string(); }

  static std::string random_password() {
    std::random_device source;
    return fmt::format("{:08x}{:08x}{:08x}{:08x}", source(), source(), source(), source());
  }

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
    throw std::runtime_error(fmt::format("{} failed: {}", name, said(log)));
  }

  void wait_until_ready(const std::filesystem::path& programs) {
    for (int wait = 0; wait != 500 && child_->running(); ++wait) {
      const std::vector<std::string> ask{(programs / "pg_isready").string(), "-q", "-h", "127.0.0.1", "-p",
                                         std::to_string(port_)};
      if (run_quietly(ask, home_ / "ready.log") == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error(fmt::format("postgres did not start: {}", said(home_ / "log")));
  }

  // The last line of a log, which goes with its folder.
  static std::string said(const std::filesystem::path& log) {
    std::ifstream from{log};
    std::string last = "it said nothing";
    for (std::string line; std::getline(from, line);) {
      if (!line.empty()) last = line;
    }
    return last;
  }

  std::filesystem::path home_;
  bool by_socket_;
  std::string password_ = random_password();
  std::uint16_t port_ = 0;
  std::optional<child_process> child_;
};

}  // namespace seawall::bench

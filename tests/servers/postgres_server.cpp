#include "servers/postgres_server.hpp"

#include "servers/certificates.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace seawall::servers {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

int version_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int version = 0;
  std::from_chars(name.data(), name.data() + name.size(), version);
  return version;
}

struct programs {
  programs() {
    find_folder();
    if (!missing.empty() || ::geteuid() != 0) return;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): called once
    const passwd* entry = ::getpwnam("postgres");
    if (entry == nullptr) entry = ::getpwnam("nobody");  // NOLINT(concurrency-mt-unsafe)
    const auto setpriv = find_program("setpriv");
    if (entry == nullptr || !setpriv) {
      missing = "PostgreSQL refuses to run as root, and there is no user postgres or nobody, or no setpriv";
      return;
    }
    owner = {entry->pw_uid, entry->pw_gid};
    // A change of the user forgets the signal that ends a child with its parent.
    become = {setpriv->string(), fmt::format("--reuid={}", entry->pw_uid), fmt::format("--regid={}", entry->pw_gid),
              "--clear-groups", "--pdeathsig=KILL"};
  }

  void find_folder() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): tests do not set variables
    if (const char* named = std::getenv("SEAWALL_POSTGRES_BIN"); named && *named) {
      bin = named;
    } else {
      std::error_code ignored;
      for (const auto& one : fs::directory_iterator{"/usr/lib/postgresql", ignored}) {
        if (fs::exists(one.path() / "bin/initdb") && (bin.empty() || version_of(bin.parent_path()) < version_of(one))) {
          bin = one.path() / "bin";
        }
      }
      if (const auto found = find_program("initdb"); bin.empty() && found) bin = fs::canonical(*found).parent_path();
    }
    if (bin.empty()) missing = "no PostgreSQL: install Debian's package postgresql, or set SEAWALL_POSTGRES_BIN";
    else if (!fs::exists(bin / "postgres")) missing = "no program 'postgres' in " + bin.string();
  }

  std::vector<std::string> command(std::string_view name, std::vector<std::string> arguments) const {
    std::vector<std::string> all = become;
    all.push_back((bin / name).string());
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  void hand_over(const fs::path& what) const {
    if (owner && ::chown(what.c_str(), owner->first, owner->second) != 0) {
      throw std::runtime_error("cannot change the owner of " + what.string());
    }
  }

  fs::path bin;
  std::vector<std::string> become;
  std::optional<std::pair<uid_t, gid_t>> owner;
  std::string missing;
};

const programs& installed() {
  static const programs found;
  return found;
}

std::string text_of(const fs::path& file) {
  std::ifstream from{file};
  return {std::istreambuf_iterator<char>{from}, {}};
}

void run(std::vector<std::string> command, const fs::path& in) {
  const fs::path log = in / "set_up.log";
  const std::string name = command.back();
  process one{std::move(command), in, log};
  if (one.wait(60s) != 0) throw std::runtime_error(fmt::format("{} failed:\n{}", name, text_of(log)));
}

// Made once: it takes longer than all else.
const fs::path& template_files() {
  static const temp_dir folder{"postgres-template"};
  static const fs::path data = [] {
    const fs::path& in = folder.path();
    std::ofstream{in / "password"} << postgres_server::password << '\n';
    installed().hand_over(in);
    run(installed().command("initdb", {"--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
                                       fmt::format("--username={}", postgres_server::user), "--pwfile=password",
                                       "--pgdata=data"}),
        in);
    return in / "data";
  }();
  return data;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::ifstream from{fmt::format("/proc/{}/task/{}/children", parent, parent)};
  return {std::istream_iterator<pid_t>{from}, {}};
}

// Or dead, while nobody asks for its status.
bool is_gone(pid_t one) {
  const std::string state = text_of(fmt::format("/proc/{}/stat", one));
  return state.empty() || state.find(") Z") != std::string::npos;
}

}  // namespace

const std::string& why_no_postgres() { return installed().missing; }

std::unique_ptr<postgres_server> postgres_server::start(postgres_options how) {
  if (!why_no_postgres().empty()) throw std::runtime_error(why_no_postgres());
  return start_on_free_port([&] { return std::unique_ptr<postgres_server>{new postgres_server{how}}; },
                            [](postgres_server& server) { server.launch(); });
}

postgres_server::postgres_server(const postgres_options& how) {
  const fs::path data = dir_.path() / "data";
  run({find_program("cp").value_or("/bin/cp").string(), "-a", template_files().string(), data.string()}, dir_.path());
  std::ofstream to{data / "postgresql.conf", std::ios::app};
  to << "listen_addresses = '127.0.0.1'\nport = " << port() << "\nunix_socket_directories = ''\n"
        "fsync = off\nfull_page_writes = off\nshared_buffers = 16MB\nmax_connections = 30\n"
        "log_min_messages = warning\nautovacuum = off\n";
  if (how.tls) {
    const auto& files = test_certificates();
    to << "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n";
    fs::copy_file(files.server, data / "server.pem");
    fs::copy_file(files.server_key, data / "server.key");
    fs::permissions(data / "server.key", fs::perms::owner_read);
    installed().hand_over(data / "server.pem");
    installed().hand_over(data / "server.key");
  }
  if (how.standby) {
    std::ofstream{data / "standby.signal"};
    to << "max_connections = 100\n";  // no fewer than the server had that made the files
  }
  for (const auto& line : how.config) to << line << '\n';
  to.close();
  installed().hand_over(dir_.path());
}

// It is asked to end at once. One that was killed has left a segment of shared memory behind.
postgres_server::~postgres_server() {
  try {
    resume();
    if (process_.running()) process_.signal(SIGQUIT);
    if (!process_.wait(10s)) kill();
    std::istringstream lines{text_of(dir_.path() / "data/postmaster.pid")};
    std::string line;
    for (int i = 0; i != 7; ++i) std::getline(lines, line);
    const auto number = line.find_last_of(' ');
    if (lines && number != std::string::npos) ::shmctl(std::stoi(line.substr(number)), IPC_RMID, nullptr);
  } catch (const std::exception&) {  // the process is killed by its own destructor
  }
}

void postgres_server::launch() {
  process_ = process{installed().command("postgres", {"-D", "data"}), dir_.path(), dir_.path() / "server.log"};
  const auto answers = [this] {
    if (!process_.running()) throw std::runtime_error("the server has ended; its log:\n" + log());
    // The file begins with its number, and ends with "ready" when it takes connections.
    const std::string state = text_of(dir_.path() / "data/postmaster.pid");
    return state.starts_with(fmt::format("{}\n", process_.pid())) && state.find("ready") != std::string::npos;
  };
  wait_until("the server is ready", answers);
}

std::string postgres_server::url(std::string_view database) const {
  return fmt::format("postgres://{}:{}@127.0.0.1:{}/{}", user, password, port(), database);
}

std::string postgres_server::log() const { return text_of(dir_.path() / "server.log"); }

// Each of its processes is a session of its own. The first is stopped meanwhile, so that no new ones come.
void postgres_server::signal_all(int number) {
  if (!process_.running()) return;
  if (number != SIGCONT) process_.signal(SIGSTOP);
  const auto others = children_of(process_.pid());
  for (const pid_t one : others) ::kill(one, number);
  if (number != SIGSTOP) process_.signal(number);
  if (number != SIGKILL) return;
  process_.kill();
  for (const pid_t one : others) {
    wait_until("a process of the server is gone", [&] { return is_gone(one); });
  }
}

void postgres_server::kill() { signal_all(SIGKILL); }
void postgres_server::pause() { signal_all(SIGSTOP); }
void postgres_server::resume() { signal_all(SIGCONT); }

void postgres_server::restart() {
  kill();
  launch();
}

}  // namespace seawall::servers

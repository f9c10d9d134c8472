#include "servers/redis_server.hpp"
#include "servers/certificates.hpp"
#include "servers/wait.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace seawall::servers {
namespace {

using namespace std::chrono_literals;

struct server_program {
  server_program() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): tests do not set variables
    if (const char* name = std::getenv("SEAWALL_REDIS_SERVER"); name && *name) {
      path = find_program(name);
      if (!path) missing = fmt::format("SEAWALL_REDIS_SERVER names '{}', which cannot be executed", name);
      return;
    }
    path = find_program("redis-server");
    if (path) return;
    // One program serves under several names and looks at the name under which it was called.
    if (const auto same = find_program("redis-check-rdb")) {
      folder.emplace("program");
      path = folder->path() / "redis-server";
      std::filesystem::create_symlink(*same, *path);
      return;
    }
    path = find_program("valkey-server");
    if (!path) missing = "no redis-server, redis-check-rdb (package redis-tools) or valkey-server in PATH";
  }

  std::optional<temp_dir> folder;
  std::optional<std::filesystem::path> path;
  std::string missing;
};

const server_program& program() {
  static const server_program found;
  return found;
}

std::string tls_config(tls_mode mode, std::uint16_t port) {
  const auto& files = test_certificates();
  const bool wrong = mode == tls_mode::wrong_name;
  return fmt::format("tls-port {}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\ntls-auth-clients {}\n", port,
                     (wrong ? files.wrong_name : files.server).string(),
                     (wrong ? files.wrong_name_key : files.server_key).string(), files.authority.string(),
                     mode == tls_mode::mutual ? "yes" : "no");
}

}  // namespace

const std::string& why_no_server() { return program().missing; }

std::unique_ptr<redis_server> redis_server::launch(redis_options how) {
  if (!server_available()) throw std::runtime_error(why_no_server());
  std::unique_ptr<redis_server> server{new redis_server{std::move(how)}};
  server->launch_process();
  return server;
}

std::unique_ptr<redis_server> redis_server::start(redis_options how) {
  return start_on_free_port([&] { return launch(how); }, [](redis_server& server) { server.wait_ready(); });
}

redis_server::redis_server(redis_options how) : how_(std::move(how)) {
  if (how_.tls != tls_mode::off) tls_port_ = reserve_port();
  write_config();
}

void redis_server::write_config() const {
  std::ofstream to{dir_.path() / "redis.conf"};
  to << "bind 127.0.0.1\nport " << port() << "\ndir " << dir_.path().string() << '\n';
  if (!how_.sentinel) {
    // A full copy by way of a file: one without is served after a delay, and its end is noticed a second later.
    to << "save \"\"\nappendonly no\nenable-debug-command yes\nrepl-diskless-sync no\n"
          "repl-ping-replica-period 1\n";
  }
  if (!how_.password.empty()) to << "requirepass " << how_.password << '\n';
  if (!how_.password.empty() && !how_.sentinel) to << "masterauth " << how_.password << '\n';
  for (const auto& user : how_.users) to << "user " << user << '\n';
  if (how_.tls != tls_mode::off) to << tls_config(how_.tls, tls_port());
  if (how_.unix_socket) to << "unixsocket " << unix_socket().string() << '\n';
  if (how_.replica_of != 0) to << "replicaof 127.0.0.1 " << how_.replica_of << '\n';
  for (const auto& line : how_.config) to << line << '\n';
}

void redis_server::launch_process() {
  std::vector<std::string> command{program().path->string(), (dir_.path() / "redis.conf").string()};
  if (how_.sentinel) command.emplace_back("--sentinel");
  process_ = process{std::move(command), dir_.path(), dir_.path() / "server.log"};
  paused_ = false;
}

void redis_server::wait_ready() {
  const auto answers = [this] {
    if (!process_.running()) throw std::runtime_error("the server has ended; its log:\n" + log());
    try {
      const auto pong = try_run({"PING"});
      return !pong.is_error() || pong.text.rfind("LOADING", 0) != 0;
    } catch (const std::runtime_error&) {
      return false;  // it does not listen yet
    }
  };
  try {
    wait_until("the server answers PING", answers);
  } catch (const std::runtime_error& why) {
    throw std::runtime_error(fmt::format("{}; log of port {}:\n{}", why.what(), port(), log()));
  }
}

std::string redis_server::log() const {
  std::ifstream from{dir_.path() / "server.log"};
  return {std::istreambuf_iterator<char>{from}, {}};
}

void redis_server::kill() {
  process_.kill();
  paused_ = false;
}

void redis_server::terminate() {
  resume();
  process_.signal(SIGTERM);
  if (!process_.wait(30s)) throw std::runtime_error("the server does not end after SIGTERM; its log:\n" + log());
}

void redis_server::pause() {
  process_.signal(SIGSTOP);
  paused_ = true;
}

void redis_server::resume() {
  process_.signal(SIGCONT);
  paused_ = false;
}

void redis_server::restart() {
  kill();
  launch_process();
  wait_ready();
}

raw_client redis_server::connect() const {
  raw_client client{port()};
  if (!how_.password.empty()) client.run({"AUTH", how_.password});
  return client;
}

reply redis_server::try_run(const arguments& command) const { return connect().run(command); }

reply redis_server::run(const arguments& command) const {
  auto answer = try_run(command);
  if (answer.is_error()) {
    throw std::runtime_error(fmt::format("port {}: {}: {}", port(), fmt::join(command, " "), answer.text));
  }
  return answer;
}

std::string redis_server::info(std::string_view field) const {
  const std::string all = "\n" + run({"INFO", "everything"}).text;
  const auto begin = all.find(fmt::format("\n{}:", field));
  if (begin == std::string::npos) return {};
  const auto value = begin + field.size() + 2;
  return all.substr(value, all.find_first_of("\r\n", value) - value);
}

}  // namespace seawall::servers

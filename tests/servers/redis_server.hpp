// redis_server: a real Redis (or Valkey) that a test starts, kills, pauses and restarts.
//
//     auto redis = redis_server::start({.password = "secret", .config = {"maxmemory 2mb"}});
//     redis->run({"SET", "k", "v"});
//     redis->pause();  redis->resume();  redis->kill();  redis->restart();
#pragma once

#include "servers/ports.hpp"
#include "servers/process.hpp"
#include "servers/raw_client.hpp"
#include "servers/temp_dir.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::servers {

/// Why no server can be started here; empty if one can. The server is the program that the environment variable
/// SEAWALL_REDIS_SERVER names (in PATH, or a path: valkey-server, a wrapper that execs), else redis-server, else the
/// same program under the name by which package redis-tools installs it, else valkey-server.
const std::string& why_no_server();
inline bool server_available() { return why_no_server().empty(); }

/// Skips the test if there is no server to start; for the first line of a test or of SetUp.
#define SEAWALL_NEEDS_SERVER() \
  if (!seawall::servers::server_available()) GTEST_SKIP() << seawall::servers::why_no_server()

enum class tls_mode : std::uint8_t {
  off,
  on,          ///< The certificate is for localhost and 127.0.0.1; clients need none.
  wrong_name,  ///< The certificate is for elsewhere.test.
  mutual,      ///< Clients must show a certificate of the same authority.
};

struct redis_options {
  std::string password = {};             ///< Of the default user.
  std::vector<std::string> users = {};   ///< ACL rules: "alice on >secret ~app:* +@read".
  tls_mode tls = tls_mode::off;          ///< On a port of its own, beside the plain one.
  bool unix_socket = false;              ///< Beside the port.
  std::uint16_t replica_of = 0;          ///< The port of the primary on 127.0.0.1.
  std::vector<std::string> config = {};  ///< More lines of redis.conf; the last one wins.
  bool sentinel = false;                 ///< Runs as a Sentinel: `config` says all.
};

/// One server on 127.0.0.1 without persistence, with DEBUG enabled. Its files are in a temp_dir of its own. The control
/// connections go by the plain port and authenticate with the password. Everything throws std::runtime_error.
/// Thread safety: none.
class redis_server {
 public:
  /// Returns when it answers.
  static std::unique_ptr<redis_server> start(redis_options how = {});
  /// Returns at once; `wait_ready` before use. For several that start together.
  static std::unique_ptr<redis_server> launch(redis_options how = {});
  ~redis_server() = default;
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  std::uint16_t tls_port() const noexcept { return tls_port_; }
  std::filesystem::path unix_socket() const { return dir_.path() / "redis.sock"; }
  const redis_options& options() const noexcept { return how_; }
  pid_t pid() const noexcept { return process_.pid(); }
  /// Whether it runs and is not paused.
  bool alive() { return process_.running() && !paused_; }
  /// What it has logged since the first start.
  std::string log() const;

  /// SIGKILL; returns when it is gone.
  void kill();
  /// SIGTERM: an orderly end. Returns when it is gone.
  void terminate();
  /// SIGSTOP: the port still accepts connections (the kernel does), nothing answers.
  void pause();
  void resume();
  /// Starts it again on the same ports with the configuration that it had at its end (what Sentinel or CONFIG REWRITE
  /// wrote is kept; data is not), after killing it if it runs. Returns when it answers.
  void restart();
  /// Until PING is answered, and by no LOADING.
  void wait_ready();

  /// A connection, authenticated with the password if there is one.
  raw_client connect() const;
  /// One command on a connection of its own; throws if the answer is an error.
  reply run(const arguments& command) const;
  /// The same; an error of the server is a reply like others.
  reply try_run(const arguments& command) const;
  /// A field of INFO; empty if it is not there.
  std::string info(std::string_view field) const;

 private:
  explicit redis_server(redis_options how);
  void write_config() const;
  void launch_process();

  redis_options how_;
  reserved_port port_ = reserve_port();
  reserved_port tls_port_;
  temp_dir dir_{"redis"};
  process process_;
  bool paused_ = false;
};

}  // namespace seawall::servers

// postgres_server: a real PostgreSQL that a test starts, kills, pauses and restarts.
//
//     auto server = postgres_server::start({.config = {"max_connections = 10"}});
//     auto db = postgres::open({.url = server->url()});
//     server->pause();  server->resume();  server->kill();  server->restart();
#pragma once

#include "servers/ports.hpp"
#include "servers/process.hpp"
#include "servers/temp_dir.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seawall::servers {

/// Why no server can be started here; empty if one can. Its programs are those in the folder that the environment
/// variable SEAWALL_POSTGRES_BIN names, else of the newest version that Debian's packages have installed, else in PATH.
const std::string& why_no_postgres();

/// Skips the test if there is no server to start; for the first line of a test or of SetUp.
#define SEAWALL_NEEDS_POSTGRES() \
  if (!seawall::servers::why_no_postgres().empty()) GTEST_SKIP() << seawall::servers::why_no_postgres()

struct postgres_options {
  std::vector<std::string> config = {};  ///< More lines of postgresql.conf; the last one wins.
  bool standby = false;                  ///< In recovery for good: it answers queries, and refuses to write.
  bool tls = false;                      ///< Takes TLS, too, with the certificate for localhost and 127.0.0.1.
};

/// One server on 127.0.0.1, which asks for a password, with nothing synced to the disk. Root starts it as the user
/// postgres or nobody, since it refuses root. Everything throws std::runtime_error.
/// Thread safety: none.
class postgres_server {
 public:
  static constexpr std::string_view user = "keeper";
  static constexpr std::string_view password = "hush-7";

  /// Returns when it answers. The first call in a process makes a template of its files.
  static std::unique_ptr<postgres_server> start(postgres_options how = {});
  ~postgres_server();
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// For libpq, with the password; of the database "postgres", or another.
  std::string url(std::string_view database = "postgres") const;
  /// What it has logged since the first start.
  std::string log() const;

  /// SIGKILL for all its processes, as if the machine had died; returns when they are gone.
  void kill();
  /// SIGSTOP for all its processes: the kernel still accepts connections, nothing answers.
  void pause();
  void resume();
  /// Starts it again on the same port and files, after killing it if it runs. Returns when it answers.
  void restart();

 private:
  explicit postgres_server(const postgres_options& how);
  void launch();
  void signal_all(int number);

  reserved_port port_ = reserve_port();
  temp_dir dir_{"postgres"};
  process process_;
};

}  // namespace seawall::servers

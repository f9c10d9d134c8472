// sentinel_group: a primary, its replicas, and the sentinels that watch them.
//
//     auto group = sentinel_group::start();
//     const auto old = group->primary();
//     group->server(old).kill();
//     const auto next = group->wait_primary_other_than(old);
#pragma once

#include "servers/redis_server.hpp"
#include "servers/tcp_proxy.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace seawall::servers {

struct sentinel_options {
  std::size_t replicas = 2;
  std::size_t sentinels = 3;
  std::size_t quorum = 2;
  std::string name = "seawall";                ///< Of the primary, for SENTINEL commands.
  std::chrono::milliseconds down_after{1000};  ///< Below 600 a slow machine makes sentinels flap.
  std::chrono::milliseconds failover_timeout{2000};
  /// Each server is known to the others, to the sentinels and thus to clients by the port of a tcp_proxy before it.
  bool proxied = false;
  bool tls = false;  ///< All are known by their TLS ports, and talk TLS to each other. Not with `proxied`.
  std::string password = {};             ///< Of the servers; the sentinels have none.
  std::vector<std::string> config = {};  ///< More lines for the servers.
};

/// Servers have the numbers 0 (the first primary), 1, ...; sentinels from 0, too. Waits throw std::runtime_error.
/// Thread safety: none.
class sentinel_group {
 public:
  /// Returns when all replicas are in sync and each sentinel knows all servers and all other sentinels.
  static std::unique_ptr<sentinel_group> start(sentinel_options how = {});

  std::size_t size() const noexcept { return servers_.size(); }
  redis_server& server(std::size_t which) { return *servers_.at(which); }
  redis_server& sentinel(std::size_t which) { return *sentinels_.at(which); }
  std::size_t sentinels() const noexcept { return sentinels_.size(); }
  std::vector<std::uint16_t> sentinel_ports() const;
  const std::string& name() const noexcept { return how_.name; }
  /// Only with `proxied`.
  tcp_proxy& proxy(std::size_t which) { return *proxies_.at(which); }
  /// By which sentinels and clients know the server: its own port, its TLS port, or its proxy's.
  std::uint16_t port(std::size_t which) const;

  /// What one sentinel answers; std::nullopt if it does not answer, or names none of these servers.
  std::optional<std::size_t> primary_by(std::size_t sentinel) const;
  /// The server that all living sentinels name and that calls itself a primary; waits for it.
  std::size_t primary() { return wait_primary_other_than(size()); }
  /// The same, when it is another one.
  std::size_t wait_primary_other_than(std::size_t old);
  /// SENTINEL FAILOVER: without anything being down. Returns the new primary.
  std::size_t failover();
  /// Until all is as after `start`, whichever server is the primary; all must run.
  void wait_healthy();

 private:
  explicit sentinel_group(sentinel_options how) : how_(std::move(how)) {}
  void use_tls(redis_options& options) const;
  void launch_servers();
  void launch_sentinels();
  bool sentinel_knows_all(const redis_server& sentinel) const;
  bool in_sync(std::size_t primary);

  sentinel_options how_;
  std::vector<std::unique_ptr<redis_server>> servers_;
  std::vector<std::unique_ptr<tcp_proxy>> proxies_;
  std::vector<std::unique_ptr<redis_server>> sentinels_;
};

}  // namespace seawall::servers

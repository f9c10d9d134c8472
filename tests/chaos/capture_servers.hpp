// capture_servers: the PostgreSQL and the Redis of the scenario capture, and what can be done to them. Each worker
// reaches each of the two through a proxy of its own.
#pragma once

#include "schedule.hpp"
#include "topology.hpp"
#include "truth.hpp"

#include "seawall/source/postgres.hpp"
#include "servers/postgres_server.hpp"
#include "servers/tcp_proxy.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace chaos {

/// Everything throws std::runtime_error.
/// Thread safety: as of a topology; `heal` and what follows it when no faults are brought about.
class capture_servers {
 public:
  /// With a table `rows`, in which each key has version 1.
  capture_servers(truth& shared, diary& log);

  std::string redis_url(std::size_t worker) const { return redis_->url(worker); }
  std::string database_url(std::size_t worker) const;
  /// Between the worker and the Redis.
  seawall::servers::tcp_proxy& redis_link(std::size_t worker) { return *redis_->link(worker); }
  std::string direct_url() const { return postgres_->url(); }

  std::vector<fault> network_faults();
  std::vector<fault> server_faults();
  /// Returns when all servers serve, undisturbed.
  void heal();

  /// Whether somebody reads the slot.
  bool captures();
  /// All that was written is before it: the end of the database's log, or the next transaction.
  std::string place();
  /// Whether the slot is confirmed up to there, or the queue has nothing more of it.
  bool confirmed(const std::string& place);

 private:
  bool says_yes(const std::string& query);
  std::vector<fault> database_faults();
  std::string shoot(const std::string& query, int signal);

  diary& log_;
  const bool by_triggers_;
  std::unique_ptr<topology> redis_;
  std::unique_ptr<seawall::servers::postgres_server> postgres_;
  std::vector<std::unique_ptr<seawall::servers::tcp_proxy>> proxies_;  // of the database
  std::shared_ptr<seawall::postgres::database> db_;
};

}  // namespace chaos
